/**
 * The panel at the right: a source, the trace of an answer. One content at a time; under 900 px it is a sheet over the
 * page, which cannot be reached meanwhile. Its edge is dragged, or moved with the arrow keys; Escape closes.
 *
 *   const panel = openPanel({title: t("Source"), content: node, actions: [button], onClose});  panel.close();
 */

import { h, iconButton, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { recall, remember } from "../core/storage.js";
import { cover, covers } from "./cover.js";

const LEAST = 320;
const STEP = 32;
let current = null;

/**
 * @param {{title: string, content: any, actions?: any, onClose?: () => void, focus?: boolean}} options actions: buttons
 *   for its bar; focus: move the focus to it (yes unless said)
 * @returns {{element: HTMLElement, body: HTMLElement, close: () => void, setTitle: (title: string) => void}}
 */
export function openPanel({ title, content, actions, onClose, focus = true }) {
  current?.close({ back: false });
  const element = document.getElementById("panel");
  const before = document.activeElement;
  const heading = h("h2", { id: "panel-title", class: "truncate", tabindex: "-1" }, title);
  const body = h("div", { class: "panel-body" }, content);
  replace(
    element,
    grip(element),
    h("div", { class: "panel-head" }, heading, actions, iconButton("x", t("Close the panel"), { onclick: () => close() })),
    body,
  );
  const width = recall("panel-width");
  if (width) setWidth(element, width);
  element.hidden = false;
  const keys = (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    event.preventDefault(); // elsewhere it would stop an answer
    close();
  };
  // A press on the text of a sheet leaves the focus nowhere.
  const keysOfNobody = (event) => event.target === document.body && covers("sheet") && keys(event);
  element.addEventListener("keydown", keys);
  document.addEventListener("keydown", keysOfNobody, true);
  cover("sheet", true);
  if (focus) heading.focus({ preventScroll: true });

  const panel = { element, body, close, setTitle: (text) => replace(heading, text) };
  current = panel;
  return panel;

  function close({ back = true } = {}) {
    if (current !== panel) return;
    current = null;
    element.removeEventListener("keydown", keys);
    document.removeEventListener("keydown", keysOfNobody, true);
    const hadFocus = element.contains(document.activeElement) || covers("sheet");
    element.hidden = true;
    cover("sheet", false);
    replace(element);
    if (back && hadFocus && before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    onClose?.();
  }
}

/** The open panel, or null. */
export function currentPanel() {
  return current;
}

function grip(element) {
  const handle = h("div", {
    class: "panel-grip", role: "separator", tabindex: "0", "aria-orientation": "vertical",
    "aria-label": t("Width of the panel"), "aria-controls": "panel", "aria-valuemin": String(LEAST),
    onpointerdown: (event) => {
      event.preventDefault();
      handle.setPointerCapture(event.pointerId);
      const right = element.getBoundingClientRect().right;
      handle.onpointermove = (moved) => setWidth(element, right - moved.clientX);
      handle.onpointerup = () => {
        handle.onpointermove = null;
        remember("panel-width", element.offsetWidth);
      };
    },
    onkeydown: (event) => {
      const step = { ArrowLeft: STEP, ArrowRight: -STEP }[event.key];
      if (!step) return;
      event.preventDefault();
      setWidth(element, element.offsetWidth + step);
      remember("panel-width", element.offsetWidth);
    },
  });
  queueMicrotask(() => handle.setAttribute("aria-valuenow", String(element.offsetWidth)));
  return handle;
}

function setWidth(element, pixels) {
  const most = Math.max(LEAST, innerWidth * 0.7);
  const width = Math.round(Math.max(LEAST, Math.min(pixels, most)));
  element.style.setProperty("--panel-width", `${width}px`);
  const handle = element.querySelector(".panel-grip");
  handle?.setAttribute("aria-valuenow", String(width));
  handle?.setAttribute("aria-valuemax", String(Math.round(most)));
}
