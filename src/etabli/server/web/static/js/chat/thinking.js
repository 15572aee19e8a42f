/**
 * The line above an answer: what is being done now, and at the end how long it took and from how many sources. A press
 * shows the steps.
 *
 *   const line = new ThinkingLine();  line.begin();  line.stage("searching", {question});  line.progress(0.42);
 *   line.writing();  line.end({duration_ms, sources, status});
 */

import { h, icon, replace, uid } from "../core/dom.js";
import { formatDuration, formatList, formatPercent, plural, t } from "../core/i18n.js";

/** Below this nobody wants to know how long it has been. */
const WORTH_COUNTING_MS = 3000;

export class ThinkingLine {
  #steps = [];
  #began = 0;
  #timer = 0;
  /** The first fraction that was told since the stage began: what was known from before is no progress. */
  #known = null;
  #list = h("ol", { class: "steps", id: uid("steps"), role: "list", hidden: true });
  #text = h("span", { class: "thinking-text" });
  #time = h("span", { class: "numbers muted", "aria-hidden": "true" });
  #mark = h("span", { class: "thinking-mark" });
  #bar = h("progress", { class: "progress", max: 1, hidden: true, "aria-label": t("Reading the context") });
  #button;

  constructor() {
    this.#button = h(
      "button",
      {
        class: "thinking-line",
        type: "button",
        "aria-expanded": "false",
        "aria-controls": this.#list.id,
        onclick: () => this.#toggle(),
      },
      this.#mark,
      this.#text,
      this.#time,
      icon("chevron-down", { class: "small" }),
    );
    this.element = h("div", { class: "thinking", hidden: true }, this.#button, this.#bar, this.#list);
  }

  /** The question is on its way. @param {number} [since] milliseconds since 1970 */
  begin(since = Date.now()) {
    this.#began = since;
    this.#steps = [];
    this.element.hidden = false;
    this.element.classList.add("running");
    replace(this.#mark, h("span", { class: "pulse" }));
    this.#button.disabled = true;
    this.#say(t("On its way…"));
    clearInterval(this.#timer);
    this.#timer = setInterval(() => this.#count(), 1000);
    this.#count();
  }

  /** @param {string} name rewriting, searching, reading, writing or verifying @param {any} detail @returns {string} said */
  stage(name, detail) {
    const sentence = sentenceOf(name, detail ?? {});
    if (sentence === null) return "";
    this.#bar.hidden = true;
    this.#known = null;
    this.#button.disabled = false;
    this.#steps.push({ sentence: stepOf(name, detail ?? {}), at: Date.now() });
    this.#drawSteps();
    this.#say(sentence);
    return sentence;
  }

  /** The model reads what it was sent; how far it is, is shown once it moves. @param {number} fraction */
  progress(fraction) {
    if (fraction >= 1) return this.writing();
    this.#known ??= fraction;
    const moves = fraction > this.#known && fraction >= 0.01;
    this.#bar.hidden = !moves;
    this.#bar.value = fraction;
    this.#say(
      moves
        ? t("Reading the context {percent}", { percent: formatPercent(fraction) })
        : t("Reading the context"),
    );
  }

  /** The first words are there. */
  writing() {
    this.#bar.hidden = true;
    this.#say(t("I am writing…"));
  }

  /**
   * @param {{duration_ms: number|null, sources: number, status: string, abstained?: boolean}} outcome
   */
  end({ duration_ms, sources, status, abstained = false }) {
    clearInterval(this.#timer);
    this.element.classList.remove("running");
    this.element.hidden = false;
    this.#bar.hidden = true;
    this.#time.textContent = "";
    const names = { cancelled: "circle-stop", failed: "circle-alert", incomplete: "circle-stop" };
    replace(
      this.#mark,
      icon(names[status] ?? (sources ? "book-open" : abstained ? "search" : "check"), { class: "small" }),
    );
    this.#button.disabled = this.#steps.length === 0;
    this.#say(outcomeOf(duration_ms, sources, status, abstained));
    if (this.#steps.length) {
      this.#steps.push({ sentence: null, at: Date.now() });
      this.#drawSteps();
    }
  }

  /** Stop counting: the line goes away. */
  close() {
    clearInterval(this.#timer);
  }

  #say(sentence) {
    if (this.#text.textContent !== sentence) this.#text.textContent = sentence;
  }

  #count() {
    const passed = Date.now() - this.#began;
    this.#time.textContent = passed >= WORTH_COUNTING_MS ? formatDuration(Math.floor(passed / 1000) * 1000) : "";
  }

  #toggle() {
    if (!this.#steps.length) return;
    this.#list.hidden = !this.#list.hidden;
    this.#button.setAttribute("aria-expanded", String(!this.#list.hidden));
  }

  #drawSteps() {
    const shown = this.#steps.filter((step) => step.sentence !== null);
    replace(
      this.#list,
      shown.map((step, place) => {
        const next = this.#steps[place + 1];
        return h(
          "li",
          null,
          h("span", { class: "grow" }, step.sentence),
          next && h("span", { class: "numbers muted" }, formatDuration(next.at - step.at)),
        );
      }),
    );
  }
}

function sentenceOf(name, detail) {
  switch (name) {
    case "rewriting":
      return t("I am reading your question again…");
    case "searching":
      return t("I am searching your documents…");
    case "reading":
      return readingOf(detail.documents ?? []);
    case "writing":
      return t("Reading the context"); // the model reads before its first word, and its first word is told
    case "verifying":
      return t("I am comparing with the sources…");
    default:
      return null;
  }
}

function readingOf(documents) {
  if (documents.length === 0) return t("I am reading what was found…");
  const names = formatList(documents);
  return plural(documents.length, "I am reading {count} source: {names}", "I am reading {count} sources: {names}", {
    names,
  });
}

function stepOf(name, detail) {
  switch (name) {
    case "rewriting":
      return t("Question understood in its context");
    case "searching":
      return detail.question ? t("Search: “{question}”", { question: detail.question }) : t("Search");
    case "reading":
      return detail.documents?.length
        ? t("Reading: {names}", { names: formatList(detail.documents) })
        : t("Choice of the passages");
    case "writing":
      return t("Writing");
    default:
      return t("Comparison with the sources");
  }
}

function outcomeOf(duration_ms, sources, status, abstained) {
  const time = duration_ms === null ? "" : formatDuration(duration_ms);
  if (status === "cancelled") return time ? t("Stopped after {time}", { time }) : t("Stopped");
  if (status === "failed") return t("No answer");
  if (status === "incomplete" && !sources) return time ? t("Cut short after {time}", { time }) : t("Cut short");
  if (abstained) return time ? t("Searched for {time}, not found", { time }) : t("Searched, not found");
  if (!time) return plural(sources, "From {count} source", "From {count} sources");
  if (!sources) return t("Answered in {time}", { time });
  return plural(sources, "Answered in {time} from {count} source", "Answered in {time} from {count} sources", { time });
}
