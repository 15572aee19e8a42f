/** How an adapter is trained: what the examples are, which base, a name, for whom, and a few settings with their reasons. */

import { choiceField, frame, numberField, switchField, textField } from "../assistants/fields.js";
import { h, icon, replace, uid } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";
import { methodWords } from "./words.js";

export const METHODS = ["supervised", "dpo", "kto"];
const MOST_TOKENS = 1024;
const ALPHA_PER_RANK = 2;

export class SettingsForm {
  method = null;
  values = {};

  /** @param {{onChange: (what: string) => void}} options what: the part that changed */
  constructor({ onChange }) {
    this.onChange = onChange;
    this.methods = h("div", { class: "choices", role: "radiogroup", "aria-label": t("What the examples show") });
    this.base = choiceField({
      name: "model",
      label: t("Base"),
      hint: t("The model that learns. The adapter works with this one only."),
      choices: [],
      onEdit: () => onChange("model"),
    });
    this.suffix = textField({
      name: "suffix",
      label: t("Name"),
      hint: t("A word that says what it is for; it becomes part of the adapter’s name."),
      placeholder: t("appointment-slips"),
      maxLength: 64,
      onEdit: () => onChange("suffix"),
    });
    this.assistant = choiceField({
      name: "assistant",
      label: t("For which assistant"),
      hint: t("It is proposed there once the adapter is approved. Nothing changes for it before."),
      choices: [["", t("None yet")]],
      onEdit: () => onChange("assistant"),
    });
    this.finer = this.#finer();
    this.element = h(
      "div",
      { class: "stack" },
      frame({ name: "method", label: t("What the examples show"), control: this.methods, group: true }).element,
      h("div", { class: "settings-grid" }, this.base.element, this.suffix.element, this.assistant.element),
      h(
        "details",
        { class: "card settings-more" },
        h("summary", {}, icon("sliders-horizontal", { class: "small" }), t("Finer settings")),
        h("p", { class: "muted small" }, t("What is left empty is what suits some hundred examples. Change one thing at a time.")),
        h("div", { class: "settings-grid" }, this.finer.map((one) => one.element)),
      ),
    );
  }

  #finer() {
    const number = (name, options) =>
      numberField({
        name,
        empty: null,
        ...options,
        onEdit: (value) => {
          this.values[name] = value;
          this.onChange(name);
        },
      });
    this.beta = number("beta", {
      label: t("Hold to the base (beta)"),
      hint: t("For preferences and thumbs: more keeps it closer to what the base would say. Usual: {value}.", { value: formatNumber(0.1) }),
      min: 0.01,
      max: 10,
      step: 0.1,
      placeholder: formatNumber(0.1),
    });
    return [
      number("n_epochs", {
        label: t("Passes over the examples"),
        hint: t("More learns better until it learns by heart: watch the points of the curve. Usual: {value}.", { value: 3 }),
        min: 1,
        max: 100,
        placeholder: "3",
      }),
      number("learning_rate_multiplier", {
        label: t("Pace"),
        hint: t("Multiplies the usual pace. 0.5 is more careful, 2 is bolder. Usual: {value}.", { value: 1 }),
        min: 0.01,
        max: 100,
        step: 0.1,
        placeholder: "1",
      }),
      number("rank", {
        label: t("Rank"),
        hint: t("How much the adapter can hold. More takes more memory, and rarely helps. Usual: {value}.", { value: 16 }),
        min: 1,
        max: 256,
        placeholder: "16",
      }),
      number("max_tokens", {
        label: t("Longest example, in tokens"),
        hint: t("Longer ones are refused. More takes more memory. Usual: {value}.", { value: MOST_TOKENS }),
        min: 32,
        max: 32768,
        placeholder: String(MOST_TOKENS),
      }),
      this.beta,
      switchField({
        name: "gradient_checkpointing",
        label: t("Save memory"),
        hint: t("Computes some things twice: about a third slower, with much less memory."),
        onEdit: (value) => {
          this.values.gradient_checkpointing = value;
          this.onChange("gradient_checkpointing");
        },
      }),
    ];
  }

  /** @param {any} shelf of `/v1/etabli/models` @param {any[]} assistants */
  load(shelf, assistants) {
    const bases = shelf.data.filter((one) => one.installed);
    replace(this.base.control, bases.map((one) => h("option", { value: one.name }, one.title || one.name)));
    const active = bases.find((one) => one.active) ?? bases[0];
    this.base.set(active?.name ?? "");
    this.base.show(bases.length ? [] : [{ message: t("No model is on this machine. Download one on the page “Models”.") }]);
    replace(
      this.assistant.control,
      h("option", { value: "" }, t("None yet")),
      assistants.map((one) => h("option", { value: one.name }, one.title || one.name)),
    );
  }

  /** Take the method that the file is made for. @param {string} method */
  propose(method) {
    if (this.method === null || this.method === this.proposed) this.method = method;
    this.proposed = method;
    const name = uid("method");
    const choices = METHODS.map((one) => {
      const words = methodWords(one);
      return h(
        "label",
        { class: "choice card" },
        h("input", {
          type: "radio",
          name,
          value: one,
          checked: one === this.method,
          onchange: () => {
            this.method = one;
            this.#showBeta();
            this.onChange("method");
          },
        }),
        h(
          "span",
          { class: "grow" },
          h("span", { class: "strong" }, words.name, one === method && [" ", h("span", { class: "badge accent" }, t("as your file"))]),
          h("span", { class: "muted small" }, words.text),
        ),
      );
    });
    replace(this.methods, choices);
    this.#showBeta();
  }

  #showBeta() {
    this.beta.element.hidden = this.method === "supervised";
  }

  /** How the file has to be looked at. */
  get look() {
    return { method: this.method, model: this.base.control.value || null, max_tokens: this.values.max_tokens ?? MOST_TOKENS };
  }

  /** The part of a job that stands here. */
  get request() {
    const given = Object.entries(this.values).filter(([name, value]) => value !== null && value !== false && (name !== "beta" || this.method !== "supervised"));
    const hyperparameters = Object.fromEntries(given);
    // The strength of an adapter is alpha / rank: it stays what it is for the usual rank.
    if (hyperparameters.rank) hyperparameters.alpha = ALPHA_PER_RANK * hyperparameters.rank;
    const suffix = this.suffix.control.value.trim();
    return {
      model: this.base.control.value,
      method: { type: this.method },
      hyperparameters,
      suffix: suffix || null,
      metadata: suffix ? { name: suffix } : null,
      etabli: { assistant: this.assistant.control.value || null },
    };
  }
}
