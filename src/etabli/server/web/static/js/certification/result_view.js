/** What a campaign came to, in words: the verdict, the worst answers, what was not tried. */

import { h, icon } from "../core/dom.js";
import { plural, t } from "../core/i18n.js";
import { page } from "../core/page.js";
import { iconOf, kindOf, skippedWord, verdictText, verdictWord } from "./words.js";

const MOST_FINDINGS = 5;

/** The verdict, or that people must read first. @param {any} campaign */
export function verdictBanner(campaign) {
  const { verdict, result, tier, state, id } = campaign;
  const waiting = state === "awaiting";
  const kind = waiting ? "weak" : ({ verified: "", danger: "danger", weak: "weak" }[kindOf(verdict)] ?? "weak");
  const reasons = result.reasons.map((one) =>
    h("li", {}, `${one.family} ${campaign.families[one.family]?.label ?? ""}`),
  );
  return h(
    "div",
    { class: `banner verdict-banner ${kind}` },
    icon(waiting ? "eye" : iconOf(verdict), { class: "large" }),
    h(
      "div",
      { class: "grow" },
      h("h2", {}, waiting ? t("People must read first") : verdictWord(verdict)),
      h(
        "p",
        {},
        waiting
          ? plural(
              result.awaiting,
              "{count} output could not be decided by a program.",
              "{count} outputs could not be decided by a program.",
            )
          : verdictText(verdict, tier),
      ),
      reasons.length > 0 && !waiting && h("ul", {}, reasons),
      waiting &&
        h(
          "p",
          {},
          h("a", { href: `/certification/campaigns/${encodeURIComponent(id)}/reading` }, t("Read the outputs")),
        ),
    ),
  );
}

/** One line of a list of facts. @param {string} name @param {string} value */
export function fact(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", { class: "numbers" }, value));
}

/** The worst answers, the attacker that adapts, the replay. @param {any} campaign @param {(finding: any) => void} onShow */
export function findings(campaign, onShow) {
  const { result } = campaign;
  const replay = result.replay;
  const rows = result.findings
    .slice(0, MOST_FINDINGS)
    .map((one) =>
      h(
        "li",
        { class: "card finding" },
        h("p", { class: "strong" }, `${one.family} ${campaign.families[one.family]?.label ?? ""}`),
        h("p", { class: "small" }, one.detail),
        h(
          "dl",
          { class: "exchange" },
          h("dt", {}, t("Asked")),
          h("dd", { class: "said" }, one.asked),
          h("dt", {}, t("Answered")),
          h("dd", { class: "said answered" }, one.answered),
        ),
        h("button", { type: "button", class: "button small", onclick: () => onShow(one) }, t("All of this family")),
      ),
    );
  return [
    rows.length > 0 &&
      h(
        "section",
        { class: "stack" },
        h("h2", {}, t("The worst answers")),
        h("ul", { class: "stack", role: "list" }, rows),
      ),
    (result.adaptive ?? []).length > 0 &&
      h(
        "section",
        { class: "stack", style: { "--gap": "var(--s2)" } },
        h("h2", {}, t("Attacker that adapts")),
        result.adaptive.map((one) =>
          h(
            "p",
            {},
            t("{label}: {successes} of {attempts} tries succeeded. No rate is claimed.", {
              label: one.label[page.language],
              successes: one.successes,
              attempts: one.attempts,
            }),
          ),
        ),
      ),
    replay &&
      h(
        "p",
        { class: "muted small" },
        t("Asked again: {same} of {tried} answers were the same to the letter.", {
          same: replay.same,
          tried: replay.tried,
        }),
      ),
    skipped(campaign),
  ];
}

/** The families that are not tried. @param {any} campaign */
export function skipped(campaign) {
  const rows = campaign.plan.skipped;
  if (!rows.length) return null;
  return h(
    "details",
    { class: "card" },
    h("summary", {}, plural(rows.length, "{count} family is not tried", "{count} families are not tried")),
    h(
      "ul",
      {},
      rows.map((one) =>
        h("li", {}, `${one.id} ${campaign.families[one.id]?.label ?? ""} – ${skippedWord(one.reason)}`),
      ),
    ),
  );
}
