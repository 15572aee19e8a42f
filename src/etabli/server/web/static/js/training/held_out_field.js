/** What is put aside to measure with: a share of the examples, another file, or nothing. */

import { h, uid } from "../core/dom.js";
import { formatPercent, t } from "../core/i18n.js";
import { FileField } from "./file_field.js";

export const SHARE = 0.1;

export class HeldOutField {
  /** @type {"share"|"file"|"none"} */
  kind = "share";
  file = null;

  /** @param {{onChange: () => void}} options */
  constructor({ onChange }) {
    const name = uid("held-out");
    this.field = new FileField({
      label: t("Choose the file"),
      hint: t("Examples of the same kind that are not in the first file."),
      onFile: (file) => {
        this.file = file;
        onChange();
      },
    });
    this.field.element.hidden = true;
    const choice = (kind, title, text) => {
      const input = h("input", {
        type: "radio",
        name,
        value: kind,
        checked: kind === this.kind,
        onchange: () => {
          this.kind = kind;
          this.field.element.hidden = kind !== "file";
          onChange();
        },
      });
      return h(
        "label",
        { class: "choice card" },
        input,
        h("span", { class: "grow" }, h("span", { class: "strong" }, title), h("span", { class: "muted small" }, text)),
      );
    };
    this.element = h(
      "div",
      { class: "stack", style: { gap: "var(--s2)" } },
      h(
        "div",
        { class: "choices", role: "radiogroup", "aria-label": t("What is put aside") },
        choice("share", t("{share} of the examples", { share: formatPercent(SHARE) }), t("Drawn by chance and never learned: what it answers to them shows the gain.")),
        choice("file", t("Another file"), t("You have examples of your own to measure with.")),
        choice("none", t("Nothing"), t("Then nobody can say what was gained; only the damage is measured.")),
      ),
      this.field.element,
    );
  }

  /** Why it is not complete, or null. */
  get missing() {
    return this.kind === "file" && this.file === null ? t("Choose the file that is put aside, or another way.") : null;
  }
}
