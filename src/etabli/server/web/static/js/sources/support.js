/**
 * How far a source supports a sentence: what a program compared, and so what can be said of it. Whether an answer is
 * right is more than that, and every explanation says so. The API's words are `verified`, `weak` and `unsupported`.
 */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";

/** From the best to the least. */
export const STATUSES = ["verified", "weak", "unsupported"];

/** What a status is called. @param {string} status */
export function supportName(status) {
  return { verified: t("In the source"), weak: t("Close to the source"), unsupported: t("Not in the source") }[status] ?? "";
}

/** What a status says of a sentence, and what it does not say. @param {string} status */
export function supportMeaning(status) {
  return (
    {
      verified: t(
        "The words and figures of the sentence stand in this passage. Whether they answer your question is for you to judge.",
      ),
      weak: t("The passage says something near, or only a part of it. Compare both before you rely on it."),
      unsupported: t(
        "A figure or words of the sentence were not found in this passage. The sentence may be right, but this source does not show it.",
      ),
    }[status] ?? ""
  );
}

/** Its mark, a sign and not a colour alone. @param {string} status */
export function supportMark(status) {
  if (status === "verified") return icon("check", { class: "cite-mark" });
  const sign = { weak: "~", unsupported: "!" }[status];
  return sign && h("span", { class: "cite-mark", "aria-hidden": "true" }, sign);
}

/** All three, explained. */
export function supportLegend() {
  const rows = STATUSES.map((status) =>
    h(
      "div",
      { class: "support-row" },
      h("dt", { class: "support-name", dataset: { status } }, supportMark(status), supportName(status)),
      h("dd", { class: "muted small" }, supportMeaning(status)),
    ),
  );
  return h("dl", { class: "support-legend" }, rows);
}
