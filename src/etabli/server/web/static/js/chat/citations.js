/**
 * Sources in the text: each `[n]` is a small button that says, by a mark and not by colour alone, whether its sentence
 * stands in the source. Pointing at it or focusing it shows the quote; a press opens the source (`etabli:open-source`
 * on document; detail: document_id, version_id, page, char_start, char_end, url).
 */

import { h, icon, uid } from "../core/dom.js";
import { plural, t } from "../core/i18n.js";
import { placeBeside } from "../core/menu.js";
import { STATUSES, supportMark, supportMeaning, supportName } from "../sources/support.js";

const MARKER = /\[(\d{1,3})\]/g;
const SHOW_MS = 120;
const HIDE_MS = 220;
/** @type {WeakMap<Element, any>} */
const annotationOf = new WeakMap();
/** All of its answer, to step through. @type {WeakMap<any, any[]>} */
const companionsOf = new WeakMap();
let card = null;
let timer = 0;

/**
 * Give every `[n]` of a drawn answer its annotation; those that have none become text again.
 * @param {HTMLElement} element the Markdown, drawn @param {string} text the answer as the server has it
 * @param {any[]} annotations of the Responses API, with ours under `etabli`
 */
export function annotate(element, text, annotations) {
  for (const annotation of annotations) companionsOf.set(annotation, annotations);
  const places = ordered(text, annotations);
  const counts = new Map();
  const next = (number) => {
    const count = counts.get(number) ?? 0;
    counts.set(number, count + 1);
    return `${number}:${count}`;
  };
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node instanceof Element) {
      if (node.matches(".cite")) found.push([node, places.get(next(Number(node.dataset.number)))]);
    } else if (!node.parentElement.closest(".cite, .code-head")) {
      // Markers in code or in the words of a link are no sources, but they count.
      for (const match of node.data.matchAll(MARKER)) next(Number(match[1]));
    }
  }
  for (const [node, annotation] of found) {
    if (annotation) mark(node, annotation);
    else node.replaceWith(` [${node.dataset.number}]`);
  }
}

/** Which marker of the text each annotation ends with: “3:0” is the first [3]. Indices count code points. */
function ordered(text, annotations) {
  const ends = new Map();
  const counts = new Map();
  for (const match of text.matchAll(MARKER)) {
    const number = Number(match[1]);
    const count = counts.get(number) ?? 0;
    counts.set(number, count + 1);
    ends.set(match.index + match[0].length, `${number}:${count}`);
  }
  const units = codePointsToUnits(text);
  const places = new Map();
  for (const annotation of annotations) {
    const place = ends.get(units(annotation.end_index)) ?? `${annotation.etabli?.number}:0`;
    if (!places.has(place)) places.set(place, annotation);
  }
  return places;
}

function codePointsToUnits(text) {
  if (!/[\ud800-\udbff]/.test(text)) return (index) => index;
  const offsets = [0];
  for (const character of text) offsets.push(offsets.at(-1) + character.length);
  return (index) => offsets[index] ?? index;
}

function mark(node, annotation) {
  const whole = annotation.etabli ?? {};
  annotationOf.set(node, annotation);
  node.dataset.status = whole.status ?? "";
  node.replaceChildren(String(whole.number ?? node.dataset.number), supportMark(whole.status) || "");
  const words = { number: node.dataset.number, title: annotation.title ?? "", status: supportName(whole.status) };
  node.setAttribute("aria-label", t("Source {number}, {title}. {status}.", words));
}

/** Show quotes and open sources for everything inside. @param {HTMLElement} element */
export function listenToCitations(element) {
  const citeOf = (event) => {
    const node = event.target instanceof Element ? event.target.closest(".cite") : null;
    return node && annotationOf.has(node) ? node : null;
  };
  element.addEventListener("pointerover", (event) => {
    const node = event.pointerType === "mouse" && citeOf(event);
    if (node) later(SHOW_MS, () => showCard(node));
  });
  element.addEventListener("pointerout", (event) => citeOf(event) && later(HIDE_MS, hideCard));
  element.addEventListener("focusin", (event) => {
    const node = citeOf(event);
    if (node?.matches(":focus-visible")) later(0, () => showCard(node));
  });
  element.addEventListener("focusout", (event) => citeOf(event) && later(0, hideCard));
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !card) return;
    event.stopPropagation();
    hideCard();
  });
  element.addEventListener("click", (event) => {
    const node = citeOf(event);
    if (!node) return;
    hideCard();
    openSource(annotationOf.get(node));
  });
}

/** Ask for a source to be shown. @param {any} annotation */
export function openSource(annotation) {
  const place = placeOf(annotation);
  if (!place.version_id) return;
  const citations = (companionsOf.get(annotation) ?? []).map(placeOf).filter((one) => one.version_id);
  document.dispatchEvent(new CustomEvent("etabli:open-source", { detail: { ...place, citations } }));
}

function placeOf({ url, title, etabli }) {
  const { document_id, version_id, page, char_start, char_end, quote, number, status, reason } = etabli ?? {};
  const name = etabli?.document_name;
  return { document_id, version_id, page, char_start, char_end, url, title, name, quote, number, status, reason };
}

/**
 * The sources of an answer, each once. @param {any[]} annotations @returns {HTMLElement|null}
 */
export function sourceList(annotations) {
  const sources = new Map();
  for (const annotation of annotations) {
    const { number, status } = annotation.etabli ?? {};
    if (number === undefined) continue;
    const known = sources.get(number);
    if (!known || STATUSES.indexOf(status) > STATUSES.indexOf(known.etabli.status)) sources.set(number, annotation);
  }
  if (!sources.size) return null;
  const heading = uid("sources");
  const rows = [...sources.values()].sort((one, other) => one.etabli.number - other.etabli.number).map(sourceRow);
  return h(
    "div",
    { class: "cited", role: "group", "aria-labelledby": heading },
    h("h3", { class: "cited-title", id: heading }, plural(sources.size, "{count} source", "{count} sources")),
    h("ol", { class: "cited-rows", role: "list" }, rows),
  );
}

function sourceRow(annotation) {
  const { number, status, page, version_id } = annotation.etabli;
  return h(
    "li",
    null,
    h(
      "button",
      {
        class: "cited-row",
        type: "button",
        disabled: !version_id,
        dataset: { status, tip: supportMeaning(status) || null },
        onclick: () => openSource(annotation),
      },
      h("span", { class: "cited-number" }, String(number)),
      h("span", { class: "truncate" }, annotation.title),
      page && h("span", { class: "muted numbers cited-at" }, t("p. {page}", { page })),
      h(
        "span",
        { class: "cited-status" },
        supportMark(status),
        h("span", { class: "visually-hidden" }, supportName(status)),
      ),
    ),
  );
}

function later(wait, act) {
  clearTimeout(timer);
  timer = setTimeout(act, wait);
}

function showCard(node) {
  if (card?.node === node) return;
  hideCard();
  if (!node.isConnected) return;
  const annotation = annotationOf.get(node);
  const element = drawCard(annotation);
  document.body.append(element);
  element.showPopover();
  placeBeside(node, element, "center");
  node.setAttribute("aria-describedby", element.id);
  const scrolled = () => hideCard();
  addEventListener("scroll", scrolled, { capture: true, once: true });
  card = { node, element, scrolled };
}

function hideCard() {
  clearTimeout(timer);
  if (!card) return;
  removeEventListener("scroll", card.scrolled, { capture: true });
  card.node.removeAttribute("aria-describedby");
  card.element.remove();
  card = null;
}

function drawCard(annotation) {
  const { status, quote, page, reason } = annotation.etabli ?? {};
  return h(
    "div",
    {
      class: "popover cite-card",
      popover: "manual",
      role: "tooltip",
      id: uid("cite-card"),
      dataset: { status },
      onpointerenter: () => clearTimeout(timer),
      onpointerleave: () => later(HIDE_MS, hideCard),
    },
    h("p", { class: "cite-status" }, supportMark(status), supportName(status)),
    quote && h("blockquote", { class: "cite-quote", dir: "auto" }, shortened(quote)),
    h(
      "p",
      { class: "cite-place" },
      icon("file-text", { class: "small" }),
      h("span", { class: "truncate" }, annotation.title),
      page && h("span", { class: "muted numbers" }, t("p. {page}", { page })),
    ),
    reason && h("p", { class: "cite-reason" }, reason),
    h("p", { class: "cite-meaning" }, supportMeaning(status)),
  );
}

function shortened(text) {
  const clean = text.replace(/\s+/g, " ").trim();
  return clean.length > 420 ? `${clean.slice(0, 400).trimEnd()}…` : clean;
}
