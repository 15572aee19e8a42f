/** Every task with its answers before and after, by what became of it. Bodies are drawn when they are opened. */

import { h, icon, replace } from "../core/dom.js";
import { formatNumber, plural, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { kindWord } from "./words.js";
import { markedWords } from "./word_diff.js";

const AT_ONCE = 40;
export const OUTCOMES = ["improved", "worsened", "wrong", "right"];

/** @param {any} pair @returns {"improved"|"worsened"|"wrong"|"right"} */
export function outcomeOf({ before_right: before, after_right: after }) {
  if (after) return before ? "right" : "improved";
  return before ? "worsened" : "wrong";
}

function outcomeWord(outcome) {
  return { improved: t("improved"), worsened: t("worsened"), wrong: t("wrong both times"), right: t("right both times") }[outcome];
}

const SIGNS = { improved: ["verified", "arrow-up"], worsened: ["danger", "arrow-down"], wrong: ["weak", "x"], right: ["", "check"] };

export class PairsView {
  #shown = AT_ONCE;

  /** @param {any[]} pairs of a comparison */
  constructor(pairs) {
    this.pairs = pairs;
    this.outcome = OUTCOMES.find((one) => pairs.some((pair) => outcomeOf(pair) === one)) ?? "improved";
    this.group = "all";
    this.filters = h("div", { class: "row wrap", role: "group", "aria-label": t("Which answers") });
    this.groups = h(
      "select",
      { class: "select", "aria-label": t("Which tasks"), onchange: () => this.#choose({ group: this.groups.value }) },
      h("option", { value: "all" }, t("All tasks")),
      h("option", { value: "held_out" }, t("Examples put aside")),
      h("option", { value: "everyday" }, t("Everyday tasks")),
    );
    this.list = h("ol", { class: "pairs", role: "list" });
    this.more = h(
      "button",
      { type: "button", class: "button", onclick: () => this.#grow() },
      t("Show more"),
    );
    this.element = h(
      "section",
      { class: "stack", "aria-labelledby": "pairs-title" },
      h("h2", { id: "pairs-title" }, t("The answers, before and after")),
      h("p", { class: "muted small" }, t("Underlined: words that the expected answer does not have in that place.")),
      h("div", { class: "spread wrap-narrow" }, this.filters, this.groups),
      this.list,
      this.more,
    );
    this.#draw();
  }

  /** Show one kind of outcome, from a figure elsewhere. @param {string} outcome @param {string} [group] */
  show(outcome, group = "all") {
    this.groups.value = group;
    this.#choose({ outcome, group });
    this.element.scrollIntoView({ block: "start" });
    this.filters.querySelector("[aria-pressed=true]")?.focus({ preventScroll: true });
  }

  #choose(change) {
    Object.assign(this, change);
    this.#shown = AT_ONCE;
    this.#draw();
    announce(plural(this.chosen.length, "{count} answer", "{count} answers"));
  }

  #grow() {
    const first = this.#shown;
    this.#shown += AT_ONCE;
    this.#draw();
    this.list.children[first]?.querySelector("summary")?.focus();
  }

  #inGroup() {
    if (this.group === "all") return this.pairs;
    return this.pairs.filter((one) => (one.kind === "held_out") === (this.group === "held_out"));
  }

  #draw() {
    const group = this.#inGroup();
    const focused = this.filters.contains(document.activeElement);
    replace(
      this.filters,
      OUTCOMES.map((one) => {
        const count = group.filter((pair) => outcomeOf(pair) === one).length;
        return h(
          "button",
          {
            type: "button",
            class: "chip filter",
            "aria-pressed": String(one === this.outcome),
            dataset: { outcome: one },
            onclick: () => this.#choose({ outcome: one }),
          },
          outcomeWord(one),
          h("span", { class: "numbers muted" }, formatNumber(count)),
        );
      }),
    );
    if (focused) this.filters.querySelector("[aria-pressed=true]").focus({ preventScroll: true });
    this.chosen = group.filter((pair) => outcomeOf(pair) === this.outcome);
    const rows = this.chosen.slice(0, this.#shown).map((pair) => row(pair));
    replace(this.list, rows.length ? rows : h("li", { class: "muted small" }, t("There is none.")));
    this.more.hidden = this.chosen.length <= this.#shown;
  }
}

function row(pair) {
  const outcome = outcomeOf(pair);
  const [kind, image] = SIGNS[outcome];
  const body = h("div", { class: "pair-body" });
  const element = h(
    "details",
    { class: "card pair", dataset: { id: pair.id } },
    h(
      "summary",
      {},
      icon("chevron-right", { class: "small fold" }),
      h("span", { class: ["badge", kind] }, icon(image, { class: "small" }), outcomeWord(outcome)),
      h("span", { class: "grow truncate" }, pair.request.trim().split("\n")[0]),
      h("span", { class: "muted tiny pair-kind" }, kindWord(pair.kind)),
    ),
    body,
  );
  element.addEventListener("toggle", () => element.open && !body.childElementCount && replace(body, bodyOf(pair)), { once: true });
  return h("li", {}, element);
}

function bodyOf(pair) {
  const exact = pair.kind === "held_out";
  const said = (label, text, right) => {
    const { nodes, marked, missing } = exact && !right ? markedWords(text, pair.expected[0]) : { nodes: [text], marked: 0, missing: 0 };
    return h(
      "div",
      { class: "pair-side" },
      h(
        "h3",
        { class: "row wrap small" },
        label,
        h("span", { class: ["badge", right ? "verified" : "danger"] }, right ? t("right") : t("wrong")),
        missing > 0 && h("span", { class: "muted tiny" }, plural(missing, "{count} word is missing", "{count} words are missing")),
        marked > 0 && h("span", { class: "muted tiny" }, plural(marked, "{count} word differs", "{count} words differ")),
      ),
      h("div", { class: "said" }, text ? nodes : h("em", { class: "muted" }, t("(nothing)"))),
    );
  };
  const expected = exact ? pair.expected[0] : pair.expected.join(` ${t("or")} `);
  return [
    h("div", { class: "pair-side wide" }, h("h3", { class: "small" }, t("Asked")), h("div", { class: "said" }, pair.request)),
    h("div", { class: "pair-side wide" }, h("h3", { class: "small" }, exact ? t("Expected") : t("Has to hold")), h("div", { class: "said expected" }, expected)),
    said(t("Before"), pair.before, pair.before_right),
    said(t("After"), pair.after, pair.after_right),
  ];
}
