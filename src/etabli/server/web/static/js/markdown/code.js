/** A block of code: its language, a button that copies it, and colours that come when it is whole. */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";

// prettier-ignore
const NAMES = {
  js: "JavaScript", javascript: "JavaScript", ts: "TypeScript", typescript: "TypeScript", py: "Python", python: "Python",
  sh: "Shell", bash: "Shell", shell: "Shell", zsh: "Shell", console: "Shell", html: "HTML", xml: "XML", css: "CSS",
  json: "JSON", yaml: "YAML", yml: "YAML", toml: "TOML", ini: "INI", sql: "SQL", java: "Java", c: "C", cpp: "C++",
  "c++": "C++", csharp: "C#", cs: "C#", "c#": "C#", go: "Go", rust: "Rust", rs: "Rust", ruby: "Ruby", rb: "Ruby", r: "R",
  diff: "Diff", docker: "Dockerfile", dockerfile: "Dockerfile", powershell: "PowerShell", ps1: "PowerShell",
  kotlin: "Kotlin", swift: "Swift", latex: "LaTeX", tex: "LaTeX", markdown: "Markdown", md: "Markdown", csv: "CSV",
};

/** @param {string} text @param {string} info what stands behind the fence */
export function codeBlock(text, info) {
  const word = info
    .trim()
    .split(/[\s{,:]/, 1)[0]
    .slice(0, 24);
  const language = word.toLowerCase();
  const name = Object.hasOwn(NAMES, language) ? NAMES[language] : word;
  const label = name ? t("Code in {language}", { language: name }) : t("Code");
  return h(
    "figure",
    { class: "code" },
    h(
      "figcaption",
      { class: "code-head" },
      h("span", { class: "grow truncate" }, name || t("Code")),
      h(
        "button",
        { class: "button quiet small copy-code", type: "button" },
        icon("copy", { class: "small" }),
        t("Copy"),
      ),
    ),
    h("pre", { tabindex: "0", role: "region", "aria-label": label }, h("code", { dataset: { language } }, text)),
  );
}

/** Colour the code of a block that is whole. The highlighter is loaded with the first one. @param {HTMLElement} block */
export async function colour(block) {
  const elements = block.matches("figure.code") ? [block] : [...block.querySelectorAll("figure.code")];
  for (const element of elements) {
    const code = element.querySelector("code");
    if (!code?.dataset.language || code.dataset.coloured) continue;
    code.dataset.coloured = "yes";
    const { highlighted } = await import("./highlight.js");
    const nodes = highlighted(code.textContent, code.dataset.language);
    if (nodes) code.replaceChildren(...nodes);
  }
}
