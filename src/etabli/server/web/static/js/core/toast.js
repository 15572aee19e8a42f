/**
 * Short messages at the bottom that go by themselves. The time stops while a pointer or the focus is on one; a message
 * with an action (“Undo”) stays longer, and the action can be reached by keyboard (F6 goes to the newest).
 */

import { h, iconButton, topDialog } from "./dom.js";
import { t } from "./i18n.js";
import { announce } from "./live.js";

const SHORT_MS = 5000;
const LONG_MS = 10_000;
let region = null;

/**
 * @param {string} text
 * @param {{action?: string, onAction?: () => void, onGone?: () => void, kind?: "info"|"error", duration_ms?: number}}
 *   [options] onGone: called once when it goes without its action
 * @returns {{close: () => void}}
 */
export function toast(text, { action, onAction, onGone, kind = "info", duration_ms } = {}) {
  const total = duration_ms ?? (action || kind === "error" ? LONG_MS : SHORT_MS);
  let left = total;
  let since = 0;
  let timer = 0;
  let over = false;

  const element = h(
    "div",
    { class: `toast ${kind}` },
    h("span", { class: "grow" }, text),
    action && h("button", { class: "button small", type: "button", onclick: () => end(onAction) }, action),
    iconButton("x", t("Close"), { class: "small", onclick: () => end(onGone) }),
  );
  const end = (act) => {
    if (over) return;
    over = true;
    clearTimeout(timer);
    element.remove();
    if (!region.childElementCount) region.hidePopover();
    act?.();
  };
  const stop = () => {
    clearTimeout(timer);
    left = Math.max(1500, left - (performance.now() - since));
  };
  const run = () => {
    since = performance.now();
    clearTimeout(timer);
    timer = setTimeout(() => end(onGone), left);
  };
  element.addEventListener("pointerenter", stop);
  element.addEventListener("pointerleave", run);
  element.addEventListener("focusin", stop);
  element.addEventListener("focusout", run);
  element.addEventListener("keydown", (event) => event.key === "Escape" && end(onGone));

  show(element);
  announce(action ? `${text} ${t("{action}: press F6.", { action })}` : text, { urgent: kind === "error" });
  run();
  return { close: () => end(null) };
}

/** A failure, in the words of its error. Aborted work says nothing. @param {any} error */
export function toastError(error) {
  if (error?.name === "AbortError") return;
  toast(error?.message || t("Something went wrong."), { kind: "error" });
}

function show(element) {
  if (!region) {
    region = h("section", { class: "toasts", popover: "manual", "aria-label": t("Messages") });
    document.addEventListener("keydown", (event) => {
      if (event.key !== "F6" || !region.childElementCount) return;
      event.preventDefault();
      region.lastElementChild.querySelector("button")?.focus();
    });
  }
  region.append(element);
  // What lies outside a modal dialog cannot be pressed, so the messages go into it, and come out when it closes.
  const host = topDialog() ?? document.body;
  if (region.parentElement !== host) {
    host.append(region);
    if (host !== document.body) host.addEventListener("close", comeOut, { once: true });
  }
  if (!region.matches(":popover-open")) region.showPopover();
}

function comeOut() {
  document.body.append(region);
  if (region.childElementCount) region.showPopover();
}
