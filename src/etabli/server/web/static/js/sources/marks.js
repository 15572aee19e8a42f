/** Text with its marked places: the passage, and what was found. Text nodes and <mark> only. */

import { h } from "../core/dom.js";

/**
 * @typedef {import("./source.js").Range} Range
 * @typedef {{passage: Range|null, hits: Range[], current: Range|null}} Marks hits: in order, not overlapping
 */

/** @type {Marks} */
export const NO_MARKS = Object.freeze({ passage: null, hits: [], current: null });

/**
 * The characters `start` to `end` of a text as nodes.
 * @param {string} text @param {number} start @param {number} end @param {Marks} marks
 * @returns {(string|HTMLElement)[]}
 */
export function markedText(text, start, end, marks) {
  const hits = hitsIn(marks.hits, start, end);
  const { passage } = marks;
  const inPassage = passage && passage.start < end && passage.end > start;
  if (!hits.length && !inPassage) return [text.slice(start, end)];
  const cuts = new Set([start, end]);
  const cut = (place) => place > start && place < end && cuts.add(place);
  for (const range of inPassage ? [passage, ...hits] : hits) {
    cut(range.start);
    cut(range.end);
  }
  const places = [...cuts].sort((one, other) => one - other);
  const nodes = [];
  let next = 0;
  for (let i = 0; i + 1 < places.length; i += 1) {
    const [from, to] = [places[i], places[i + 1]];
    while (next < hits.length && hits[next].end <= from) next += 1;
    const hit = hits[next] && hits[next].start <= from ? hits[next] : null;
    const cited = inPassage && passage.start <= from && passage.end >= to;
    const piece = text.slice(from, to);
    const names = [cited && "passage", hit && "hit", hit && hit === marks.current && "current"].filter(Boolean);
    nodes.push(names.length ? h("mark", { class: names }, piece) : piece);
  }
  return nodes;
}

/** What of the marks lies between two places, as a word to compare: the same word, the same drawing. */
export function marksKey(marks, start, end) {
  const { passage, current } = marks;
  const cited = passage && passage.start < end && passage.end > start ? `${passage.start}-${passage.end}` : "";
  const hits = hitsIn(marks.hits, start, end);
  const found = hits.map((hit) => `${hit.start}-${hit.end}${hit === current ? "!" : ""}`);
  return `${cited}|${found.join()}`;
}

/** The hits that touch a stretch. @param {Range[]} hits @returns {Range[]} */
function hitsIn(hits, start, end) {
  let low = 0;
  let high = hits.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (hits[middle].end <= start) low = middle + 1;
    else high = middle;
  }
  let last = low;
  while (last < hits.length && hits[last].start < end) last += 1;
  return hits.slice(low, last);
}
