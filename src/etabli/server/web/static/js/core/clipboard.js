/** The clipboard, and the sign on a button that something was done. */

import { icon, replace } from "./dom.js";
import { t } from "./i18n.js";
import { announce } from "./live.js";
import { toast } from "./toast.js";

/** Put text on the clipboard and say so. @param {string} text @param {string} [done] */
export async function copyText(text, done = t("Copied")) {
  try {
    await navigator.clipboard.writeText(text);
    announce(done);
    return true;
  } catch {
    toast(t("The browser does not let this page copy. Select the text and copy it by keyboard."), { kind: "error" });
    return false;
  }
}

/** Show on a button, for a moment, that it was done. @param {HTMLElement} button @param {string} [label] */
export function showDone(button, label) {
  const before = [...button.childNodes];
  const mark = icon("check", { class: button.classList.contains("icon-button") ? "" : "small" });
  replace(button, mark, label);
  setTimeout(() => button.replaceChildren(...before), 1600);
}
