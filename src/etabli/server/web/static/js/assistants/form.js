/**
 * <form class="builder-form">: the assistant as fields. It draws what the draft says and tells it what is typed; faults
 * stand beside their field, once it was touched or when everything is to be shown.
 */

import { h, icon, replace } from "../core/dom.js";
import { formatNumber, plural, t } from "../core/i18n.js";
import { adapterField } from "./adapter_field.js";
import { collectionsField } from "./collections_field.js";
import { choiceField, longField, numberField, switchField, textField } from "./fields.js";
import { guardsField } from "./guards_field.js";
import { listField } from "./list_field.js";
import { modelField } from "./model_field.js";
import { PictureField } from "./picture_field.js";
import { qualityField } from "./quality_field.js";
import { slug } from "./slug.js";

export class AssistantForm {
  /**
   * @param {import("./draft.js").Draft} draft
   * @param {{picture_url: string|null, onShowYaml: (line: number|null) => void}} options
   */
  constructor(draft, { picture_url: address = null, onShowYaml }) {
    this.draft = draft;
    this.onShowYaml = onShowYaml;
    this.touched = new Set();
    this.showAll = draft.name !== null;
    this.nameIsOwn = draft.name !== null || draft.values.name !== "";
    this.picture = new PictureField({ name: draft.name, title: draft.values.title, picture_url: address });
    this.heading = h("h1", { class: "builder-title" });
    this.summary = h("div", { class: "builder-summary", "aria-live": "polite" });
    this.fields = this.#makeFields();
    this.body = h("fieldset", { class: "builder-fields" }, this.#sections());
    this.element = h(
      "form",
      {
        class: "builder-form",
        "aria-label": t("The assistant as a form"),
        onsubmit: (event) => event.preventDefault(),
      },
      h(
        "div",
        { class: "builder-head" },
        this.picture.element,
        h("div", { class: "grow" }, this.heading, this.summary),
      ),
      this.body,
    );
    draft.addEventListener("kept", () => this.draw());
    draft.addEventListener("checked", () => this.draw());
    this.draw();
  }

  /** Show the faults of every field, and go to the first. */
  showFaults() {
    this.showAll = true;
    this.draw();
    const field = this.fields.find((one) => this.draft.faultsOf(one.name).length > 0);
    if (!field) return this.onShowYaml(this.draft.faults[0]?.line ?? null);
    field.element.closest("details")?.setAttribute("open", "");
    field.element.scrollIntoView({ block: "center" });
    field.focus();
  }

  /** The name stays from the first saving on. */
  fixName() {
    this.nameIsOwn = this.showAll = true;
    this.fields.find((one) => one.name === "name").control.readOnly = true;
    this.draw();
  }

  draw() {
    const { draft } = this;
    for (const field of this.fields) {
      field.set(draft.values[field.name]);
      const shown = this.showAll || this.touched.has(field.name) || draft.source === "yaml";
      field.show(shown ? draft.faultsOf(field.name) : [], draft.warningsOf(field.name));
    }
    const title = draft.values.title?.trim();
    replace(this.heading, title || t("New assistant"));
    this.picture.setTitle(title || t("New assistant"));
    this.body.disabled = draft.formIsBehind;
    this.#summarise();
  }

  #summarise() {
    const { draft } = this;
    if (draft.formIsBehind) {
      const line = draft.faults[0]?.line;
      const where = line
        ? t("The text has a fault in line {line}, so the form waits.", { line })
        : t("The text has a fault, so the form waits.");
      const go = h(
        "button",
        { type: "button", class: "button small", onclick: () => this.onShowYaml(line ?? null) },
        t("Show the fault"),
      );
      const back = h(
        "button",
        { type: "button", class: "button small", onclick: () => draft.useForm() },
        t("Go back to the form"),
      );
      return replace(this.summary, banner("code", where, [go, draft.values.title ? back : null]));
    }
    if (draft.error) return replace(this.summary, banner("triangle-alert", draft.error.message, []));
    const shown = draft.faults.filter((one) => this.showAll || this.touched.has(one.field?.split(".")[0]));
    if (!shown.length) {
      return replace(
        this.summary,
        h(
          "p",
          { class: "muted small" },
          draft.values.description || t("What it is for, in its own words, comes here."),
        ),
      );
    }
    const text = plural(
      shown.length,
      "{count} thing to mend before it can be saved.",
      "{count} things to mend before it can be saved.",
    );
    const go = h(
      "button",
      { type: "button", class: "button small", onclick: () => this.showFaults() },
      t("Show the first"),
    );
    return replace(this.summary, banner("triangle-alert", text, [go]));
  }

  #edit(name) {
    return (value) => {
      this.touched.add(name);
      if (name === "name") this.nameIsOwn = value !== "";
      this.draft.setField(name, value);
      if (name === "title" && !this.nameIsOwn) {
        this.draft.setField("name", slug(value));
        this.fields.find((one) => one.name === "name").set(this.draft.values.name);
      }
      if (name === "title") {
        replace(this.heading, value.trim() || t("New assistant"));
        this.picture.setTitle(value.trim() || t("New assistant"));
      }
    };
  }

  #makeFields() {
    const with_ = (make, options) => make({ ...options, onEdit: this.#edit(options.name) });
    const isNew = this.draft.name === null;
    this.collections = with_(collectionsField, { name: "collections" });
    this.model = with_(modelField, { name: "model" });
    this.adapter = with_(adapterField, { name: "adapter" });
    const nameHint = isNew
      ? t("Its file and its name in the API. It stays as it is later.")
      : t("Its file and its name in the API. To have it under another name, duplicate it.");
    const name = with_(textField, { name: "name", label: t("Short name"), hint: nameHint, mono: true, maxLength: 63 });
    if (!isNew) name.control.readOnly = true;
    return [
      with_(textField, { name: "title", label: t("Title"), placeholder: t("Human resources"), maxLength: 200 }),
      with_(textField, {
        name: "description",
        label: t("Description"),
        hint: t("One sentence for those who choose an assistant."),
      }),
      name,
      with_(longField, {
        name: "instructions",
        label: t("Instructions"),
        hint: t("What it is told before every conversation: who it speaks to, its tone, what it must and must not do."),
        class: "builder-instructions",
      }),
      with_(choiceField, {
        name: "language",
        label: t("Language of the instructions"),
        hint: t("It answers in the language of the question."),
        choices: [
          ["fr", t("French")],
          ["en", t("English")],
        ],
      }),
      this.collections,
      with_(switchField, {
        name: "abstain",
        label: t("Say when the documents do not hold the answer"),
        hint: t("Rather than guess. Switch it off only where a guess does no harm."),
      }),
      with_(textField, {
        name: "contact",
        label: t("How to reach a person"),
        hint: t("Told to those who ask for somebody, and where the documents do not hold the answer."),
        placeholder: t("the front desk, on 01 23 45 67 89."),
        maxLength: 500,
      }),
      with_(guardsField, {
        name: "guards",
        label: t("Guards"),
        hint: t("What it does by itself against attacks and in distress, without asking the model. All are on unless you switch one off."),
      }),
      with_(listField, {
        name: "first_questions",
        label: t("First questions"),
        hint: t("Proposed to those who begin."),
        add: t("Add a question"),
        row: t("Question {number}"),
        parts: [{ key: null, label: t("Question") }],
      }),
      with_(listField, {
        name: "examples",
        label: t("Examples"),
        hint: t("Questions with the answers that you want: the best way to show a tone or a form."),
        add: t("Add an example"),
        row: t("Example {number}"),
        parts: [
          { key: "question", label: t("Question"), placeholder: t("Question") },
          { key: "answer", label: t("Answer"), placeholder: t("The answer that you want"), long: true },
        ],
      }),
      this.model,
      this.adapter,
      with_(numberField, {
        name: "temperature",
        label: t("Temperature"),
        hint: t("0 repeats itself, 2 wanders. Usual: {value}.", { value: formatNumber(0.2) }),
        min: 0,
        max: 2,
        step: 0.1,
        empty: 0.2,
        placeholder: formatNumber(0.2),
      }),
      with_(numberField, {
        name: "max_tokens",
        label: t("Longest answer, in tokens"),
        hint: t("A token is about three quarters of a word. Usual: {value}.", { value: 512 }),
        min: 1,
        max: 32768,
        empty: 512,
        placeholder: "512",
      }),
      with_(numberField, {
        name: "passages",
        label: t("Passages read for a question"),
        hint: t("More finds more and takes longer. Usual: {value}.", { value: 8 }),
        min: 1,
        max: 30,
        empty: 8,
        placeholder: "8",
      }),
      with_(numberField, {
        name: "context_tokens",
        label: t("Tokens of documents for a question"),
        hint: t("Empty: as many as the model takes in easily."),
        min: 100,
        empty: null,
        placeholder: t("by itself"),
      }),
      with_(qualityField, {
        name: "quality",
        label: t("Quality that you accept, in per cent of good answers"),
        hint: t("Below it there is no certificate. Empty: what is proposed. The report shows both; limits of safety cannot be moved."),
      }),
      with_(listField, {
        name: "audience",
        label: t("Who may use it"),
        hint: t("Groups and people, such as group:everyone or user:1."),
        add: t("Add a group"),
        row: t("Group {number}"),
        parts: [{ key: null, label: t("Group") }],
      }),
    ];
  }

  #sections() {
    const by = Object.fromEntries(this.fields.map((one) => [one.name, one.element]));
    const section = (title, ...content) => h("section", { class: "builder-section" }, h("h2", {}, title), content);
    return [
      section(t("Who it is"), by.title, by.description, by.name),
      section(t("What it does"), by.instructions, by.language),
      section(t("What it knows"), by.collections, by.abstain),
      section(t("How one begins"), by.first_questions),
      section(t("How it answers"), by.examples, by.model, by.adapter),
      section(t("What protects people"), by.contact, by.guards),
      h(
        "details",
        { class: "builder-more" },
        h("summary", {}, icon("chevron-right"), h("h2", {}, t("Finer settings"))),
        h("div", { class: "builder-grid" }, by.temperature, by.max_tokens, by.passages, by.context_tokens),
        by.audience,
        by.quality,
      ),
    ];
  }
}

function banner(name, text, actions) {
  return h(
    "div",
    { class: "banner weak" },
    icon(name),
    h("div", { class: "grow" }, text),
    h("div", { class: "row wrap" }, actions),
  );
}
