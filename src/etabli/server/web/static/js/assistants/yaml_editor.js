/**
 * <section class="yaml-editor">: the assistant as the text of its file, with line numbers; lines with a fault are marked,
 * and the faults stand below as buttons that go there. Enter keeps the indentation of the line.
 */

import { h, icon, replace, uid } from "../core/dom.js";
import { t } from "../core/i18n.js";

export class YamlEditor {
  /** @param {import("./draft.js").Draft} draft */
  constructor(draft) {
    this.draft = draft;
    this.quiet = draft.name === null;
    const heading = uid("yaml-title");
    this.numbers = h("div", { class: "yaml-numbers numbers", "aria-hidden": "true" });
    this.faults = h("div", { class: "yaml-faults", id: uid("yaml-faults"), "aria-live": "polite" });
    this.area = h("textarea", {
      class: "yaml-text",
      spellcheck: "false",
      autocomplete: "off",
      autocapitalize: "off",
      wrap: "off",
      translate: "no",
      "aria-labelledby": heading,
      "aria-describedby": this.faults.id,
      oninput: () => this.#typed(),
      onscroll: () => (this.numbers.scrollTop = this.area.scrollTop),
      onkeydown: (event) => this.#keys(event),
    });
    this.file = h("code", { class: "muted tiny" });
    this.element = h(
      "section",
      { class: "yaml-editor", "aria-labelledby": heading },
      h("div", { class: "pane-head" }, h("h2", { id: heading }, "YAML"), this.file),
      h("div", { class: "yaml-frame" }, this.numbers, this.area),
      this.faults,
    );
    for (const type of ["kept", "checked", "edited"]) draft.addEventListener(type, () => this.draw());
    this.draw();
  }

  draw() {
    const { draft } = this;
    if (this.area.value !== draft.text) {
      const { scrollTop, selectionStart } = this.area;
      this.area.value = draft.text;
      this.area.scrollTop = scrollTop;
      if (document.activeElement === this.area) this.area.setSelectionRange(selectionStart, selectionStart);
    }
    const name = draft.name ?? draft.values.name;
    replace(this.file, name ? `assistants/${name}.yaml` : "");
    if (draft.source === "yaml" || draft.version > 0) this.quiet = false;
    this.#mark(this.quiet ? [] : draft.faults);
  }

  /** Put the cursor at the beginning of a line. @param {number|null} line from 1 */
  goTo(line) {
    const lines = this.area.value.split("\n");
    const at = lines.slice(0, Math.max(0, (line ?? 1) - 1)).reduce((sum, one) => sum + one.length + 1, 0);
    this.area.focus();
    this.area.setSelectionRange(at, at + (lines[(line ?? 1) - 1]?.length ?? 0));
    const height = this.area.scrollHeight / Math.max(1, lines.length);
    this.area.scrollTop = Math.max(0, height * ((line ?? 1) - 4));
  }

  #typed() {
    this.draft.setText(this.area.value);
  }

  #keys(event) {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const { value, selectionStart: start } = this.area;
    const line = value.slice(value.lastIndexOf("\n", start - 1) + 1, start);
    const indent = /^ */.exec(line)[0] + (/:\s*[|>]?[+-]?\s*$/.test(line) && line.trim() !== "" ? "  " : "");
    if (!indent) return;
    event.preventDefault();
    // Goes through the browser's own editing, so that Ctrl-Z takes it back.
    document.execCommand("insertText", false, `\n${indent}`);
  }

  #mark(faults) {
    const count = Math.max(1, this.area.value.split("\n").length);
    const wrong = new Set(faults.map((one) => one.line));
    const key = `${count}:${[...wrong].join()}`;
    if (key !== this.marked) {
      this.marked = key;
      const numbers = Array.from({ length: count }, (_, index) => index + 1);
      replace(
        this.numbers,
        numbers.map((number) => h("div", { class: wrong.has(number) ? "wrong" : null }, number)),
      );
      this.numbers.scrollTop = this.area.scrollTop;
    }
    this.area.setAttribute("aria-invalid", String(faults.length > 0));
    replace(
      this.faults,
      this.#remarks(),
      faults.map((fault) => this.#fault(fault)),
      this.#warnings(),
    );
  }

  #fault({ line, message }) {
    return h(
      "button",
      { type: "button", class: "yaml-fault", onclick: () => this.goTo(line) },
      icon("circle-alert", { class: "small" }),
      line ? h("strong", {}, t("Line {line}", { line })) : null,
      h("span", {}, message),
    );
  }

  #remarks() {
    if (this.draft.textWithRemarks === null) return null;
    const back = { type: "button", class: "button small", onclick: () => this.draft.bringRemarksBack() };
    return h(
      "div",
      { class: "yaml-note" },
      icon("info", { class: "small" }),
      h(
        "span",
        { class: "grow" },
        t("The form has no place for the remarks (#…) of this text: they are gone from it now."),
      ),
      h("button", back, t("Take the form’s changes back")),
    );
  }

  #warnings() {
    if (this.draft.textWithRemarks !== null) return null;
    const whole = this.draft.warnings.filter((one) => !one.field);
    return whole.map((one) =>
      h("div", { class: "yaml-note" }, icon("info", { class: "small" }), h("span", {}, one.message)),
    );
  }
}
