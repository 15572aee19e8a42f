/** What an adapter changed: the gate in one sentence, the gain in two large figures, the damage by kind of task. */

import { h, icon } from "../core/dom.js";
import { formatNumber, formatPercent, plural, t } from "../core/i18n.js";
import { figuresTable } from "./figures_table.js";
import { formatChance, formatPoints, kindWord } from "./words.js";

/** Share of everyday tasks that may be lost; the server's `LARGEST_LOSS`. */
const LARGEST_LOSS = 0.02;

/** Whether trainer and engine say the same. @param {any} gate */
export function gateView(gate) {
  const { passed, positions, agreement, mean_divergence: divergence } = gate;
  const figures = { agreement: formatPercent(agreement ?? 0, 1), positions: formatNumber(positions ?? 0), divergence: formatNumber(divergence ?? 0, { maximumSignificantDigits: 2 }) };
  return h(
    "div",
    { class: ["banner", passed ? "verified" : "danger"], dataset: { part: "gate" } },
    icon(passed ? "circle-check" : "circle-x"),
    h(
      "div",
      {},
      h("p", { class: "strong" }, passed ? t("The engine says what was learned.") : t("The engine does not say what was learned, so the adapter can never answer.")),
      h("p", {}, t("At {agreement} of {positions} places both find the same word most probable; their mean divergence is {divergence}.", figures)),
    ),
  );
}

/**
 * The gain on examples that were put aside. @param {any} gain of kind `held_out`
 * @param {(outcome: string, group: string) => void} onShow
 */
export function gainView(gain, onShow) {
  const share = (count) => formatPercent(count / gain.n);
  const figure = (label, count, kind) =>
    h(
      "div",
      { class: ["gain-figure", kind] },
      h("p", { class: "muted small" }, label),
      h("p", { class: "gain-number numbers" }, share(count)),
      h("p", { class: "muted small numbers" }, t("{count} of {total} right", { count: formatNumber(count), total: formatNumber(gain.n) })),
    );
  const clear = gain.low > 0 ? "verified" : gain.high < 0 ? "danger" : "weak";
  return h(
    "section",
    { class: "card stack gain", "aria-labelledby": "gain-title" },
    h("h2", { id: "gain-title" }, t("What it gained")),
    h("p", { class: "muted small" }, plural(gain.n, "{count} example was put aside and never learned.", "{count} examples were put aside and never learned.")),
    h("div", { class: "gain-figures" }, figure(t("Before"), gain.before, ""), icon("arrow-right", { class: "large" }), figure(t("After"), gain.after, clear)),
    h("p", {}, h("span", { class: "strong" }, gainWords(gain)), " ", intervalText(gain)),
    gain.lines_before !== undefined &&
      h("p", { class: "muted small" }, t("Right lines, where an answer has several: {before} before, {after} after.", { before: formatPercent(gain.lines_before), after: formatPercent(gain.lines_after) })),
    h(
      "div",
      { class: "row wrap" },
      numberButton(gain.better, plural(gain.better, "{count} answer improved", "{count} answers improved"), () => onShow("improved", "held_out")),
      numberButton(gain.worse, plural(gain.worse, "{count} answer worsened", "{count} answers worsened"), () => onShow("worsened", "held_out")),
    ),
  );
}

/**
 * The damage on everyday tasks. @param {any[]} gains of a comparison @param {boolean} forgot
 * @param {(outcome: string, group: string) => void} onShow
 */
export function damageView(gains, forgot, onShow) {
  const all = gains.find((one) => one.kind === "everyday");
  if (!all) return null;
  const shown = all.low >= -LARGEST_LOSS;
  const kinds = gains.filter((one) => one.kind !== "held_out" && one.kind !== "everyday");
  return h(
    "section",
    { class: "stack", "aria-labelledby": "damage-title" },
    h("h2", { id: "damage-title" }, t("What it cost")),
    h(
      "div",
      { class: ["banner", forgot ? "danger" : shown && "verified"] },
      icon(forgot ? "triangle-alert" : shown ? "circle-check" : "info"),
      h(
        "div",
        {},
        h("p", { class: "strong" }, damageWords(forgot, shown)),
        h("p", {}, t("Of {total} tasks, {before} were right before and {after} after.", { total: formatNumber(all.n), before: formatNumber(all.before), after: formatNumber(all.after) }), " ", intervalText(all)),
      ),
    ),
    all.worse > 0 && h("div", { class: "row" }, numberButton(all.worse, plural(all.worse, "{count} answer worsened", "{count} answers worsened"), () => onShow("worsened", "everyday"))),
    damageTable([...kinds, all]),
  );
}

/** What was seen, and what was shown, are two things: some hundred tasks rarely rule a loss out. */
function damageWords(forgot, shown) {
  if (forgot) return t("It forgot too much: everyday tasks that were right are wrong now.");
  if (shown) return t("On everyday tasks it loses no more than is allowed: that is shown.");
  return t("No loss beyond what is allowed was seen; so few tasks do not rule out a larger one.");
}

function damageTable(rows) {
  const heads = [t("Kind of task"), t("Tasks"), t("Before"), t("After"), t("Improved"), t("Worsened")];
  return figuresTable(
    t("Everyday tasks by kind"),
    heads,
    rows.map((one) => ({
      key: one.kind,
      name: one.kind === "everyday" ? t("Together") : kindWord(one.kind),
      cells: [formatNumber(one.n), formatPercent(one.before / one.n), formatPercent(one.after / one.n), formatNumber(one.better), formatNumber(one.worse)],
      total: one.kind === "everyday",
    })),
  );
}

function gainWords({ low, high }) {
  if (low > 0) return t("It is better: that is no chance.");
  if (high < 0) return t("It is worse: that is no chance.");
  return t("Better or worse: these examples do not tell.");
}

/** The interval and the test, as figures for those who want them. */
function intervalText({ low, high, p }) {
  return t("The true difference lies between {low} and {high} points (95 %, {chance}).", { low: formatPoints(low), high: formatPoints(high), chance: formatChance(p) });
}

function numberButton(count, text, run) {
  return count > 0 && h("button", { type: "button", class: "button small", onclick: run }, text);
}
