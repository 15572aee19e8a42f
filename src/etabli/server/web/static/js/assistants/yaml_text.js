/** The little that the page must know of YAML; what a text means is asked of the server. */

/**
 * Whether somebody wrote remarks (#…) into a text. Quotes and blocks are skipped: a heading in Markdown is no remark.
 * @param {string} text
 */
export function hasRemarks(text) {
  let block = null;
  let quote = null;
  for (const line of text.split("\n")) {
    const indent = line.search(/\S/);
    if (block !== null) {
      if (indent < 0 || indent > block) continue;
      block = null;
    }
    const found = scan(line, quote);
    if (found.remark) return true;
    quote = found.quote;
    if (quote === null && /(?:^|[\s:-])[|>][+\-\d]{0,2}\s*$/.test(line)) block = indent + dashes(line.slice(indent));
  }
  return false;
}

/**
 * A text with another value for a key of the top level that stands in one line; null where it does not.
 * @param {string} text @param {string} key @param {string} value
 */
export function withTopKey(text, key, value) {
  const pattern = new RegExp(`^${key}[ \\t]*:[ \\t]*(?![|>])[^\\n]*$`, "m");
  if (!pattern.test(text)) return null;
  return text.replace(pattern, () => `${key}: ${JSON.stringify(value)}`);
}

/** Whether a text has a key at the top level. @param {string} text @param {string} key */
export function hasTopKey(text, key) {
  return new RegExp(`^${key}[ \\t]*:`, "m").test(text);
}

/** How far “- ” shifts what stands behind it. */
function dashes(text) {
  const lead = /^(?:-\s+)+/.exec(text);
  return lead && text.slice(lead[0].length).includes(":") ? lead[0].length : 0;
}

/** One line outside blocks: whether a remark begins in it, and the quote that stays open. */
function scan(line, quote) {
  for (let place = 0; place < line.length; place += 1) {
    const character = line[place];
    if (quote === '"' && character === "\\") place += 1;
    else if (quote !== null) quote = character === quote ? null : quote;
    else if ((character === '"' || character === "'") && /(?:^|[\s:,[{-])$/.test(line.slice(0, place)))
      quote = character;
    else if (character === "#" && (place === 0 || /\s/.test(line[place - 1]))) return { remark: true, quote };
  }
  return { remark: false, quote };
}
