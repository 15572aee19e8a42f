/**
 * A question and its answer, as one element of the conversation. What it can do is asked of its owner:
 *
 *   new TurnView(turn, {onRegenerate, onEdit, onSibling, onTrace, notFound, readOnly})
 *
 * Far from what is on the screen it is folded to its height (`fold`), and drawn again when it comes near (`unfold`).
 */

import { copyText, showDone } from "../core/clipboard.js";
import { h, icon, iconButton, replace } from "../core/dom.js";
import { plural, t } from "../core/i18n.js";
import { AnswerView, turnOf } from "./answer.js";
import { feedbackButtons } from "./feedback.js";

const LONG_QUESTION = 1200;
/** Of a turn that was never drawn. */
const GUESSED_HEIGHT = "24rem";

export class TurnView {
  #question = null;
  #folded = false;

  /**
   * @param {any} turn of the turns API
   * @param {Object<string, any>} owner its functions; `readOnly` leaves out what changes the conversation
   * @param {{folded?: boolean}} [options] folded: not drawn before `unfold`
   */
  constructor(turn, owner, { folded = false } = {}) {
    this.turn = turn;
    this.owner = owner;
    this.running = false;
    this.answer = null;
    this.element = h("article", { class: "turn", tabindex: "-1" });
    if (folded) this.#close(GUESSED_HEIGHT);
    else this.#draw();
  }

  /** Of the response; null while it was not asked yet. */
  get id() {
    return this.turn.response_id;
  }

  /** Whether only its height is there. */
  get folded() {
    return this.#folded;
  }

  /** The turn as the server has it now. @param {any} turn */
  update(turn) {
    this.turn = turn;
    if (this.#folded) return;
    this.#drawQuestion();
    if (!this.running) this.answer.show(turn);
  }

  /** The answer begins. @param {number} [since] */
  begin(since) {
    this.unfold();
    this.running = true;
    this.answer.begin(since);
  }

  /** @param {any} event of the stream @returns {boolean} whether it was the last one */
  event(event) {
    if (event.type === "response.created") {
      this.turn = { ...this.turn, response_id: event.response.id };
      this.#drawQuestion();
    }
    const response = this.answer.event(event);
    if (response) this.finish({ ...turnOf(response, this.turn), duration_ms: this.answer.elapsed_ms });
    return response !== null;
  }

  /** The answer is over. @param {any} turn */
  finish(turn) {
    this.running = false;
    this.turn = turn;
    this.#drawQuestion();
    this.answer.show(turn, { aloud: true });
  }

  /** The answer could not be asked for. @param {Error} error */
  fail(error) {
    this.running = false;
    this.turn = { ...this.turn, status: "failed", error: { message: error.message } };
    this.answer.fail(error);
  }

  /** Nothing but its height. @param {number} height in pixels */
  fold(height) {
    if (this.#folded || this.running || this.element.contains(document.activeElement)) return;
    this.answer.close();
    this.#close(`${height}px`);
  }

  /** Drawn again. */
  unfold() {
    if (!this.#folded) return;
    this.#folded = false;
    this.element.style.removeProperty("height");
    this.#draw();
  }

  /** It goes away. */
  drop() {
    this.answer?.close();
    this.element.remove();
  }

  #close(height) {
    this.#folded = true;
    this.element.style.setProperty("height", height);
    replace(this.element);
  }

  #draw() {
    const { owner } = this;
    this.#question = h("div", { class: "question" });
    this.answer = new AnswerView({
      actions: (turn) => this.#actions(turn),
      notFound: owner.notFound,
      retry: owner.readOnly ? undefined : () => owner.onRetry?.(this),
    });
    this.#drawQuestion();
    replace(this.element, this.#question, this.answer.element);
    if (this.turn.status !== "in_progress") this.answer.show(this.turn);
  }

  #drawQuestion() {
    const { turn, owner } = this;
    const editing = this.#question.contains(document.activeElement) && this.#question.querySelector("textarea");
    if (editing) return;
    const siblings = turn.siblings ?? [];
    const tools = [
      siblings.length > 1 && this.#siblings(siblings),
      iconButton("copy", t("Copy the question"), {
        class: "small",
        onclick: async (event) => (await copyText(turn.input_text)) && showDone(event.target.closest("button")),
      }),
      !owner.readOnly &&
        turn.response_id &&
        iconButton("pencil", t("Change the question and ask again"), {
          class: "small edit",
          onclick: () => this.edit(),
        }),
    ];
    const text = h("div", { class: "bubble", dir: "auto" }, turn.input_text);
    if (turn.input_text.length > LONG_QUESTION) foldLong(text);
    replace(
      this.#question,
      h("h2", { class: "visually-hidden" }, t("Question: {text}", { text: turn.input_text.slice(0, 120) })),
      attachments(turn.attachments),
      text,
      h("div", { class: ["question-tools", siblings.length > 1 && "with-siblings"] }, tools),
    );
  }

  #siblings(siblings) {
    const place = siblings.indexOf(this.turn.response_id);
    const go = (step) => ({
      class: "small",
      disabled: siblings[place + step] === undefined || this.owner.readOnly,
      onclick: () => this.owner.onSibling?.(this, siblings[place + step]),
    });
    const [number, count] = [place + 1, siblings.length];
    return h(
      "span",
      { class: "siblings row", role: "group", "aria-label": t("Versions of this question") },
      iconButton("chevron-left", t("Version before"), go(-1)),
      h(
        "span",
        { class: "numbers small", "aria-label": t("Version {number} of {count}", { number, count }) },
        `${number}/${count}`,
      ),
      iconButton("chevron-right", t("Version after"), go(1)),
    );
  }

  /** Change the question, in its place. */
  edit() {
    if (this.running || this.owner.readOnly) return;
    this.unfold();
    const field = h("textarea", {
      class: "textarea edit-question",
      value: this.turn.input_text,
      "aria-label": t("The question, changed"),
      dir: "auto",
    });
    const end = () => {
      form.replaceWith(shown);
      tools.hidden = false;
      this.#question.querySelector(".edit")?.focus();
    };
    const form = h(
      "form",
      { class: "edit-form" },
      field,
      h(
        "div",
        { class: "row edit-actions" },
        h("span", { class: "muted small grow" }, t("The answer so far is kept beside the new one.")),
        h("button", { class: "button small", type: "button", onclick: end }, t("Cancel")),
        h("button", { class: "button primary small", type: "submit" }, t("Ask")),
      ),
    );
    const shown = this.#question.querySelector(".bubble");
    const tools = this.#question.querySelector(".question-tools");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = field.value.trim();
      if (!text) return field.focus();
      field.blur();
      end();
      this.owner.onEdit?.(this, text);
    });
    field.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        end();
      } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    shown.replaceWith(form);
    tools.hidden = true;
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  /** Put the answer on the clipboard, as Markdown. */
  copy() {
    return copyText(this.turn.output_text ?? this.answer.text);
  }

  #actions(turn) {
    const { owner } = this;
    const text = turn.output_text ?? "";
    const copy =
      text &&
      iconButton("copy", t("Copy the answer"), {
        class: "small",
        onclick: async (event) => (await this.copy()) && showDone(event.target.closest("button")),
      });
    if (owner.readOnly) return [copy].filter(Boolean);
    const regenerate = iconButton("refresh-cw", t("Answer again"), {
      class: "small",
      onclick: () => owner.onRegenerate?.(this),
    });
    const trace = h(
      "button",
      { class: "button quiet small trace-button", type: "button", onclick: () => owner.onTrace?.(this) },
      icon("list-checks", { class: "small" }),
      h("span", null, t("How this answer was made")),
    );
    const rated = turn.status !== "failed" && text ? feedbackButtons(turn.response_id, turn.feedback ?? null) : [];
    return [copy, regenerate, ...rated, turn.status !== "failed" && trace].filter(Boolean);
  }
}

function attachments(list) {
  if (!list?.length) return null;
  return h(
    "ul",
    {
      class: "attached",
      role: "list",
      "aria-label": plural(list.length, "{count} document attached", "{count} documents attached"),
    },
    list.map((one) =>
      h("li", { class: "chip" }, icon("file-text", { class: "small" }), h("span", { class: "truncate" }, one.name)),
    ),
  );
}

function foldLong(text) {
  text.classList.add("folded");
  const button = h(
    "button",
    { class: "button quiet small", type: "button", onclick: () => (text.classList.remove("folded"), button.remove()) },
    t("Show all of it"),
  );
  text.append(button);
}
