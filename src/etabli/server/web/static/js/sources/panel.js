/**
 * A source in the panel beside a page: its quote, whether it supports the sentence, the viewer, and the way to the other
 * sources of the answer. Escape closes the panel and gives the focus back to what had it. It is loaded by
 * shell/beside.js, which says how to ask for it.
 */

import { h, icon, iconButton, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { loadSheet } from "../core/sheet.js";
import { currentPanel, openPanel } from "../shell/panel.js";
import { baseName } from "./kinds.js";
import { supportMark, supportMeaning, supportName } from "./support.js";
import "./viewer.js";

/**
 * @typedef {{document_id: number, version_id: number, page?: number|null, char_start?: number|null,
 *   char_end?: number|null, url?: string, quote?: string, number?: number, status?: string, title?: string|null,
 *   name?: string, citations?: Place[]}} Place
 */

/** @type {{panel: any, viewer: any, strip: HTMLElement, link: HTMLAnchorElement, opener: Element|null}|null} */
let open = null;

/** The page of a place. @param {Place} place */
function placeUrl(place) {
  if (place.url) return place.url;
  const page = place.page ? `?page=${place.page}` : "";
  const range = place.char_end > place.char_start ? `#char=${place.char_start},${place.char_end}` : "";
  return `/documents/${place.document_id}/versions/${place.version_id}${page}${range}`;
}

/** @param {Place} place @param {Element|null} opener what had the focus */
export async function showSource(place, opener) {
  await loadSheet("sources");
  if (!open || currentPanel() !== open.panel) start(place);
  if (!open.panel.element.contains(opener)) open.opener = opener;
  turnTo(place, place.citations ?? []);
  if (!open.panel.element.contains(document.activeElement)) {
    open.panel.element.querySelector("h2")?.focus({ preventScroll: true });
  }
}

function start(place) {
  const strip = h("div", { class: "source-strip" });
  const viewer = h("etabli-source-viewer", {
    "onetabli:source-shown": ({ detail: { source } }) =>
      open?.viewer === viewer && open.panel.setTitle(source.version.title || baseName(source.version.name)),
  });
  const link = h(
    "a",
    {
      class: "icon-button", target: "_blank", rel: "noopener", href: placeUrl(place),
      "aria-label": t("Open in a new tab"), dataset: { tip: t("Open in a new tab") },
    },
    icon("external-link"),
  );
  const content = h("div", { class: "source-panel" }, strip, viewer);
  const panel = openPanel({
    title: titleOf(place),
    content,
    actions: [link],
    onClose: () => {
      const { opener } = open ?? {};
      open = null;
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus({ preventScroll: true });
      document.dispatchEvent(new CustomEvent("etabli:source-closed"));
    },
  });
  open = { panel, viewer, strip, link, opener: null };
}

function turnTo(place, citations) {
  open.panel.setTitle(titleOf(place));
  open.link.href = placeUrl(place);
  drawStrip(place, citations);
  open.viewer.open(place);
  document.dispatchEvent(new CustomEvent("etabli:source-turned", { detail: place }));
}

function titleOf(place) {
  return place.title || (place.name ? baseName(place.name) : t("Source"));
}

/** The quote, whether the sentence stands in it, and the way to the answer's other sources. */
function drawStrip(place, citations) {
  const at = citations.findIndex((one) => samePlace(one, place));
  const several = citations.length > 1 && at >= 0;
  open.strip.hidden = !place.quote && !several;
  const step = (way) => {
    const next = citations[(at + way + citations.length) % citations.length];
    turnTo(next, citations);
    const label = way > 0 ? "next" : "previous";
    open.strip.querySelector(`[data-step="${label}"]`)?.focus();
  };
  replace(
    open.strip,
    h(
      "div",
      { class: "source-quote" },
      place.number != null && h("span", { class: "source-number numbers" }, String(place.number)),
      h(
        "div",
        { class: "grow" },
        place.quote && h("blockquote", {}, h("p", {}, t("“{quote}”", { quote: place.quote.trim() }))),
        drawStatus(place.status),
      ),
    ),
    several &&
      h(
        "div",
        { class: "source-steps", role: "group", "aria-label": t("Sources of the answer") },
        iconButton("chevron-left", t("Previous source"), { class: "small", dataset: { step: "previous", tip: t("Previous source") }, onclick: () => step(-1) }),
        h("span", { class: "muted tiny numbers" }, t("{number} of {total}", { number: at + 1, total: citations.length })),
        iconButton("chevron-right", t("Next source"), { class: "small", dataset: { step: "next", tip: t("Next source") }, onclick: () => step(1) }),
      ),
  );
}

function drawStatus(status) {
  if (!supportName(status)) return null;
  return h(
    "div",
    { class: "source-status", dataset: { status } },
    h("p", { class: "source-support" }, supportMark(status), supportName(status)),
    h("p", { class: "muted tiny" }, supportMeaning(status)),
  );
}

function samePlace(one, other) {
  return (
    one === other ||
    ["document_id", "version_id", "char_start", "char_end", "number"].every((name) => one[name] === other[name])
  );
}
