/** Words of a block: marked's inline tokens as nodes. */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { formulaNode } from "./math.js";
import { decodeReferences, openedAddress } from "./text.js";

const DEEPEST = 30;
const CITATION = /\[(\d{1,3})\]/g;
const BREAK = /<br\s*\/?>/gi;

/**
 * @typedef {{citations: boolean, headings: number[], inLink?: boolean}} Context citations: whether `[n]` names a source;
 *   headings: depths of the headings that the next one stands under
 */

/**
 * @param {any[]} tokens @param {Context} context @param {number} [depth]
 * @returns {(Node|string)[]}
 */
export function inlineNodes(tokens, context, depth = 0) {
  if (depth > DEEPEST) return [tokens.map((token) => token.raw).join("")];
  return tokens.flatMap((token) => inlineNode(token, context, depth + 1));
}

function inlineNode(token, context, depth) {
  const inside = (more = context) => inlineNodes(token.tokens ?? [], more, depth);
  switch (token.type) {
    case "text":
      return token.tokens ? inside() : words(token.text, context);
    case "escape":
      return token.text;
    case "strong":
      return h("strong", null, inside());
    case "em":
      return h("em", null, inside());
    case "del":
      return h("del", null, inside());
    case "codespan":
      return h("code", null, token.text);
    case "br":
      return h("br");
    case "link":
      return context.inLink ? inside() : link(token, inside({ ...context, inLink: true }));
    case "image":
      return picture(token, context);
    case "math":
      return formulaNode(token.text, { display: token.display });
    default:
      return token.raw;
  }
}

/** Text with its line breaks written as tags (tables have no other) and its citations. */
function words(text, context) {
  return text.split(BREAK).flatMap((part, place) => {
    const shown = citations(decodeReferences(part), context);
    return place === 0 ? shown : [h("br"), ...shown];
  });
}

function citations(text, context) {
  if (!context.citations || context.inLink || !text.includes("[")) return [text];
  const nodes = [];
  let from = 0;
  for (const match of text.matchAll(CITATION)) {
    // No space before a raised number, and no line that begins with one.
    nodes.push(text.slice(from, match.index).trimEnd(), "\u2060", citation(Number(match[1])));
    from = match.index + match[0].length;
  }
  return [...nodes, text.slice(from)];
}

/** The number of a source, until its annotation says how well it supports the sentence: js/chat/citations.js. */
function citation(number) {
  const label = t("Source {number}", { number });
  return h("button", { class: "cite", type: "button", dataset: { number }, "aria-label": label }, String(number));
}

/**
 * A link has no `href`: browsers look up the hosts of addresses that stand in a page, and a name can carry what a model
 * was tricked into giving away. Its click asks first: js/markdown/links.js.
 */
function link(token, label) {
  const address = openedAddress(token.href, { literal: token.autolink });
  if (address === null) return h("span", { class: "no-link" }, label.length ? label : token.raw);
  return h(
    "span",
    { class: "link", role: "link", tabindex: "0", dataset: { address }, title: address },
    label.some((part) => typeof part !== "string" || part.trim()) ? label : address,
  );
}

/** A picture is never loaded: its address could tell whom it is shown to, and what was asked. */
function picture(token, context) {
  const name = decodeReferences(token.text ?? "").trim() || t("Picture");
  const address = context.inLink ? null : openedAddress(token.href ?? "");
  const content = [icon("image", { class: "small" }), name];
  if (address === null) return h("span", { class: "no-picture" }, content);
  const title = t("The picture is not loaded. {address}", { address });
  return h("span", { class: "link no-picture", role: "link", tabindex: "0", dataset: { address }, title }, content);
}
