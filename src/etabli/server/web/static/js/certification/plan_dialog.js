/** Asks how thoroughly an assistant is to be examined, and draws the plan. */

import { api } from "../core/api.js";
import { openDialog } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { toastError } from "../core/toast.js";
import { tierChoice } from "./tiers.js";
import { CAMPAIGNS } from "./words.js";

/** Leads to the page of the new campaign. @param {{name: string, title: string}} assistant */
export function planDialog(assistant) {
  const tier = tierChoice();
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
      tier.element,
    ),
    actions: [draw],
  });

  async function make() {
    draw.disabled = true;
    try {
      const campaign = await api.post(CAMPAIGNS, { assistant: assistant.name, tier: tier.value() });
      location.assign(`/certification/campaigns/${encodeURIComponent(campaign.id)}`);
    } catch (error) {
      toastError(error);
      draw.disabled = false;
    }
  }
  return dialog;
}
