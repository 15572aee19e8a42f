/**
 * The label of a button with only an icon, for eyes: any element with `data-tip="…"`. Screen readers have its aria-label.
 * Shown after a moment of hovering or at keyboard focus; Escape hides it. Import once (the shell does).
 */

import { h } from "./dom.js";
import { placeBeside } from "./menu.js";

const WAIT_MS = 450;
let shown = null;
let timer = 0;

function show(anchor) {
  hide();
  if (!anchor.isConnected || anchor.getAttribute("aria-expanded") === "true") return;
  const element = h("div", { class: "tooltip", popover: "manual", "aria-hidden": "true" }, anchor.dataset.tip);
  (anchor.closest("dialog") ?? document.body).append(element);
  element.showPopover();
  placeBeside(anchor, element, "center");
  shown = element;
}

function hide() {
  clearTimeout(timer);
  shown?.remove();
  shown = null;
}

function tipOf(event) {
  return event.target instanceof Element ? event.target.closest("[data-tip]") : null;
}

document.addEventListener("pointerover", (event) => {
  const anchor = tipOf(event);
  hide();
  if (anchor && event.pointerType === "mouse") timer = setTimeout(() => show(anchor), WAIT_MS);
});
document.addEventListener("pointerdown", hide, true);
document.addEventListener("scroll", hide, true);
document.addEventListener("focusin", (event) => {
  const anchor = tipOf(event);
  hide();
  if (anchor?.matches(":focus-visible")) timer = setTimeout(() => show(anchor), WAIT_MS);
});
document.addEventListener("focusout", hide);
document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
