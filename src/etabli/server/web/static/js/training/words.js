/** The words and figures of training, as every page says them. */

import { h } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";

export const JOBS = "/v1/fine_tuning/jobs";
export const FIGURES = "/v1/etabli/training/jobs";
export const ADAPTERS = "/v1/etabli/adapters";
export const FILES = "/v1/files";
export const CHECKS = "/v1/etabli/training/files";
export const QUESTIONS = "/v1/etabli/training/questions";
export const PREFLIGHT = "/v1/etabli/training/preflight";
const ENDED = new Set(["succeeded", "failed", "cancelled"]);

/** The page of a job. @param {string} id */
export const jobPage = (id) => `/training/${encodeURIComponent(id)}`;

/** Whether nothing more happens to a job by itself. @param {string} state */
export const hasEnded = (state) => ENDED.has(state);

/** @param {string} state of a job */
export function stateWord(state) {
  return {
    validating: t("files being checked"),
    queued: t("waits for its turn"),
    running: t("learning"),
    paused: t("paused"),
    examining: t("being examined"),
    succeeded: t("succeeded"),
    failed: t("failed"),
    cancelled: t("cancelled"),
  }[state];
}

/** What a state means for whoever waits. @param {string} state of a job */
export function stateText(state) {
  return {
    validating: t("Its files are read once more, with the words of the base."),
    queued: t("One training runs at a time. It begins by itself."),
    running: t("It learns with what the answers leave of the processor. It may be paused at any time, and it survives a restart."),
    paused: t("It goes on from its last checkpoint when you want."),
    examining: t("It has learned. Now the engine is compared with the training, and the answers before and after are written."),
    succeeded: t("It has learned and was examined."),
    failed: t("It did not get to its end."),
    cancelled: t("It was cancelled; nothing of it is kept."),
  }[state];
}

/** @param {string} state of an adapter */
export function adapterWord(state) {
  return {
    trained: t("waits for your decision"),
    approved: t("approved"),
    refused: t("refused"),
    retired: t("retired"),
  }[state];
}

/** @param {string} method @returns {{name: string, text: string}} */
export function methodWords(method) {
  return {
    supervised: { name: t("Answers to follow"), text: t("Each example shows a request and the answer that is wanted.") },
    dpo: { name: t("Preferences"), text: t("Each example shows two answers to a request, and which one is better.") },
    kto: { name: t("Thumbs"), text: t("Each example is an answer that somebody judged good or bad.") },
  }[method];
}

/** @param {string} kind of tasks */
export function kindWord(kind) {
  return (
    {
      held_out: t("Examples put aside"),
      everyday: t("Everyday tasks"),
      reading: t("Reading a text"),
      absent: t("Saying that a text does not tell"),
      source: t("Pointing at a source"),
      fact: t("Well-known facts"),
      sum: t("Sums"),
      grammar: t("Grammar"),
      instruction: t("Following an instruction"),
    }[kind] ?? kind
  );
}

const KINDS = {
  running: "accent",
  examining: "accent",
  paused: "weak",
  succeeded: "verified",
  failed: "danger",
  trained: "weak",
  approved: "verified",
  refused: "danger",
};

/** A state in its colour. @param {string} state @param {string} text */
export function badge(state, text) {
  return h("span", { class: ["badge", KINDS[state]], dataset: { state } }, text);
}

/**
 * The parts of an adapter's name, `ft:<base>:<workspace>:<suffix>:<id>`.
 * @param {string} name @returns {{base: string, suffix: string, id: string}}
 */
export function adapterParts(name) {
  const parts = name.split(":");
  return { base: parts[1] ?? "", suffix: parts.slice(3, -1).join(":"), id: parts.at(-1) ?? "" };
}

/** What people call an adapter. @param {string} name */
export function adapterTitle(name) {
  const { suffix, id } = adapterParts(name);
  return suffix ? `${suffix} (${id})` : id;
}

/** A loss: three figures, like everywhere in the field. @param {number} value */
export function formatLoss(value) {
  return formatNumber(value, { minimumFractionDigits: 3, maximumFractionDigits: 3 });
}

/** A difference of shares in points, with its sign. @param {number} share in [-1, 1] */
export function formatPoints(share) {
  const points = Math.round(share * 1000) / 10;
  return formatNumber(points === 0 ? 0 : points, { signDisplay: "exceptZero", maximumFractionDigits: 1 });
}

/** How likely so uneven a split is by chance. @param {number} p */
export function formatChance(p) {
  return p < 0.001 ? t("p < 0.001") : t("p = {p}", { p: formatNumber(p, { maximumFractionDigits: 3 }) });
}
