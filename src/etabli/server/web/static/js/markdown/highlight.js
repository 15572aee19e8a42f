/** Colours for code: Prism's tokens as spans. Loaded with the first block of code. */

import { Prism } from "../../vendor/prism-1.30.0.js";

/** Longer code is shown without colours. */
const LONGEST = 30_000;
// prettier-ignore
const SAME = {
  sh: "bash", zsh: "bash", console: "bash", "c++": "cpp", "c#": "csharp", rs: "rust", ps1: "powershell", jsx: "javascript",
  tsx: "typescript", jsonc: "json", json5: "json", postgresql: "sql", pgsql: "sql", h: "c", hpp: "cpp",
};

/**
 * @param {string} text @param {string} language as written behind the fence
 * @returns {Node[]|null} null where the language is not known or the text is too long
 */
export function highlighted(text, language) {
  const name = Object.hasOwn(SAME, language) ? SAME[language] : language;
  const grammar = Object.hasOwn(Prism.languages, name) ? Prism.languages[name] : null;
  if (grammar === null || typeof grammar !== "object" || text.length > LONGEST) return null;
  return [Prism.tokenize(text, grammar)].flat(Infinity).map(node);
}

function node(token) {
  if (typeof token === "string") return document.createTextNode(token);
  const span = document.createElement("span");
  span.className = `code-${token.type}`;
  span.append(...[token.content].flat(Infinity).map(node));
  return span;
}
