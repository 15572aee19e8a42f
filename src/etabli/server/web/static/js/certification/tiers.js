/** The choice how thoroughly something is examined. */

import { h, uid } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { TIERS, tierWords } from "./words.js";

/** @returns {{element: HTMLElement, value: () => string}} value: the tier that is chosen */
export function tierChoice() {
  const name = uid("tier");
  const inputs = TIERS.map((tier) => h("input", { type: "radio", name, value: tier, checked: tier === "standard" }));
  const choices = inputs.map((input) => {
    const words = tierWords(input.value);
    return h(
      "label",
      { class: "tier card" },
      input,
      h(
        "span",
        { class: "grow" },
        h("span", { class: "strong" }, words.name),
        h("span", { class: "muted small" }, words.text),
      ),
    );
  });
  const element = h(
    "div",
    { class: "stack", style: { "--gap": "var(--s2)" }, role: "radiogroup", "aria-label": t("How thoroughly") },
    choices,
  );
  return { element, value: () => inputs.find((one) => one.checked).value };
}
