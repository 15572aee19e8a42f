/** A text with the words marked that another text does not have in that place. */

import { diffLines } from "../assistants/diff.js";
import { h } from "../core/dom.js";

const BREAK = "\u2028";

/**
 * @param {string} text that is shown @param {string} other that it is compared with
 * @returns {{nodes: (string|HTMLElement)[], marked: number, missing: number}} marked: how many words are not in the other;
 *   missing: how many of the other are not in this one
 */
export function markedWords(text, other) {
  const all = diffLines(lineOfWords(other), lineOfWords(text));
  const missing = all.filter((row) => row.kind === "removed" && row.text !== BREAK).length;
  const rows = all.filter((row) => row.kind !== "removed");
  const nodes = [];
  let marked = 0;
  let run = [];
  let kind = "same";
  const flush = () => {
    if (!run.length) return;
    const said = run.join(" ").replaceAll(` ${BREAK} `, "\n").replaceAll(`${BREAK} `, "\n").replaceAll(` ${BREAK}`, "\n").replaceAll(BREAK, "\n");
    const before = nodes.length && !String(nodes.at(-1).textContent ?? nodes.at(-1)).endsWith("\n") && !said.startsWith("\n") ? " " : "";
    if (before) nodes.push(before);
    nodes.push(kind === "added" ? h("mark", { class: "differs" }, said) : said);
    run = [];
  };
  for (const row of rows) {
    if (row.kind !== kind) flush();
    kind = row.kind;
    run.push(row.text);
    if (kind === "added" && row.text !== BREAK) marked += 1;
  }
  flush();
  return { nodes, marked, missing };
}

/** One word a line; an end of line is a word of its own. */
function lineOfWords(text) {
  return text
    .trim()
    .split("\n")
    .map((line) => line.split(/[ \t\u00a0\u202f]+/).filter(Boolean).join("\n"))
    .join(`\n${BREAK}\n`);
}
