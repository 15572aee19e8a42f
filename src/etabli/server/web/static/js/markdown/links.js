/**
 * What a reader does inside rendered Markdown: open a link (after a question that shows the whole address), copy code.
 * One listener for all: `listen(element)` on anything that holds rendered Markdown.
 */

import { copyText, showDone } from "../core/clipboard.js";
import { confirmDialog } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { openedAddress } from "./text.js";

/** @param {HTMLElement} element */
export function listen(element) {
  element.addEventListener("click", (event) => {
    const link = event.target.closest?.(".link[data-address]");
    if (link && element.contains(link)) return void ask(link.dataset.address);
    const button = event.target.closest?.(".copy-code");
    if (button && element.contains(button)) copyCode(button);
  });
  element.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches?.(".link[data-address]")) return;
    event.preventDefault();
    ask(event.target.dataset.address);
  });
}

async function copyCode(button) {
  const code = button.closest("figure")?.querySelector("code");
  if (code && (await copyText(code.textContent))) showDone(button, t("Copied"));
}

async function ask(address) {
  const opened = openedAddress(address, { literal: true });
  if (opened === null) return;
  const { protocol, host } = new URL(opened);
  const mail = protocol === "mailto:";
  const place = opened.indexOf(host);
  const shown =
    mail || !host ? [opened] : [opened.slice(0, place), h("strong", null, host), opened.slice(place + host.length)];
  const sure = await confirmDialog({
    title: mail ? t("Write to this address?") : t("Open this address?"),
    text: h(
      "div",
      { class: "stack", style: { "--gap": "var(--s3)" } },
      h("p", null, t("It comes from the answer and leads out of Établi. Look at it before you open it.")),
      h("p", { class: "whole-address" }, shown),
    ),
    confirm: t("Open"),
  });
  if (sure) window.open(opened, "_blank", "noopener,noreferrer");
}
