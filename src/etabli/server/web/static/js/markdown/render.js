/** Blocks of Markdown as nodes: one token of marked's lexer, one element. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { codeBlock } from "./code.js";
import { inlineNodes } from "./inline.js";
import { formulaNode } from "./math.js";

const DEEPEST = 16;
/** The page has the first level of headings, a turn of the conversation the second. */
const ABOVE = 2;

/**
 * @param {any} token a block token @param {import("./inline.js").Context} context its `headings` are updated
 * @param {number} [depth] how many blocks it lies in
 * @returns {HTMLElement|null} null for white space
 */
export function blockNode(token, context, depth = 0) {
  if (depth > DEEPEST) return h("p", null, token.raw);
  switch (token.type) {
    case "space":
      return null;
    case "heading":
      return heading(token, context);
    case "paragraph":
      return h("p", { dir: "auto" }, inlineNodes(token.tokens, context));
    case "text":
      return h("p", { dir: "auto" }, inlineNodes(token.tokens ?? [token], context));
    case "list":
      return list(token, context, depth);
    case "blockquote":
      return h("blockquote", null, blocks(token.tokens, context, depth));
    case "code":
      return codeBlock(token.text, token.lang ?? "");
    case "table":
      return table(token, context);
    case "hr":
      return h("hr");
    case "mathBlock":
      return h("p", { class: "formula", tabindex: "0" }, formulaNode(token.text, { display: true }));
    default:
      return h("p", { class: "as-written" }, token.text ?? token.raw);
  }
}

/** @param {any[]} tokens @param {import("./inline.js").Context} context @param {number} depth */
function blocks(tokens, context, depth) {
  return tokens.map((token) => blockNode(token, context, depth + 1));
}

function heading(token, context) {
  const { headings } = context;
  while (headings.length && headings.at(-1) >= token.depth) headings.pop();
  headings.push(token.depth);
  const level = Math.min(6, ABOVE + headings.length);
  return h(`h${level}`, { class: `heading-${token.depth}`, dir: "auto" }, inlineNodes(token.tokens, context));
}

function list(token, context, depth) {
  const tag = token.ordered ? "ol" : "ul";
  const start = token.ordered && token.start !== 1 && Number.isInteger(token.start) ? token.start : null;
  const items = token.items.map((item) => listItem(item, token.loose, context, depth));
  const tasks = token.items.length > 0 && token.items.every((item) => item.task);
  return h(tag, { start, class: [tasks && "tasks", token.loose && "loose"], dir: "auto" }, items);
}

function listItem(item, loose, context, depth) {
  const parts = item.tokens.map((token) => {
    if (token.type === "checkbox") return tick(token.checked);
    if (token.type === "text" && !loose) return inlineNodes(token.tokens ?? [token], context);
    if (token.type === "paragraph" && token.tokens?.[0]?.type === "checkbox") {
      const rest = { ...token, tokens: token.tokens.slice(1) };
      return [tick(token.tokens[0].checked), blockNode(rest, context, depth + 1)];
    }
    return blockNode(token, context, depth + 1);
  });
  return h("li", item.task && { class: "task" }, parts);
}

function tick(checked) {
  const label = checked ? t("Done") : t("To do");
  return h("input", { type: "checkbox", disabled: true, checked, "aria-label": label });
}

function table(token, context) {
  const cell = (tag, content, place) =>
    h(
      tag,
      { scope: tag === "th" ? "col" : null, class: token.align[place] && `align-${token.align[place]}`, dir: "auto" },
      inlineNodes(content.tokens, context),
    );
  return h(
    "div",
    { class: "table-scroll", tabindex: "0", role: "region", "aria-label": t("Table") },
    h(
      "table",
      null,
      h(
        "thead",
        null,
        h(
          "tr",
          null,
          token.header.map((one, place) => cell("th", one, place)),
        ),
      ),
      h(
        "tbody",
        null,
        token.rows.map((row) =>
          h(
            "tr",
            null,
            row.map((one, place) => cell("td", one, place)),
          ),
        ),
      ),
    ),
  );
}
