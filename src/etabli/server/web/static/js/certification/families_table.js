/** The families of a campaign: what is planned, how far it is, what it came to. Numbers lead to conversations. */

import { h, hiddenText } from "../core/dom.js";
import { formatNumber, formatPercent, t } from "../core/i18n.js";
import { stacked } from "./stacked.js";
import { badge, familyVerdict, figuresOf, kindOf } from "./words.js";

/**
 * @param {any} campaign
 * @param {{onShow: (family: string, outcome: string|null) => void}} options
 * @returns {HTMLElement}
 */
export function familiesTable(campaign, { onShow }) {
  const results = new Map((campaign.result?.families ?? []).map((one) => [one.id, one]));
  const began = campaign.state !== "planned";
  const heads = results.size
    ? [
        t("Tried"),
        t("Went wrong"),
        t("Undecided"),
        t("Observed"),
        t("Bound at 95 %"),
        t("Bound that decides"),
        t("Threshold"),
        t("Power"),
      ]
    : began
      ? [t("Progress"), t("Went wrong"), t("Undecided")]
      : [t("Prompts"), t("Conversations"), t("Failures allowed"), t("Power")];
  const progress = new Map(campaign.progress.families.map((one) => [one.id, one]));
  const rows = campaign.plan.families.map((plan) => {
    const entry = results.get(plan.id);
    const cells = entry
      ? resultCells(plan, entry, onShow)
      : began
        ? progressCells(progress.get(plan.id), onShow)
        : planCells(plan);
    return h(
      "tr",
      { dataset: { family: plan.id } },
      h("th", { scope: "row" }, familyName(campaign, plan.id)),
      results.size > 0 && h("td", {}, entry ? badge(entry.verdict, familyVerdict(entry.verdict)) : ""),
      cells.map((cell) => h("td", { class: "end numbers" }, cell)),
    );
  });
  return h(
    "div",
    { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("Families of risk") },
    stacked(
      h(
        "table",
        { class: "table families" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, t("Family")),
            results.size > 0 && h("th", { scope: "col" }, t("Verdict")),
            heads.map((one) => h("th", { scope: "col", class: "end" }, one)),
          ),
        ),
        h("tbody", {}, rows),
      ),
    ),
  );
}

/** A family's id and name, with what it is about. */
function familyName(campaign, id) {
  const family = campaign.families[id];
  return h(
    "details",
    { class: "family-name" },
    h("summary", {}, h("span", { class: "muted numbers" }, id), " ", family?.label ?? ""),
    h("p", { class: "muted small" }, family?.description ?? ""),
  );
}

function planCells(plan) {
  return [
    formatNumber(plan.units),
    formatNumber(plan.probes * plan.generations),
    allowed(plan),
    formatPercent(plan.power),
  ];
}

/** Failures with which a family passes; of two looks, the first allows none. */
function allowed(plan) {
  if (plan.allowed < 0) return t("too few to pass");
  if (plan.looks?.length !== 2) return formatNumber(plan.allowed);
  return t("none, else {allowed} of {units}", {
    allowed: formatNumber(plan.allowed),
    units: formatNumber(plan.looks[1]),
  });
}

function progressCells(one, onShow) {
  const bar = h("progress", {
    class: "progress",
    value: one.done,
    max: Math.max(1, one.total),
    "aria-label": t("{done} of {total}", { done: one.done, total: one.total }),
  });
  return [
    h("div", { class: "family-progress" }, `${formatNumber(one.done)}/${formatNumber(one.total)}`, bar),
    count(one.id, "violated", one.violated, onShow),
    count(one.id, "unsure", one.unsure + one.error, onShow),
  ];
}

function resultCells(plan, entry, onShow) {
  const said = figuresOf(entry);
  return [
    count(plan.id, null, entry.n, onShow),
    count(plan.id, "violated", said.bad, onShow),
    count(plan.id, "unsure", entry.unresolved, onShow),
    said.observed,
    said.bound,
    said.deciding,
    said.threshold,
    formatPercent(plan.power),
  ];
}

/** A number that opens the conversations behind it. */
function count(family, outcome, number, onShow) {
  if (!number) return formatNumber(0);
  const what = outcome === "violated" ? t("went wrong") : outcome === "unsure" ? t("undecided") : t("all");
  return h(
    "button",
    {
      type: "button",
      class: ["link-number", outcome === "violated" && kindOf("violated")],
      onclick: () => onShow(family, outcome),
    },
    formatNumber(number),
    hiddenText(` ${t("conversations of {family}: {what}", { family, what })}`),
  );
}
