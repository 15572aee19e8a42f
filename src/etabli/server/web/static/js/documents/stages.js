/** How far a document is, in words. */

import { h, icon } from "../core/dom.js";
import { formatPercent, t } from "../core/i18n.js";

const WAITING = new Set(["queued", "reading", "searchable", "embedding"]);

/** Whether something still happens to a document by itself. @param {{stage: string}} document */
export function isWaiting(document) {
  return WAITING.has(document.stage);
}

/**
 * The stage in a word, and what it means.
 * @param {{stage: string, state: string, progress?: number|null}} document
 * @returns {{label: string, kind: string, icon: string|null, hint: string}}
 */
export function stageOf(document) {
  switch (document.stage) {
    case "queued":
      return { label: t("Waiting"), kind: "", icon: "clock", hint: t("It waits for its turn to be read.") };
    case "reading":
      return { label: t("Reading"), kind: "accent", icon: "loader", hint: t("Its text is being read.") };
    case "searchable":
      return {
        label: t("Found by words"), kind: "accent", icon: "clock",
        hint: t("It is found by its words already, and soon by its meaning."),
      };
    case "embedding": {
      const part = document.progress == null ? "" : `\u00a0${formatPercent(document.progress)}`;
      return {
        label: t("Meaning") + part, kind: "accent", icon: "loader",
        hint: t("It is found by its words already; its meaning is being computed."),
      };
    }
    case "ready":
      return { label: t("Ready"), kind: "verified", icon: "check", hint: t("It is found by its words and by its meaning.") };
    default:
      return { ...failure(document.state), kind: "danger", icon: "circle-alert" };
  }
}

function failure(state) {
  const labels = {
    empty: t("Empty"),
    encrypted: t("Locked"),
    broken: t("Damaged"),
    too_large: t("Too large"),
    unsupported: t("Not supported"),
    needs_ocr: t("Scan without text"),
    timeout: t("Took too long"),
    unsafe: t("Not safe"),
  };
  return { label: labels[state] ?? t("Failed"), hint: t("It could not be read.") };
}

/** The stage as a badge. @param {{stage: string, state: string, progress?: number|null}} document */
export function stageBadge(document) {
  const { label, kind, icon: name, hint } = stageOf(document);
  const moving = name === "loader" && "spin";
  return h(
    "span",
    { class: ["badge", kind], dataset: { tip: hint, stage: document.stage } },
    name && icon(name, { class: ["small", moving].filter(Boolean).join(" ") }),
    label,
  );
}
