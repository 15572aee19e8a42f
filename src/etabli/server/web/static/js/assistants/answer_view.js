/**
 * One answer on its way: what is being done, the text as it comes, then its sources and what it took. Used beside the
 * form and in both columns of a comparison.
 */

import { h, icon, replace } from "../core/dom.js";
import { formatDuration, formatNumber, plural, t } from "../core/i18n.js";
import { showAnswerText } from "./answer_text.js";

const MARKS = { verified: "circle-check", weak: "circle-help", unsupported: "circle-x" };

export class AnswerView {
  constructor() {
    this.status = h("p", { class: "answer-status muted small" });
    this.bar = h("progress", { class: "progress", max: 1, hidden: true, "aria-label": t("Reading the question and the sources") });
    this.body = h("div", { class: "answer-body" });
    this.sources = h("div", { class: "answer-sources" });
    this.figures = h("p", { class: "answer-figures tiny muted numbers" });
    this.element = h("div", { class: "answer-view" }, this.status, this.bar, this.body, this.sources, this.figures);
    this.frame = 0;
  }

  /** Say what is waited for. @param {string} text */
  wait(text) {
    replace(this.status, h("span", { class: "spinner" }), text);
    this.status.hidden = false;
  }

  /** @param {string} name of a stage @param {Object<string, any>} detail */
  stage(name, detail) {
    const count = detail.documents?.length ?? 0;
    const said = {
      rewriting: () => t("Understanding the question…"),
      searching: () => t("Searching the documents…"),
      reading: () => (count ? plural(count, "Reading {count} source…", "Reading {count} sources…") : t("Reading…")),
      writing: () => t("Writing…"),
      verifying: () => t("Checking the sources…"),
    }[name];
    if (said) this.wait(said());
    if (name !== "reading" && name !== "writing") this.bar.hidden = true;
  }

  /** @param {{fraction: number, tokens: number, total: number}} event how much of the prompt is read */
  progress({ fraction, tokens, total }) {
    this.bar.hidden = fraction >= 1;
    this.bar.value = fraction;
    this.bar.title = t("{tokens} of {total} tokens", { tokens: formatNumber(tokens), total: formatNumber(total) });
  }

  /** @param {string} text so far */
  write(text) {
    this.bar.hidden = true;
    this.text = text;
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this.text !== null) showAnswerText(this.body, this.text, [], { final: false });
    });
  }

  /** @param {import("./ask.js").Told} told */
  finish(told) {
    this.#stop();
    if (told.error) this.#say("triangle-alert", told.error.message, "danger");
    else if (told.status === "cancelled") this.#say("circle-stop", t("Stopped."));
    else if (told.status === "incomplete") this.#say("info", t("Cut at the longest length that is allowed."));
    else if (told.abstained) this.#say("search", t("Not found in the documents."));
    showAnswerText(this.body, told.text, told.annotations, { final: true });
    replace(this.sources, sources(told.annotations));
    replace(this.figures, figures(told));
  }

  /** @param {any} error */
  fail(error) {
    this.#stop();
    if (error.name === "AbortError") this.#say("circle-stop", t("Stopped."));
    else this.#say("triangle-alert", error.message, "danger");
  }

  #stop() {
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.text = null;
    this.bar.hidden = true;
    this.status.hidden = true;
  }

  #say(name, text, kind = "") {
    this.status.hidden = false;
    replace(this.status, icon(name, { class: "small" }), text);
    this.status.classList.toggle("field-error", kind === "danger");
  }
}

/** “First word after 2.1 s, whole answer in 9 s, 143 tokens, 16 per second”. @param {import("./ask.js").Told} told */
export function figures({ first_ms: first, total_ms: total, usage }) {
  const said = [];
  if (first !== null) said.push(t("first word after {time}", { time: formatDuration(first) }));
  said.push(t("done in {time}", { time: formatDuration(total) }));
  const written = usage?.output_tokens;
  if (written) {
    said.push(plural(written, "{count} token", "{count} tokens"));
    const spent = (total - (first ?? 0)) / 1000;
    if (written > 4 && spent > 0.05) said.push(t("{count} per second", { count: formatNumber(written / spent, { maximumFractionDigits: 1 }) }));
  }
  if (usage?.input_tokens) said.push(plural(usage.input_tokens, "{count} token read", "{count} tokens read"));
  return said.join(" · ");
}

function sources(annotations) {
  const seen = new Map();
  for (const one of annotations) {
    const number = one.etabli?.number ?? seen.size + 1;
    if (!seen.has(number)) seen.set(number, one);
  }
  if (!seen.size) return null;
  return h("ol", { class: "answer-source-list", role: "list", "aria-label": t("Sources") }, [...seen].map(([number, one]) => source(number, one)));
}

function source(number, { url, title, etabli = {} }) {
  const words = { verified: t("verified"), weak: t("weak support"), unsupported: t("not supported") }[etabli.status];
  const page = etabli.page ? t("page {number}", { number: etabli.page }) : null;
  return h(
    "li",
    {},
    h(
      "a",
      { class: "chip", href: url, target: "_blank", rel: "noopener" },
      h("span", { class: "numbers muted" }, number),
      h("span", { class: "truncate" }, [title, page].filter(Boolean).join(", ")),
      words && h("span", { class: `source-mark ${etabli.status}`, dataset: { tip: words } }, icon(MARKS[etabli.status], { class: "small" }), h("span", { class: "visually-hidden" }, words)),
    ),
  );
}
