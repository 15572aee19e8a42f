/**
 * The assistant that is being edited: as values (the form), as text (the YAML), and what the server says of both. The
 * last one that was edited decides; the server makes the other of it. Kept in this browser until it is saved.
 *
 * Events: "edited" after every edit; "checked" when the server has answered; "kept" when it was saved or taken anew.
 */

import { api } from "../core/api.js";
import { recall, remember } from "../core/storage.js";
import { hasRemarks, hasTopKey } from "./yaml_text.js";

const WAIT_MS = 250;

/** What a new assistant has where nobody said otherwise; the server's own defaults. */
export const DEFAULTS = Object.freeze({
  name: "",
  title: "",
  description: "",
  language: "fr",
  model: null,
  adapter: null,
  instructions: "",
  collections: [],
  passages: 8,
  context_tokens: null,
  abstain: true,
  temperature: 0.2,
  max_tokens: 512,
  examples: [],
  first_questions: [],
  audience: ["group:everyone"],
  contact: "",
  quality: { Q1: null, Q2: null, Q3: null, Q4: null, Q5: null, Q6: null },
  guards: { questions: true, passages: true, output: true, grounded: "strict", crisis: true, identity: true, impartial: true },
});

export class Draft extends EventTarget {
  /**
   * @param {string|null} name of the assistant; null for a new one
   * @param {string} [slot] which new one: copies of different assistants are kept apart
   */
  constructor(name, slot = "") {
    super();
    this.name = name;
    this.slot = slot;
    /** The newest version that these edits began with; 0 for a new assistant. */
    this.version = 0;
    this.savedText = "";
    this.text = "";
    this.values = { ...DEFAULTS };
    /** "form" or "yaml": what was edited last. */
    this.source = "yaml";
    /** The text before the form took its remarks away. */
    this.textWithRemarks = null;
    this.specification = null;
    this.faults = [];
    this.warnings = [];
    /** Why the server could not be asked. */
    this.error = null;
    this.edited = false;
    this.timer = 0;
    this.work = null;
    this.turn = 0;
  }

  /** Where this browser keeps it. */
  get key() {
    return `builder.${this.name ?? `?${this.slot}`}`;
  }

  get isDirty() {
    return this.edited && (this.text !== this.savedText || this.timer !== 0 || this.work !== null);
  }

  /** Whether the form shows less than the text says, because the text has faults. */
  get formIsBehind() {
    return this.source === "yaml" && this.specification === null && this.text !== "";
  }

  /** Take what is saved. @param {{yaml: string, version: number, specification: object|null, faults: object[]}} detail */
  take(detail) {
    this.#forgetWork();
    this.version = detail.version;
    this.savedText = this.text = detail.yaml;
    this.specification = detail.specification;
    if (detail.specification) this.values = { ...DEFAULTS, ...detail.specification };
    Object.assign(this, { source: "yaml", faults: detail.faults ?? [], warnings: [], textWithRemarks: null });
    Object.assign(this, { error: null, edited: false });
    this.#tell("kept");
    this.#schedule(0);
  }

  /** Begin a new assistant. @param {object} values that are given */
  begin(values) {
    this.values = { ...DEFAULTS, ...values };
    this.source = "form";
    this.#tell("kept");
    this.#schedule(0, { first: true });
  }

  /** Begin a new assistant with a text. @param {string} text @param {object} values that it has, as far as is known */
  beginWithText(text, values) {
    this.text = text;
    this.values = { ...DEFAULTS, ...values };
    this.edited = true;
    this.#tell("kept");
    this.#schedule(0);
  }

  /** Take up what this browser kept; whether there was something. */
  resume() {
    const kept = recall(this.key);
    if (!kept) return false;
    // A form that was left before the server had made its text.
    const isNewer = kept.source === "form" && JSON.stringify(kept.values) !== JSON.stringify(this.values);
    if (kept.text === this.savedText && !isNewer) return false;
    Object.assign(this, { text: kept.text, source: kept.source, textWithRemarks: kept.textWithRemarks ?? null });
    if (kept.values) this.values = { ...DEFAULTS, ...kept.values };
    if (Number.isInteger(kept.version)) this.version = kept.version;
    this.keptAt = kept.at;
    this.edited = true;
    this.#tell("kept");
    this.#schedule(0);
    return true;
  }

  /** An edit of the form. @param {string} field @param {any} value */
  setField(field, value) {
    if (this.source === "yaml" && hasRemarks(this.text)) this.textWithRemarks = this.text;
    this.values = { ...this.values, [field]: value };
    this.source = "form";
    this.#editedNow();
  }

  /** An edit of the text. @param {string} text */
  setText(text) {
    this.text = text;
    this.source = "yaml";
    this.textWithRemarks = null;
    this.#editedNow();
  }

  /** The text as it was before the form took its remarks away. */
  bringRemarksBack() {
    if (this.textWithRemarks !== null) this.setText(this.textWithRemarks);
  }

  /** The values of the form instead of a text with faults. */
  useForm() {
    this.source = "form";
    this.#editedNow();
  }

  /** Wait until the server has said all there is to say. */
  async settle() {
    if (this.timer) {
      clearTimeout(this.timer);
      this.timer = 0;
      this.#check();
    }
    while (this.work) await this.work;
  }

  /** Forget what this browser keeps. */
  forget() {
    this.edited = false;
    remember(this.key, null);
  }

  /** The faults of a field and of what is in it. @param {string} field */
  faultsOf(field) {
    return this.faults.filter((one) => one.field === field || one.field?.startsWith(`${field}.`));
  }

  /** @param {string} field */
  warningsOf(field) {
    return this.warnings.filter((one) => one.field === field || one.field?.startsWith(`${field}.`));
  }

  #editedNow() {
    this.edited = true;
    this.turn += 1; // what the server says now is about something older
    this.#keep();
    this.#schedule(WAIT_MS);
    this.#tell("edited");
  }

  #keep() {
    const { text, source, version, textWithRemarks, values } = this;
    remember(this.key, { text, source, version, textWithRemarks, values, at: new Date().toISOString() });
  }

  #schedule(wait, { first = false } = {}) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.#check({ first });
    }, wait);
  }

  #check({ first = false } = {}) {
    const turn = (this.turn += 1);
    const work = this.#ask(turn, first).finally(() => {
      if (this.work === work) this.work = null;
      if (turn === this.turn) this.#tell("checked");
    });
    this.work = work;
  }

  async #ask(turn, first) {
    const fromForm = this.source === "form";
    const body = fromForm ? { specification: this.outgoing() } : { yaml: this.text };
    try {
      const answer = await api.post("/v1/etabli/assistants/check", { ...body, name: this.name });
      if (turn !== this.turn) return;
      this.error = null;
      this.specification = answer.specification;
      this.faults = answer.faults;
      this.warnings = answer.warnings;
      if (fromForm) this.text = answer.yaml;
      else if (answer.specification) this.values = { ...DEFAULTS, ...answer.specification };
      if (first) this.savedText = this.text;
      if (this.edited && this.text !== this.savedText) this.#keep();
      else remember(this.key, null);
    } catch (error) {
      if (turn === this.turn) this.error = error;
    }
  }

  /** The values to send: a file that never named itself needs not begin to. */
  outgoing() {
    const { name, ...others } = this.values;
    return this.name !== null && this.savedText && !hasTopKey(this.savedText, "name") ? others : { name, ...others };
  }

  #forgetWork() {
    clearTimeout(this.timer);
    this.timer = 0;
    this.turn += 1;
    this.work = null;
  }

  #tell(type) {
    this.dispatchEvent(new Event(type));
  }
}
