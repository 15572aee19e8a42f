/** Files dropped anywhere on an element. A veil says what will happen while they are held over it. */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";

/** @param {HTMLElement} element @param {(files: File[]) => void} onFiles */
export function dropZone(element, onFiles) {
  const veil = h(
    "div",
    { class: "drop-veil", hidden: true },
    icon("upload", { class: "large" }),
    h("p", null, t("Drop the documents here: this conversation will answer from them too.")),
  );
  element.append(veil);
  let inside = 0;
  const holdsFiles = (event) => event.dataTransfer?.types.includes("Files");
  element.addEventListener("dragenter", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    inside += 1;
    veil.hidden = false;
  });
  element.addEventListener("dragover", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  element.addEventListener("dragleave", (event) => {
    if (!holdsFiles(event)) return;
    inside = Math.max(0, inside - 1);
    veil.hidden = inside === 0;
  });
  element.addEventListener("drop", (event) => {
    if (!holdsFiles(event)) return;
    event.preventDefault();
    inside = 0;
    veil.hidden = true;
    const files = [...event.dataTransfer.files].filter((file) => file.size > 0 || file.type);
    if (files.length) onFiles(files);
  });
}
