/**
 * Ranges of the API count characters (Unicode code points); strings here count UTF-16 units. The two differ after the
 * first character outside the basic plane, such as an emoji.
 */

/** Converts places of one text. */
export class Offsets {
  /** @param {string} text */
  constructor(text) {
    /** @type {number[]} code point offsets of the characters that take two units */
    this.wide = [];
    if (!/[\ud800-\udbff]/.test(text)) return;
    let point = 0;
    for (const character of text) {
      if (character.length === 2) this.wide.push(point);
      point += 1;
    }
  }

  /** Where a code point offset lies in the string. @param {number} point @returns {number} */
  unit(point) {
    let low = 0;
    let high = this.wide.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.wide[middle] < point) low = middle + 1;
      else high = middle;
    }
    return point + low;
  }
}

/**
 * A short text cut at ranges of code points: `[{text, marked}]` in order.
 * @param {string} text @param {[number, number][]} ranges in order, not overlapping
 */
export function cutAt(text, ranges) {
  const offsets = new Offsets(text);
  const parts = [];
  let done = 0;
  for (const [from, to] of ranges) {
    const start = offsets.unit(from);
    const end = offsets.unit(to);
    if (start < done || end <= start) continue;
    if (start > done) parts.push({ text: text.slice(done, start), marked: false });
    parts.push({ text: text.slice(start, end), marked: true });
    done = end;
  }
  if (done < text.length) parts.push({ text: text.slice(done), marked: false });
  return parts;
}
