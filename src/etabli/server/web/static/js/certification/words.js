/** The words and figures of certification, as every page says them. */

import { h, icon } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";

export const CAMPAIGNS = "/v1/etabli/campaigns";
export const CERTIFICATES = "/v1/etabli/certificates";
export const TIERS = ["smoke", "standard", "full"];

/** @param {string} tier @returns {{name: string, text: string}} */
export function tierWords(tier) {
  return {
    smoke: { name: t("Smoke"), text: t("A few prompts of each family. It can refuse, never certify.") },
    standard: { name: t("Standard"), text: t("Enough prompts to certify an assistant that never fails.") },
    full: { name: t("Full"), text: t("More prompts: a good assistant that fails now and then passes too.") },
  }[tier];
}

/** @param {string} state of a campaign */
export function stateWord(state) {
  return {
    planned: t("planned"),
    running: t("running"),
    stopped: t("stopped"),
    failed: t("broken off"),
    awaiting: t("waits for readers"),
    finished: t("finished"),
  }[state];
}

/** @param {string|null} verdict */
export function verdictWord(verdict) {
  return {
    CERTIFIED: t("Certified"),
    CONDITIONAL: t("Certified under conditions"),
    REFUSED: t("Refused"),
    INCONCLUSIVE: t("Inconclusive"),
  }[verdict];
}

/** What a verdict means for the person who decides. @param {string} verdict @param {string} tier */
export function verdictText(verdict, tier) {
  if (verdict === "INCONCLUSIVE" && tier === "smoke")
    return t("A smoke campaign can refuse an assistant, never certify it. Run a standard one to know more.");
  return {
    CERTIFIED: t("Every family of risk that was tried stayed under its limit."),
    CONDITIONAL: t("The grave risks stayed under their limits; for minor ones that could not be shown."),
    REFUSED: t("At least one grave risk is above its limit. Mend what is named below, then examine it again."),
    INCONCLUSIVE: t("What was tried does not suffice to say that the assistant is safe and good enough."),
  }[verdict];
}

/** @param {string} verdict of a family */
export function familyVerdict(verdict) {
  return {
    passed: t("passed"),
    failed: t("failed"),
    inconclusive: t("inconclusive"),
    awaiting: t("waits for readers"),
  }[verdict];
}

/** @param {string} outcome of a conversation */
export function outcomeWord(outcome) {
  return { violated: t("violated"), not: t("not violated"), unsure: t("undecided"), error: t("no answer") }[outcome];
}

/** @param {string} reason why a family is not tried */
export function skippedWord(reason) {
  return {
    tools: t("it has no tools"),
    measured: t("measured on what the other families send"),
    material: t("nothing to try it with"),
    unasked: t("not asked for"),
  }[reason];
}

const KINDS = {
  CERTIFIED: "verified",
  CONDITIONAL: "weak",
  REFUSED: "danger",
  INCONCLUSIVE: "",
  passed: "verified",
  failed: "danger",
  inconclusive: "weak",
  awaiting: "weak",
  violated: "danger",
  not: "verified",
  unsure: "weak",
  error: "weak",
  running: "accent",
};
const ICONS = {
  CERTIFIED: "shield-check",
  CONDITIONAL: "shield-alert",
  REFUSED: "circle-x",
  INCONCLUSIVE: "shield-question-mark",
};

/** The class that colours a word. @param {string} word */
export const kindOf = (word) => KINDS[word] ?? "";
/** @param {string} word a verdict */
export const iconOf = (word) => ICONS[word] ?? "shield-question-mark";

/** A word in its colour. @param {string} word @param {string} text */
export function badge(word, text) {
  return h("span", { class: ["badge", kindOf(word)] }, ICONS[word] && icon(ICONS[word], { class: "small" }), text);
}

/**
 * A share as a percentage, never rounded to the side that flatters.
 * @param {number|string} share @param {"up"|"down"|null} [towards]
 */
export function percent(share, towards = null) {
  const tenths = Number(share) * 1000;
  const round = { up: (value) => Math.ceil(value - 1e-9), down: (value) => Math.floor(value + 1e-9) };
  return formatNumber((round[towards] ?? Math.round)(tenths) / 1000, { style: "percent", maximumFractionDigits: 1 });
}

/**
 * The figures of one family of a result.
 * @param {any} entry in the shape of the certificate's predicate
 */
export function figuresOf(entry) {
  const atLeast = "good" in entry;
  const bad = atLeast ? entry.n - entry.good - entry.unresolved : entry.k;
  const bound = entry.bound95 ?? entry.upper95 ?? entry.lower95;
  const deciding = entry.boundSpent ?? entry.upperSpent ?? entry.lowerSpent;
  const sign = atLeast ? "≥" : "≤";
  const towards = atLeast ? "down" : "up";
  return {
    bad,
    observed: percent(entry.observed),
    bound: `${sign}\u202f${percent(bound, towards)}`,
    deciding: `${sign}\u202f${percent(deciding, towards)}`,
    threshold: `${sign}\u202f${percent(atLeast ? entry.tau : entry.theta0)}${entry.tauProposed ? "\u00a0*" : ""}`,
  };
}

/** A duration for people who plan. @param {number} seconds */
export function about(seconds) {
  if (seconds < 90) return t("{count} s", { count: Math.max(1, Math.round(seconds)) });
  if (seconds < 5400) return t("{count} min", { count: Math.round(seconds / 60) });
  return t("{hours} h {minutes} min", {
    hours: Math.floor(seconds / 3600),
    minutes: Math.round((seconds % 3600) / 60),
  });
}
