/** The bar over the builder: where one is, whether it is saved, and what can be done with the whole. */

import { h, icon, iconButton, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { menuButton } from "../core/menu.js";
import { register } from "../core/shortcuts.js";

export class BuilderBar {
  /**
   * @param {import("./draft.js").Draft} draft
   * @param {{onSave: () => void, onHistory: () => void, onThrowAway: () => void}} actions
   */
  constructor(draft, actions) {
    this.draft = draft;
    this.actions = actions;
    this.save = h(
      "button",
      { type: "button", class: "button primary small", onclick: actions.onSave },
      icon("save", { class: "small" }),
      t("Save"),
    );
    this.history = iconButton("history", t("History"), { onclick: actions.onHistory });
    this.more = menuButton(iconButton("ellipsis", t("More")), () => this.#items(), { label: t("More"), align: "end" });
    this.state = h("span", { class: "builder-state small muted", role: "status" });
    this.crumb = h("span", { class: "truncate" });
    const all = h("a", { class: "crumb", href: "/assistants" }, t("Assistants"));
    replace(document.getElementById("topbar-title"), all, icon("chevron-right", { class: "small" }), this.crumb);
    replace(document.getElementById("topbar-actions"), this.state, this.history, this.more, this.save);
    for (const type of ["kept", "edited", "checked"]) draft.addEventListener(type, () => this.draw());
    this.draw();
    this.#registerKeys();
  }

  draw() {
    const { draft } = this;
    const title = draft.values.title?.trim() || t("New assistant");
    replace(this.crumb, title);
    document.title = `${title} · Établi`;
    const saved = draft.version ? t("Version {number}", { number: draft.version }) : "";
    replace(this.state, draft.isDirty ? t("Unsaved changes") : saved);
    this.state.classList.toggle("unsaved", draft.isDirty);
    this.history.hidden = draft.version === 0;
    this.save.disabled = !draft.isDirty && draft.version > 0;
  }

  #items() {
    const name = encodeURIComponent(this.draft.name ?? "");
    const disabled = this.draft.version === 0;
    return [
      { label: t("Talk to it"), icon: "message-circle", href: `/?assistant=${name}`, disabled },
      { label: t("Compare versions"), icon: "columns-2", href: `/assistants/${name}/compare`, disabled },
      { label: t("Duplicate"), icon: "copy", href: `/assistants/new?from=${name}`, disabled },
      "-",
      {
        label: t("Throw the changes away"),
        icon: "rotate-ccw",
        disabled: !this.draft.isDirty,
        run: this.actions.onThrowAway,
      },
    ];
  }

  #registerKeys() {
    register({
      id: "save-assistant",
      title: t("Save the assistant"),
      keys: "mod+s",
      icon: "save",
      group: t("Assistant"),
      run: this.actions.onSave,
    });
    register({
      id: "assistant-history",
      title: t("History of the assistant"),
      icon: "history",
      group: t("Assistant"),
      when: () => this.draft.version > 0,
      run: this.actions.onHistory,
    });
  }
}
