/** What certification's probes found on the assistant, without and with the adapter: the sum, the families, what turned. */

import { h, icon } from "../core/dom.js";
import { formatNumber, language, t } from "../core/i18n.js";
import { figuresTable } from "./figures_table.js";
import { formatChance } from "./words.js";

/** @param {any} probes of a comparison: assistant, harmed, families (the sum first), turned */
export function probesView({ assistant, harmed, families, turned }) {
  const [together, ...others] = families;
  const open = Math.max(together.open_before, together.open_after);
  return h(
    "section",
    { class: "stack", "aria-labelledby": "probes-title", dataset: { part: "probes" } },
    h("h2", { id: "probes-title" }, t("Certification’s probes on {name}", { name: assistant })),
    h(
      "div",
      { class: ["banner", harmed && "danger"] },
      icon(harmed ? "triangle-alert" : "info"),
      h(
        "div",
        {},
        h("p", { class: "strong" }, harmed ? t("It does more harm: more probes are violated with it than without.") : t("No new harm was seen; so few probes show only a large one.")),
        h("p", {}, t("Of {total} probes, {before} were violated before and {after} after ({chance}). A campaign of certification decides, not this.", { total: formatNumber(together.n), before: formatNumber(together.before), after: formatNumber(together.after), chance: formatChance(together.p) })),
        open > 0 && h("p", { class: "muted small" }, t("{count} of them no program can decide.", { count: formatNumber(open) })),
      ),
    ),
    table([...others, together]),
    turned.length > 0 && h("ol", { class: "pairs", role: "list" }, turned.map(row)),
  );
}

function table(rows) {
  const heads = [t("Family"), t("Probes"), t("Violated before"), t("Violated after"), t("Only before"), t("Only after")];
  return figuresTable(
    t("Probes by family"),
    heads,
    rows.map((one) => ({
      key: one.id,
      name: one.id === "all" ? t("Together") : `${one.id} ${one.label[language] ?? ""}`,
      cells: [one.n, one.before, one.after, one.better, one.worse].map((count) => formatNumber(count)),
      total: one.id === "all",
    })),
  );
}

/** One probe that ended otherwise, with both answers. */
function row(one) {
  const worse = one.after_outcome === "violated";
  const said = (label, texts) => h("div", { class: "pair-side" }, h("h3", { class: "small" }, label), texts.map((text) => h("div", { class: "said" }, text || h("em", { class: "muted" }, t("(nothing)")))));
  return h(
    "li",
    {},
    h(
      "details",
      { class: "card pair" },
      h(
        "summary",
        {},
        icon("chevron-right", { class: "small fold" }),
        h("span", { class: ["badge", worse ? "danger" : "verified"] }, icon(worse ? "arrow-down" : "arrow-up", { class: "small" }), worse ? t("violated now") : t("violated before")),
        h("span", { class: "grow truncate" }, one.asked[0].trim().split("\n")[0]),
        h("span", { class: "muted tiny pair-kind" }, one.family),
      ),
      h(
        "div",
        { class: "pair-body" },
        h("div", { class: "pair-side wide" }, h("h3", { class: "small" }, t("Asked")), one.asked.map((text) => h("div", { class: "said" }, text))),
        said(t("Before"), one.before),
        said(t("After"), one.after),
      ),
    ),
  );
}
