/** Asks how thoroughly an assistant is to be examined, and draws the plan. */

import { api } from "../core/api.js";
import { openDialog } from "../core/dialog.js";
import { h, uid } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { toastError } from "../core/toast.js";
import { CAMPAIGNS, TIERS, tierWords } from "./words.js";

/** Leads to the page of the new campaign. @param {{name: string, title: string}} assistant */
export function planDialog(assistant) {
  const name = uid("tier");
  const choices = TIERS.map((tier) => {
    const words = tierWords(tier);
    return h(
      "label",
      { class: "tier card" },
      h("input", { type: "radio", name, value: tier, checked: tier === "standard" }),
      h(
        "span",
        { class: "grow" },
        h("span", { class: "strong" }, words.name),
        h("span", { class: "muted small" }, words.text),
      ),
    );
  });
  const draw = h("button", { type: "button", class: "button primary", onclick: make }, t("Show the plan"));
  const dialog = openDialog({
    title: t("Examine {title}", { title: assistant.title }),
    body: h(
      "div",
      { class: "stack", style: { "--gap": "var(--s3)" } },
      h(
        "p",
        {},
        t(
          "First you see what will be tried, what that can show and how long it takes. Nothing is asked before you start it.",
        ),
      ),
      h(
        "div",
        { class: "stack", style: { "--gap": "var(--s2)" }, role: "radiogroup", "aria-label": t("How thoroughly") },
        choices,
      ),
    ),
    actions: [draw],
  });

  async function make() {
    draw.disabled = true;
    const tier = choices.map((one) => one.querySelector("input")).find((one) => one.checked).value;
    try {
      const campaign = await api.post(CAMPAIGNS, { assistant: assistant.name, tier });
      location.assign(`/certification/campaigns/${encodeURIComponent(campaign.id)}`);
    } catch (error) {
      toastError(error);
      draw.disabled = false;
    }
  }
  return dialog;
}
