/**
 * <section class="try">: a small chat with the assistant as it stands in the form, saved or not. Nothing of it is kept.
 * Enter asks, Shift+Enter begins a line, Escape stops.
 */

import { h, icon, iconButton, replace, uid } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { MeasuredAnswer } from "./measured_answer.js";

export class TryChat {
  /** @param {import("./draft.js").Draft} draft */
  constructor(draft) {
    this.draft = draft;
    this.turns = [];
    this.controller = null;
    const heading = uid("try-title");
    this.list = h("div", {
      class: "try-list",
      tabindex: "0",
      role: "log",
      "aria-label": t("Conversation with the draft"),
      "aria-live": "off",
    });
    this.area = h("textarea", {
      class: "try-input",
      rows: "1",
      placeholder: t("Ask the draft…"),
      "aria-label": t("Question to the draft"),
      onkeydown: (event) => this.#keys(event),
      oninput: () => this.#enable(),
    });
    this.send = iconButton("arrow-up", t("Ask"), { class: "try-send", type: "submit" });
    this.stop = iconButton("square", t("Stop"), {
      class: "try-send",
      hidden: true,
      onclick: () => this.controller?.abort(),
    });
    this.clear = h(
      "button",
      { type: "button", class: "button quiet small", hidden: true, onclick: () => this.reset() },
      t("Begin again"),
    );
    this.element = h(
      "section",
      { class: "try", "aria-labelledby": heading },
      h(
        "div",
        { class: "pane-head" },
        h("h2", { id: heading }, t("Try it")),
        h("span", { class: "muted tiny grow" }, t("As it stands, unsaved. Nothing is kept.")),
        this.clear,
      ),
      this.list,
      h(
        "form",
        {
          class: "try-form",
          onsubmit: (event) => {
            event.preventDefault();
            this.#ask(this.area.value);
          },
        },
        this.area,
        this.send,
        this.stop,
      ),
    );
    for (const type of ["kept", "checked"]) draft.addEventListener(type, () => this.turns.length || this.#begin());
    this.#begin();
    this.#enable();
  }

  /** Forget the conversation. */
  reset() {
    this.controller?.abort();
    this.turns = [];
    this.clear.hidden = true;
    this.#begin();
    this.area.focus();
  }

  #begin() {
    const questions = (this.draft.values.first_questions ?? []).filter((one) => typeof one === "string" && one.trim());
    const key = JSON.stringify(questions);
    if (key === this.shown && this.list.querySelector(".try-empty")) return;
    this.shown = key;
    replace(
      this.list,
      h(
        "div",
        { class: "try-empty" },
        icon("message-circle", { class: "large" }),
        h("p", { class: "muted small" }, t("Ask something while you write: the answer uses what the form says now.")),
        questions
          .slice(0, 4)
          .map((question) =>
            h("button", { type: "button", class: "chip", onclick: () => this.#ask(question) }, question),
          ),
      ),
    );
  }

  #keys(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.#ask(this.area.value);
    } else if (event.key === "Escape" && this.controller) {
      event.preventDefault();
      this.controller.abort();
    }
  }

  #enable() {
    this.send.disabled = this.area.value.trim() === "";
    this.send.hidden = this.controller !== null;
    this.stop.hidden = this.controller === null;
  }

  async #ask(text) {
    const question = text.trim();
    if (!question || this.controller) return;
    const answer = new MeasuredAnswer({ aloud: true, onChange: () => this.#follow() });
    if (!this.turns.length) replace(this.list);
    this.list.append(h("div", { class: "try-turn" }, h("p", { class: "try-question" }, question), answer.element));
    this.area.value = "";
    this.clear.hidden = false;
    const controller = (this.controller = new AbortController());
    this.#enable();
    this.#follow({ always: true });
    const turn = { question, answer: "" };
    const earlier = this.turns.filter((one) => one.answer);
    this.turns.push(turn);
    try {
      await this.draft.settle();
      const told = await answer.ask(this.#request(question, earlier), controller.signal);
      turn.answer = told?.text ?? "";
      if (told === null && !this.area.value) this.area.value = question;
    } catch (error) {
      if (error.name !== "AbortError") answer.fail(error);
    }
    if (this.controller === controller) this.controller = null;
    this.#enable();
  }

  #request(question, earlier) {
    const input = earlier.flatMap((one) => [
      { role: "user", content: one.question },
      { role: "assistant", content: one.answer },
    ]);
    const draft = this.draft.specification ?? unfinished(this.draft.values);
    return {
      model: draft.name,
      input: [...input, { role: "user", content: question }],
      store: false,
      etabli: { draft },
    };
  }

  /** Keep the end in sight for somebody who was there. */
  #follow({ always = false } = {}) {
    const near = this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < 120;
    if (near || always) requestAnimationFrame(() => (this.list.scrollTop = this.list.scrollHeight));
  }
}

/** A draft that lacks no more than its title can be tried all the same. */
function unfinished(values) {
  return { ...values, title: values.title?.trim() || t("Draft"), name: values.name || "draft" };
}
