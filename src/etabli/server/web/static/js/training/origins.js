/** Where examples come from, for those who have none yet. */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";

const ROW = '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}';

/** @returns {HTMLElement} */
export function origins() {
  const item = (text, command) => h("li", {}, text, " ", h("code", {}, command));
  return h(
    "details",
    { class: "origins small" },
    h("summary", {}, t("Where do examples come from?")),
    h(
      "ul",
      {},
      item(t("Written by hand, or exported from what you already have. One line of the file:"), ROW),
      item(t("From the thumbs that people gave:"), "etabli data feedback exemples.jsonl"),
      item(t("Proposed from your documents, for you to look through:"), "etabli data generate assistant exemples.jsonl"),
    ),
    h("p", { class: "muted" }, t("Fifty good ones are a beginning, some hundreds show. An example that is wrong teaches what is wrong.")),
  );
}
