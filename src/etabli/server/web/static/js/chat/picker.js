/** The button that says who answers, and its menu. `picker.model` is what is asked; `onPick` is told of a choice. */

import { loadStandings, sealMark } from "../certification/seal.js";
import { api } from "../core/api.js";
import { openDialog } from "../core/dialog.js";
import { h, icon, replace } from "../core/dom.js";
import { formatDate, t } from "../core/i18n.js";
import { menuButton } from "../core/menu.js";
import { toastError } from "../core/toast.js";
import { assistantOf, partsOf, rememberModel } from "./assistants.js";

const KEPT_MS = 30_000;

export class AssistantPicker {
  #assistants = [];
  #model = null;
  /** Asked for when somebody is about to choose, and again after a while. */
  #standings = null;

  /** @param {{onPick?: (model: string) => void}} [options] */
  constructor({ onPick } = {}) {
    this.onPick = onPick;
    this.element = h("button", { class: "picker", type: "button" });
    for (const near of ["pointerenter", "focus"]) this.element.addEventListener(near, () => this.#ask());
    menuButton(this.element, () => this.#items(), { label: t("Assistant") });
    this.#draw();
  }

  /** `name` or `name@version`; null before the assistants are known. */
  get model() {
    return this.#model;
  }

  /** @param {import("./assistants.js").Assistant[]} assistants @param {string|null} model */
  set(assistants, model) {
    this.#assistants = assistants;
    this.#model = model;
    this.#draw();
  }

  #pick(model) {
    this.#model = model;
    rememberModel(partsOf(model).name);
    this.#draw();
    this.onPick?.(model);
  }

  #draw() {
    const assistant = assistantOf(this.#assistants, this.#model);
    const { name, version } = partsOf(this.#model);
    const title = assistant?.title || name || t("Assistant");
    this.element.disabled = this.#assistants.length === 0;
    this.element.setAttribute("aria-label", t("Assistant: {title}", { title }));
    replace(
      this.element,
      h("span", { class: "truncate" }, title),
      version && h("span", { class: "badge" }, t("version {number}", { number: version })),
      icon("chevrons-up-down", { class: "small" }),
    );
  }

  #ask() {
    this.#standings ??= loadStandings().catch(() => new Map());
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => (this.#standings = null), KEPT_MS);
  }
  #timer = 0;

  /** Whether an assistant is certified, as soon as that is known. */
  #mark(name) {
    const place = h("span", { class: "picker-mark" });
    this.#standings?.then((all) => all.has(name) && replace(place, sealMark(all.get(name))));
    return place;
  }

  #items() {
    this.#ask();
    const { name, version } = partsOf(this.#model);
    const choices = this.#assistants.map((one) => ({
      label: one.title || one.name,
      checked: one.name === name && version === null,
      mark: this.#mark(one.name),
      run: () => this.#pick(one.name),
    }));
    const assistant = assistantOf(this.#assistants, this.#model);
    const versions = assistant && assistant.version > 1;
    return [
      { title: t("Who answers") },
      ...choices,
      "-",
      versions && { label: t("Choose a version…"), icon: "history", run: () => this.#chooseVersion(assistant) },
      { label: t("All assistants"), icon: "bot", href: "/assistants" },
    ].filter(Boolean);
  }

  async #chooseVersion(assistant) {
    let detail;
    try {
      detail = await api.get(`/v1/etabli/assistants/${encodeURIComponent(assistant.name)}`);
    } catch (error) {
      return toastError(error);
    }
    const versions = detail.versions.filter((one) => one.kind !== "deleted");
    const rows = versions.map((one) =>
      h(
        "li",
        null,
        h(
          "button",
          { class: "menu-item", type: "button", onclick: () => dialog.close(one.number) },
          h("span", { class: "strong" }, t("Version {number}", { number: one.number })),
          h("span", { class: "grow muted truncate" }, one.note || ""),
          h("span", { class: "muted small" }, formatDate(one.saved_at)),
        ),
      ),
    );
    const dialog = openDialog({
      title: t("Versions of {title}", { title: assistant.title || assistant.name }),
      body: h("ul", { role: "list" }, rows),
    });
    const number = await dialog.closed;
    if (!number) return;
    this.#pick(number === assistant.version ? assistant.name : `${assistant.name}@${number}`);
  }
}
