/**
 * One answer: the line that says what is being done, the text with its sources, and what there is to say at the end.
 * Used by the chat, by shared conversations and wherever an assistant is tried.
 *
 *   const answer = new AnswerView({actions: (turn) => [buttons]});  parent.append(answer.element);
 *   answer.show(turn)                       an answer that is over
 *   answer.begin(); answer.event(event)…    one in the making, with the events of `streamResponse`
 * It dispatches nothing; `onChange` is told when its height may have changed.
 */

import { h, icon, replace } from "../core/dom.js";
import { t, toDate } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { listen } from "../markdown/links.js";
import { MarkdownView } from "../markdown/view.js";
import { authorMark } from "./author.js";
import { annotate, listenToCitations, sourceList } from "./citations.js";
import { SentenceReader } from "./reader.js";
import { ThinkingLine } from "./thinking.js";

export class AnswerView {
  #line = new ThinkingLine();
  #markdown;
  #notice = h("div", { class: "answer-notice" });
  #after = h("div", { class: "answer-after" });
  #reader = new SentenceReader();
  #began = 0;
  #text = "";
  #annotations = [];
  #aloud;

  /**
   * @param {{onChange?: () => void, aloud?: boolean, actions?: (turn: any) => any[], notFound?: (turn: any) => any,
   *   retry?: () => void}} [options] aloud: read out while it is written; actions: under an answer that is over;
   *   notFound: what to do when the documents do not say; retry: after an error
   */
  constructor({ onChange, aloud = true, actions, notFound, retry } = {}) {
    this.options = { actions, notFound, retry };
    this.#aloud = aloud;
    this.#markdown = new MarkdownView({ onDrawn: onChange });
    this.onChange = onChange;
    this.element = h("div", { class: "answer" }, this.#line.element, this.#markdown.element, this.#notice, this.#after);
    listen(this.#markdown.element);
    listenToCitations(this.#markdown.element);
  }

  /** The Markdown as it is now. */
  get text() {
    return this.#text;
  }

  /** Since it began. */
  get elapsed_ms() {
    return Date.now() - this.#began;
  }

  /** An answer begins, or is told again from its first event. @param {number} [since] milliseconds since 1970 */
  begin(since = Date.now()) {
    this.#began = since;
    this.#text = "";
    this.#annotations = [];
    this.#reader = new SentenceReader();
    this.#markdown.set("");
    this.element.classList.add("running");
    this.element.setAttribute("aria-busy", "true");
    replace(this.#notice);
    replace(this.#after);
    this.#line.begin(since);
    this.onChange?.();
  }

  /** One event of the Responses API. @param {any} event @returns {any|null} the response object with the last one */
  event(event) {
    switch (event.type) {
      case "response.etabli.stage": {
        const said = this.#line.stage(event.stage, event.detail);
        if (this.#aloud && said && event.stage !== "writing") announce(said);
        break;
      }
      case "response.etabli.progress":
        this.#line.progress(event.fraction);
        break;
      case "response.output_item.added":
        if (event.item?.type === "file_search_call") this.#markdown.citations = true;
        break;
      case "response.output_text.delta":
        if (!this.#text) this.#line.writing();
        this.#text += event.delta;
        this.#markdown.append(event.delta);
        if (this.#aloud) this.#reader.feed(event.delta);
        break;
      case "response.output_text.annotation.added":
        this.#annotations.push(event.annotation);
        break;
      case "response.completed":
      case "response.incomplete":
      case "response.failed":
      case "response.cancelled":
        return event.response;
      default:
    }
    return null;
  }

  /** Say something about the connection, or nothing. @param {string} sentence */
  notice(sentence) {
    replace(this.#notice, sentence && h("p", { class: "quiet-notice" }, h("span", { class: "spinner" }), sentence));
    this.onChange?.();
  }

  /** An answer that is over. @param {any} turn of the turns API @param {{aloud?: boolean}} [options] */
  show(turn, { aloud = false } = {}) {
    const annotations = turn.annotations ?? [];
    const text = turn.output_text ?? "";
    const drawn = text !== "" && text === this.#markdown.text && (this.#markdown.citations || !annotations.length);
    this.#markdown.citations = annotations.length > 0;
    if (aloud && this.#aloud) this.#reader.finish();
    if (drawn) this.#markdown.finish();
    else this.#markdown.set(text);
    this.#text = text;
    annotate(this.#markdown.element, text, annotations);
    this.element.classList.remove("running");
    this.element.removeAttribute("aria-busy");
    this.#line.end({
      duration_ms: duration(turn),
      sources: new Set(annotations.map((one) => one.etabli?.number)).size,
      status: turn.status,
      abstained: turn.abstained,
    });
    replace(this.#notice, this.#said(turn));
    replace(
      this.#after,
      authorMark(turn),
      sourceList(annotations),
      turn.abstained && this.options.notFound?.(turn),
      this.#actionRow(turn),
    );
    this.onChange?.();
  }

  /** It could not be asked at all. @param {Error} error */
  fail(error) {
    this.#line.close();
    this.#line.element.hidden = true;
    this.element.classList.remove("running");
    this.element.removeAttribute("aria-busy");
    if (this.#text) this.#markdown.finish();
    replace(this.#notice, this.#failure(error.message));
    announce(error.message, { urgent: true });
    this.onChange?.();
  }

  /** The answer goes away: nothing counts on. */
  close() {
    this.#line.close();
  }

  #actionRow(turn) {
    const buttons = this.options.actions?.(turn) ?? [];
    return buttons.length > 0 && h("div", { class: "answer-actions" }, buttons);
  }

  #said(turn) {
    if (turn.status === "failed") return this.#failure(turn.error?.message ?? t("The answer could not be made."));
    if (turn.status === "cancelled")
      return turn.output_text ? null : h("p", { class: "quiet-notice" }, t("Stopped before the first word."));
    if (turn.status !== "incomplete") return null;
    const long = turn.finish_reason === "length" || turn.incomplete_reason === "max_output_tokens";
    const sentence = long
      ? t("The answer stops here: it has reached its greatest length.")
      : t("The answer stops here: it was interrupted.");
    return h("p", { class: "quiet-notice" }, icon("info", { class: "small" }), sentence);
  }

  #failure(message) {
    return h(
      "div",
      { class: "banner danger" },
      icon("circle-alert"),
      h("div", { class: "grow" }, message),
      this.options.retry &&
        h("button", { class: "button small", type: "button", onclick: () => this.options.retry() }, t("Try again")),
    );
  }
}

/** How long an answer took, in milliseconds. @param {any} turn */
export function duration(turn) {
  if (turn.duration_ms !== undefined) return turn.duration_ms;
  if (!turn.created_at || !turn.completed_at) return null;
  const passed = toDate(turn.completed_at) - toDate(turn.created_at);
  return passed >= 0 ? passed : null;
}

/**
 * A turn out of the response object that ends a stream. @param {any} response @param {any} turn what was known of it
 */
export function turnOf(response, turn) {
  const parts = response.output.filter((item) => item.type === "message").flatMap((item) => item.content);
  return {
    ...turn,
    response_id: response.id,
    previous_response_id: response.previous_response_id,
    status: response.status,
    error: response.error,
    model: response.model,
    output_text: parts.map((part) => part.text ?? "").join(""),
    annotations: parts.flatMap((part) => part.annotations ?? []),
    abstained: response.etabli?.abstained ?? false,
    guarded: response.etabli?.guarded ?? null,
    written_by: response.etabli?.written_by ?? "model",
    incomplete_reason: response.incomplete_details?.reason ?? null,
    usage: response.usage,
  };
}
