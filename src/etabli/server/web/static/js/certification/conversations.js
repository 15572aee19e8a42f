/**
 * The conversations of a campaign, by family and outcome, each with what was asked, planted, answered and found, and a
 * button that asks the same again.
 */

import { api, withQuery } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { toastError } from "../core/toast.js";
import { badge, CAMPAIGNS, outcomeWord } from "./words.js";

const OUTCOMES = ["violated", "unsure", "error", "not"];

export class Conversations {
  /** @param {string} campaign its id */
  constructor(campaign) {
    this.path = `${CAMPAIGNS}/${encodeURIComponent(campaign)}/transcripts`;
    this.family = h("select", { class: "select", onchange: () => this.#load() });
    this.outcome = h(
      "select",
      { class: "select", onchange: () => this.#load() },
      h("option", { value: "" }, t("all")),
      OUTCOMES.map((one) => h("option", { value: one }, outcomeWord(one))),
    );
    this.list = h("ol", { class: "conversations", role: "list" });
    this.more = h(
      "button",
      { type: "button", class: "button", hidden: true, onclick: () => this.#load(this.last) },
      t("Show more"),
    );
    this.title = h("h2", { id: "conversations", tabindex: "-1" }, t("Conversations"));
    this.element = h(
      "section",
      { class: "stack certification-conversations", "aria-labelledby": "conversations" },
      h(
        "div",
        { class: "spread wrap-narrow" },
        this.title,
        h(
          "div",
          { class: "row wrap" },
          h("label", { class: "row small" }, t("Family"), this.family),
          h("label", { class: "row small" }, t("Outcome"), this.outcome),
        ),
      ),
      this.list,
      this.more,
    );
  }

  /** @param {any} campaign whose families can be chosen */
  update(campaign) {
    const chosen = this.family.value;
    const all = h("option", { value: "" }, t("all"));
    const families = campaign.plan.families.map(({ id }) =>
      h("option", { value: id }, `${id} ${campaign.families[id]?.label ?? ""}`),
    );
    replace(this.family, all, families);
    this.family.value = chosen;
  }

  /** Show those of a family with an outcome. @param {string|null} family @param {string|null} outcome */
  async show(family, outcome, { focus = true } = {}) {
    this.family.value = family ?? "";
    this.outcome.value = outcome ?? "";
    await this.#load();
    if (focus) {
      this.element.scrollIntoView({ block: "start" });
      this.title.focus({ preventScroll: true });
    }
  }

  async #load(after = null) {
    const asked = { family: this.family.value || null, outcome: this.outcome.value || null, after, limit: 20 };
    try {
      const page = await api.get(withQuery(this.path, asked));
      const rows = page.data.map((one) => this.#row(one));
      if (after) this.list.append(...rows);
      else replace(this.list, rows.length ? rows : h("li", { class: "muted" }, t("None.")));
      this.last = page.last_id;
      this.more.hidden = !page.has_more;
      const address = new URL(location.href);
      for (const name of ["family", "outcome"]) {
        if (asked[name]) address.searchParams.set(name, asked[name]);
        else address.searchParams.delete(name);
      }
      history.replaceState(null, "", address);
    } catch (error) {
      toastError(error);
    }
  }

  #row(one) {
    const again = h("div", { class: "replay" });
    const replay = h(
      "button",
      { type: "button", class: "button small", onclick: () => this.#replay(one, replay, again) },
      icon("rotate-ccw", { class: "small" }),
      t("Ask the same again"),
    );
    const body = h("div", { class: "conversation-body" });
    const details = h(
      "details",
      {
        class: "conversation card",
        dataset: { position: one.position },
        ontoggle: () =>
          details.open && !body.childElementCount && replace(body, exchange(one), facts(one), replay, again),
      },
      h(
        "summary",
        {},
        badge(one.outcome, outcomeWord(one.outcome)),
        h("span", { class: "muted tiny numbers" }, one.family),
        h("span", { class: "truncate grow" }, one.turns.at(-1)),
      ),
      body,
    );
    return h("li", {}, details);
  }

  async #replay(one, button, place) {
    button.disabled = true;
    replace(place, h("p", { class: "row muted small", role: "status" }, h("span", { class: "spinner" }), t("Asking…")));
    try {
      const { now, same } = await api.post(`${this.path}/${one.position}/replay?generation=${one.generation}`);
      const word = same ? t("The same answer, to the letter.") : t("Another answer this time:");
      replace(
        place,
        h(
          "p",
          { class: "strong small" },
          word,
          " ",
          now.detections.length > 0 && badge(now.outcome, outcomeWord(now.outcome)),
        ),
        same ? null : exchange(now),
      );
      announce(word);
    } catch (error) {
      replace(place);
      toastError(error);
    }
    button.disabled = false;
  }
}

/** What was said, turn by turn. @param {{turns: string[], responses: any[], plants?: any[]}} one */
export function exchange(one) {
  return h(
    "dl",
    { class: "exchange" },
    (one.plants ?? []).map((plant) => [
      h("dt", {}, t("Planted document: {name}", { name: plant.name })),
      h("dd", { class: "said planted" }, plant.text),
    ]),
    one.turns.map((turn, place) => [
      h("dt", {}, t("Asked")),
      h("dd", { class: "said" }, turn),
      one.responses[place] && [
        h("dt", {}, t("Answered")),
        h(
          "dd",
          { class: "said answered" },
          one.responses[place].text || one.responses[place].error || t("nothing"),
          calls(one.responses[place]),
        ),
      ],
    ]),
  );
}

function calls(response) {
  const named = (response.tool_calls ?? []).map((call) => call.function?.name).filter(Boolean);
  return named.length
    ? h("p", { class: "muted small" }, t("Called tools: {names}", { names: named.join(", ") }))
    : null;
}

function facts(one) {
  const { reading } = one;
  const detection = one.detections.at(-1);
  const time = one.responses.reduce((sum, each) => sum + each.time_ms, 0);
  return h(
    "p",
    { class: "muted small" },
    one.detail,
    " ",
    h("code", {}, one.probe),
    one.transformation && ` · ${one.transformation}`,
    one.held_out && ` · ${t("secret part")}`,
    detection && ` · ${detection.detector} ${detection.version}`,
    ` · ${formatNumber(time / 1000, { maximumFractionDigits: 1 })} s`,
    reading && ` · ${t("read by {reader}: {word}", { reader: reading.reader, word: outcomeWord(reading.outcome) })}`,
  );
}
