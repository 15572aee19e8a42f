/**
 * Says things to screen readers without moving the focus. The two regions stand in the page from its start
 * (templates/base.html): a region that comes with its text is not read.
 */

/** @param {string} text @param {{urgent?: boolean}} [options] urgent: interrupts what is being read */
export function announce(text, { urgent = false } = {}) {
  const region = document.getElementById(urgent ? "live-urgent" : "live");
  if (!region || !text) return;
  const line = document.createElement("p");
  line.textContent = text;
  region.append(line);
  setTimeout(() => line.remove(), 4000);
}
