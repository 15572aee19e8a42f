/**
 * Markdown into tokens, by marked's lexer alone (its renderer, which writes HTML, is never called). HTML is no syntax
 * here: tags stay text. Neither are definitions of references: a link shows where it stands what it leads to.
 *
 * Formulas are added: `$…$`, `\(…\)` in a line; `$$…$$`, `\[…\]` as blocks.
 */

import { Marked } from "../../vendor/marked-18.2.1.js";

/** A single block longer than this is shown as it is written: nobody reads it, and parsing it could hold the page up. */
const LONGEST_BLOCK = 100_000;

const nothing = () => undefined;
/** Runs of marks that no text has, and that take a parser longer than the square of their number. */
const MONSTROUS = /(?:[[<*_`~$|!(&][ \t]?){400}|^[ \t]*(?:>[ \t]?|(?:[-*+]|\d{1,9}[.)])[ \t]){30}/m;
// Each is bounded, so that many openings without an end cost little.
const INLINE_MATH = [
  /^\$\$(?!\$)((?:\\[^]|[^\\$]){1,1000}?)\$\$/,
  // As Pandoc has it: prices (“5 $ et 10 $”, “$5 and $10”) are no formulas.
  /^\$(?![\s$])((?:\\[^\n]|[^\\$\n]){0,600}?[^\s\\$])\$(?!\d)/,
  /^\\\(((?:[^\\\n]|\\[^)\n]){1,600}?)\\\)/,
];
const BLOCK_MATH = [
  /^ {0,3}\$\$[ \t]*\n?((?:\\[^]|[^\\$]){1,1500}?)\n?[ \t]*\$\$[ \t]*(?:\n+|$)/,
  /^ {0,3}\\\[[ \t]*\n?((?:[^\\]|\\[^\]]){1,1500}?)\n?[ \t]*\\\][ \t]*(?:\n+|$)/,
];

const inlineMath = {
  name: "math",
  level: "inline",
  start: (source) => earliest(source.indexOf("$"), source.indexOf("\\(")),
  tokenizer: (source) => formula(source, INLINE_MATH, "math"),
};
const blockMath = {
  name: "mathBlock",
  level: "block",
  start: (source) => earliest(afterLine(source, "$$"), afterLine(source, "\\[")),
  tokenizer: (source) => formula(source, BLOCK_MATH, "mathBlock"),
};

const marked = new Marked({
  gfm: true,
  breaks: true,
  tokenizer: { html: nothing, tag: nothing, def: nothing },
  extensions: [inlineMath, blockMath],
});

/**
 * @param {string} text @returns {any[]} marked's block tokens; what cannot be parsed is one token of type `plain`
 */
export function lex(text) {
  if (text.length > LONGEST_BLOCK && !text.slice(0, LONGEST_BLOCK).includes("\n\n")) return plain(text);
  if (MONSTROUS.test(text)) return plain(text);
  try {
    return marked.lexer(text);
  } catch (error) {
    reportError(error); // too deeply nested, for instance
    return plain(text);
  }
}

/** @param {string} text of one block, such as a table's cell @returns {any[]} inline tokens */
export function lexInline(text) {
  try {
    return marked.Lexer.lexInline(text, marked.defaults);
  } catch {
    return [{ type: "text", raw: text, text }];
  }
}

function plain(text) {
  return [{ type: "plain", raw: text, text }];
}

function formula(source, patterns, type) {
  for (const pattern of patterns) {
    const match = pattern.exec(source);
    if (match) return { type, raw: match[0], text: match[1].trim(), display: match[0].trimStart().startsWith("$$") };
  }
  return undefined;
}

function earliest(...places) {
  const found = places.filter((place) => place >= 0);
  return found.length ? Math.min(...found) : undefined;
}

function afterLine(source, opening) {
  const place = source.indexOf(`\n${opening}`);
  return place < 0 ? place : place + 1;
}
