/**
 * Says things to screen readers without moving the focus. The two regions stand in the page from its start
 * (templates/base.html): a region that comes with its text is not read. A modal dialog has one of its own (dialog.js),
 * because nothing outside it is read while it is open.
 */

import { topDialog } from "./dom.js";

/** @param {string} text @param {{urgent?: boolean}} [options] urgent: interrupts what is being read */
export function announce(text, { urgent = false } = {}) {
  const inDialog = topDialog()?.querySelector(":scope > [data-live]");
  const region = inDialog ?? document.getElementById(urgent ? "live-urgent" : "live");
  if (!region || !text) return;
  const line = document.createElement("p");
  line.textContent = text;
  region.append(line);
  setTimeout(() => line.remove(), 4000);
}
