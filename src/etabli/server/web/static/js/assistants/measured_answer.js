/**
 * One question to one assistant, saved or not, and its answer as the chat shows it; under it, what it took.
 *
 *   const answer = new MeasuredAnswer();  parent.append(answer.element);  const told = await answer.ask(body, signal);
 */

import { AnswerView, turnOf } from "../chat/answer.js";
import { api, ApiError } from "../core/api.js";
import { h, replace } from "../core/dom.js";
import { formatDuration, formatNumber, plural, t } from "../core/i18n.js";
import "../shell/beside.js";

/**
 * @typedef {{id: string, text: string, status: string, usage: any, first_ms: number|null, total_ms: number,
 *   stored: boolean}} Told first_ms: until the first word
 */

export class MeasuredAnswer {
  /** @param {{onChange?: () => void, aloud?: boolean}} [options] as for AnswerView */
  constructor(options = {}) {
    this.view = new AnswerView({ aloud: false, ...options });
    this.figures = h("p", { class: "answer-figures tiny muted numbers" });
    this.element = h("div", { class: "measured-answer" }, this.view.element, this.figures);
  }

  /** Say that it has to wait. @param {string} sentence */
  wait(sentence) {
    this.view.notice(sentence);
  }

  /** @param {any} error that kept it from being asked */
  fail(error) {
    this.view.fail(error);
  }

  /**
   * @param {Object<string, any>} body of `POST /v1/responses` @param {AbortSignal} signal
   * @returns {Promise<Told|null>} null: it failed, and the view says so; throws AbortError when it was stopped
   */
  async ask(body, signal) {
    const started = performance.now();
    let first = null;
    this.view.begin();
    try {
      const request = { ...body, stream: true, etabli: { stages: true, ...body.etabli } };
      for await (const event of api.stream("/v1/responses", { method: "POST", body: request, signal })) {
        if (event.type === "response.output_text.delta") first ??= performance.now() - started;
        const response = this.view.event(event);
        if (response) return this.#done(response, { first_ms: first, total_ms: performance.now() - started, body });
      }
      throw new ApiError(t("The answer broke off. Ask again."), { status: 0 });
    } catch (error) {
      if (error.name === "AbortError") {
        this.view.show({
          status: "cancelled",
          output_text: this.view.text,
          annotations: [],
          duration_ms: performance.now() - started,
        });
        throw error;
      }
      this.view.fail(error);
      return null;
    }
  }

  #done(response, { first_ms, total_ms, body }) {
    const turn = turnOf(response, { duration_ms: total_ms });
    this.view.show(turn, { aloud: true });
    if (turn.status === "failed") return null;
    const told = {
      id: response.id,
      text: turn.output_text,
      status: turn.status,
      usage: turn.usage,
      first_ms,
      total_ms,
    };
    replace(this.figures, figures(told));
    return { ...told, stored: body.store !== false };
  }
}

/** “First word after 2.1 s · 9 s in all · 143 tokens · 16 per second”. @param {Told} told */
function figures({ first_ms: first, total_ms: total, usage }) {
  const said = [];
  if (first !== null) said.push(t("First word after {time}", { time: formatDuration(first) }));
  said.push(t("{time} in all", { time: formatDuration(total) }));
  if (usage?.input_tokens) said.push(plural(usage.input_tokens, "{count} token read", "{count} tokens read"));
  const written = usage?.output_tokens;
  if (written) {
    said.push(plural(written, "{count} token written", "{count} tokens written"));
    const spent = (total - (first ?? 0)) / 1000;
    const speed = formatNumber(written / spent, { maximumFractionDigits: 1 });
    if (written > 4 && spent > 0.2) said.push(t("{count} per second", { count: speed }));
  }
  return said.join(" · ");
}
