/**
 * Text as Markdown means it: character references, and addresses that may be opened. Everything here gives strings that
 * become text nodes; nothing gives markup.
 */

// prettier-ignore
const NAMED = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", ensp: "\u2002", emsp: "\u2003", thinsp: "\u2009",
  hellip: "…", ndash: "–", mdash: "—", lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»",
  bull: "•", middot: "·", times: "×", divide: "÷", plusmn: "±", deg: "°", euro: "€", pound: "£", yen: "¥", cent: "¢",
  copy: "©", reg: "®", trade: "™", sect: "§", para: "¶", micro: "µ", frac12: "½", frac14: "¼", frac34: "¾",
  larr: "←", rarr: "→", uarr: "↑", darr: "↓", le: "≤", ge: "≥", ne: "≠", asymp: "≈", infin: "∞",
  agrave: "à", acirc: "â", ccedil: "ç", egrave: "è", eacute: "é", ecirc: "ê", euml: "ë", icirc: "î", iuml: "ï",
  ocirc: "ô", ugrave: "ù", ucirc: "û", uuml: "ü", oelig: "œ", aelig: "æ", Agrave: "À", Eacute: "É", Egrave: "È",
  Ccedil: "Ç",
};
const OPENED = new Set(["http:", "https:", "mailto:"]);

/**
 * Character references (`&eacute;`, `&#233;`, `&#xE9;`) as characters; unknown names stay as they are.
 * @param {string} text
 */
export function decodeReferences(text) {
  if (!text.includes("&")) return text;
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z][a-z0-9]{1,30}));/gi, (all, hex, decimal, name) => {
    if (name) return Object.hasOwn(NAMED, name) ? NAMED[name] : all;
    const point = hex ? parseInt(hex, 16) : parseInt(decimal, 10);
    const unusable = point === 0 || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff);
    return unusable ? "\ufffd" : String.fromCodePoint(point);
  });
}

/**
 * The address of a link, whole and in ASCII, or null when it is none that a click may open.
 * @param {string} written as the text has it @param {{literal?: boolean}} [options] literal: without references
 * @returns {string|null}
 */
export function openedAddress(written, { literal = false } = {}) {
  const text = (literal ? written : decodeReferences(written)).trim();
  try {
    // Without a base: a relative address has no place to lead to.
    const url = new URL(text);
    return OPENED.has(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}
