/**
 * Opens sources in the panel beside a page. Import it once; then anybody may dispatch on `document`
 *
 *   new CustomEvent("etabli:open-source", {detail: {document_id, version_id, page?, char_start?, char_end?, url?,
 *     quote?, number?, status?, title?, name?, citations?}})
 *
 * `citations`: all of an answer, in the same shape, to step through. Escape closes the panel and gives the focus back to
 * what had it. The viewer is loaded when a source is opened for the first time.
 */

import { h, icon, iconButton, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { toastError } from "../core/toast.js";
import { currentPanel, openPanel } from "../shell/panel.js";
import { baseName } from "./kinds.js";
import { loadSheet } from "./sheet.js";

/**
 * @typedef {{document_id: number, version_id: number, page?: number|null, char_start?: number|null,
 *   char_end?: number|null, url?: string, quote?: string, number?: number, status?: string, title?: string|null,
 *   name?: string, citations?: Place[]}} Place
 */

/** @type {{panel: any, viewer: any, strip: HTMLElement, link: HTMLAnchorElement, opener: Element|null}|null} */
let open = null;

/** The page of a place. @param {Place} place */
export function placeUrl(place) {
  if (place.url) return place.url;
  const page = place.page ? `?page=${place.page}` : "";
  const range = place.char_end > place.char_start ? `#char=${place.char_start},${place.char_end}` : "";
  return `/documents/${place.document_id}/versions/${place.version_id}${page}${range}`;
}

/** Ask for a source; whoever listens shows it. @param {Place} place */
export function openSource(place) {
  document.dispatchEvent(new CustomEvent("etabli:open-source", { detail: place }));
}

document.addEventListener("etabli:open-source", (event) => show(event.detail));

/** @param {Place} place */
async function show(place) {
  const opener = document.activeElement;
  try {
    await Promise.all([import("./viewer.js"), loadSheet()]);
  } catch (error) {
    toastError(error);
    return;
  }
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

/** The quote, how well it is supported, and the way to the answer's other sources. */
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
  const shown = {
    verified: ["shield-check", "verified", t("Checked against the source")],
    weak: ["shield-question-mark", "weak", t("The source says this only in part")],
    unsupported: ["shield-alert", "unsupported", t("The source does not say this")],
  }[status];
  return shown && h("p", { class: `source-status ${shown[1]}` }, icon(shown[0], { class: "small" }), shown[2]);
}

function samePlace(one, other) {
  return (
    one === other ||
    ["document_id", "version_id", "char_start", "char_end", "number"].every((name) => one[name] === other[name])
  );
}
