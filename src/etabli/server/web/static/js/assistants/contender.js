/**
 * One column of a comparison: which assistant in which version, and its answer. A choice is written `rh@3`, or `rh@draft`
 * for what this browser keeps unsaved.
 */

import { api } from "../core/api.js";
import { h, replace, uid } from "../core/dom.js";
import { formatDate, t } from "../core/i18n.js";
import { recall } from "../core/storage.js";
import { toastError } from "../core/toast.js";
import { MeasuredAnswer } from "./measured_answer.js";

const addressOf = (name) => `/v1/etabli/assistants/${encodeURIComponent(name)}`;

export class Contender {
  /** @param {{label: string, assistants: any[], choice: string, onChange: () => void}} options */
  constructor({ label, assistants, choice, onChange }) {
    this.assistants = assistants;
    this.onChange = onChange;
    this.told = null;
    const heading = uid("contender");
    this.who = h("select", {
      class: "select",
      "aria-label": t("Assistant"),
      onchange: () => (this.ready = this.#choose(this.who.value)),
    });
    this.who.append(...assistants.map((one) => h("option", { value: one.name }, one.title)));
    this.which = h("select", { class: "select", "aria-label": t("Version"), onchange: () => this.#chosen() });
    this.answer = h("div", { class: "contender-answer" });
    this.element = h(
      "section",
      { class: "card contender", "aria-labelledby": heading },
      h(
        "div",
        { class: "contender-head" },
        h("h2", { id: heading }, label),
        h("div", { class: "contender-choice" }, this.who, this.which),
      ),
      this.answer,
    );
    this.clear();
    /** Resolved when its versions are known. */
    this.ready = this.#choose(...split(choice));
  }

  /** @returns {string} `name@version` */
  get choice() {
    return `${this.who.value}@${this.which.value}`;
  }

  /** What is chosen, for people. */
  get title() {
    return `${this.who.selectedOptions[0]?.textContent ?? ""}, ${this.which.selectedOptions[0]?.textContent ?? ""}`;
  }

  get isDraft() {
    return this.which.value === "draft";
  }

  clear() {
    this.told = null;
    replace(this.answer, h("p", { class: "muted small contender-empty" }, t("Its answer comes here.")));
  }

  /** The text of what is chosen. @returns {Promise<string>} */
  async text() {
    if (this.isDraft) return recall(`builder.${this.who.value}`)?.text ?? "";
    return (await api.get(`${addressOf(this.who.value)}/versions/${this.which.value}`)).yaml;
  }

  /** Say that the other one comes first. */
  queue() {
    const waiting = new MeasuredAnswer();
    waiting.wait(t("Waits until the other one has answered."));
    this.told = null;
    replace(this.answer, waiting.element);
  }

  /** @param {string} question @param {AbortSignal} signal throws AbortError when it fires */
  async ask(question, signal) {
    const answer = new MeasuredAnswer();
    this.told = null;
    replace(this.answer, answer.element);
    try {
      this.told = await answer.ask(await this.#request(question), signal);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      answer.fail(error);
    }
  }

  async #request(question) {
    const name = this.who.value;
    if (!this.isDraft) return { model: `${name}@${this.which.value}`, input: question };
    const { specification, faults } = await api.post("/v1/etabli/assistants/check", { yaml: await this.text(), name });
    if (!specification) throw new Error(t("The draft has a fault: {fault}", { fault: faults[0]?.message ?? "" }));
    return { model: name, input: question, store: false, etabli: { draft: specification } };
  }

  /** Nothing can be chosen while it answers. @param {boolean} on */
  lock(on) {
    this.who.disabled = this.which.disabled = on;
  }

  async #choose(name, version) {
    this.who.value = this.assistants.some((one) => one.name === name) ? name : (this.assistants[0]?.name ?? "");
    const chosen = this.who.value;
    let versions;
    try {
      ({ versions } = await api.get(addressOf(chosen)));
    } catch (error) {
      return toastError(error);
    }
    if (chosen !== this.who.value) return undefined;
    const options = versions
      .filter((one) => one.kind !== "deleted")
      .map((one) => h("option", { value: one.number }, versionName(one)));
    if (recall(`builder.${chosen}`)) options.unshift(h("option", { value: "draft" }, t("Draft, unsaved")));
    replace(this.which, options);
    if (version && options.some((one) => one.value === version)) this.which.value = version;
    return this.#chosen();
  }

  #chosen() {
    this.clear();
    this.onChange();
  }
}

function versionName({ number, note, saved_at: at }) {
  const said = t("Version {number}", { number });
  const more = note || formatDate(at);
  return more ? `${said} — ${more.length > 40 ? `${more.slice(0, 39)}…` : more}` : said;
}

function split(choice) {
  const at = choice.lastIndexOf("@");
  return at < 0 ? [choice, null] : [choice.slice(0, at), choice.slice(at + 1)];
}
