/** The adapters that may answer, for the page of models. Nothing is drawn where there is none. */

import { api } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { ADAPTERS, adapterTitle, jobPage } from "./words.js";

/** @returns {HTMLElement} that fills itself */
export function adaptersShelf() {
  const element = h("section", { class: "models-section", hidden: true });
  fill(element);
  return element;
}

async function fill(element) {
  let approved;
  try {
    approved = (await api.get(ADAPTERS)).data.filter((one) => one.state === "approved");
  } catch {
    return; // for the owner only
  }
  element.hidden = approved.length === 0;
  replace(
    element,
    h("h2", {}, t("Adapters that may answer")),
    h(
      "ul",
      { class: "model-grid", role: "list" },
      approved.map((one) =>
        h(
          "li",
          { class: "card model-card", dataset: { adapter: one.name } },
          h(
            "div",
            { class: "model-head" },
            h("div", { class: "grow" }, h("h3", {}, h("a", { href: jobPage(one.job) }, adapterTitle(one.name))), h("p", { class: "tiny muted model-by" }, one.name)),
            one.loaded
              ? h("span", { class: "badge verified" }, icon("zap", { class: "small" }), t("answers under its own name"))
              : h("span", { class: "badge weak" }, t("not loaded")),
          ),
          h("p", { class: "small muted" }, t("Trained on {base}: the assistant has to run on it.", { base: one.base })),
        ),
      ),
    ),
  );
}
