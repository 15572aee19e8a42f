/**
 * <etabli-builder>: one assistant, new or not: form, text and a small chat beside each other. Ctrl-S saves a version.
 * /assistants/new?from=NAME begins with a copy of another one.
 */

import { AssistantForm } from "../assistants/form.js";
import { askForNote } from "../assistants/save_dialog.js";
import { askWhichText } from "../assistants/conflict_dialog.js";
import { chooseVersion } from "../assistants/history_dialog.js";
import { Draft } from "../assistants/draft.js";
import { freeName } from "../assistants/slug.js";
import { makePanes } from "../assistants/panes.js";
import { TryChat } from "../assistants/try_chat.js";
import { withTopKey } from "../assistants/yaml_text.js";
import { YamlEditor } from "../assistants/yaml_editor.js";
import { api } from "../core/api.js";
import { publish, subscribe } from "../core/channel.js";
import { confirmDialog } from "../core/dialog.js";
import { h, icon, iconButton, replace } from "../core/dom.js";
import { formatDate, language, t } from "../core/i18n.js";
import { menuButton } from "../core/menu.js";
import { page } from "../core/page.js";
import { register } from "../core/shortcuts.js";
import { toast, toastError } from "../core/toast.js";

const ALL = "/v1/etabli/assistants";
const addressOf = (name) => `${ALL}/${encodeURIComponent(name)}`;

class Builder extends HTMLElement {
  async connectedCallback() {
    this.name = page.parameters.name ?? null;
    replace(this, h("div", { class: "empty" }, h("span", { class: "spinner" })));
    try {
      const from = new URLSearchParams(location.search).get("from") ?? "";
      this.draft = new Draft(this.name, from);
      this.detail = await this.#begin(from);
    } catch (error) {
      return this.#failed(error);
    }
    this.#draw();
    if (this.draft.resume()) this.#sayResumed();
    this.#fill();
  }

  /** What is saved, or what a new one begins with. */
  async #begin(from) {
    if (this.name !== null) {
      const detail = await api.get(addressOf(this.name));
      this.draft.take(detail);
      return detail;
    }
    if (from) await this.#copy(from);
    else this.draft.begin({ language });
    return { versions: [], version: 0, picture_url: null };
  }

  async #copy(from) {
    const [detail, { data }] = await Promise.all([api.get(addressOf(from)), api.get(ALL)]);
    const name = freeName(
      from,
      data.map((one) => one.name),
    );
    const title = t("{title} (copy)", { title: detail.specification?.title ?? from });
    const text = withTopKey(detail.yaml, "name", name);
    const renamed = withTopKey(text ?? `name: ${name}\n${detail.yaml}`, "title", title);
    const values = { ...detail.specification, name, title };
    if (renamed === null && detail.specification) this.draft.begin(values);
    else this.draft.beginWithText(renamed ?? detail.yaml, values);
  }

  #draw() {
    const { draft } = this;
    this.yaml = new YamlEditor(draft);
    this.form = new AssistantForm(draft, {
      picture_url: this.detail.picture_url,
      onShowYaml: (line) => {
        this.panes.show("yaml");
        this.yaml.goTo(line);
      },
    });
    this.chat = new TryChat(draft);
    this.panes = makePanes(t("Parts of the builder"), [
      { id: "form", label: t("Form"), element: this.form.element },
      { id: "yaml", label: "YAML", element: this.yaml.element },
      { id: "try", label: t("Try it"), element: this.chat.element },
    ]);
    this.notice = h("div", { class: "builder-notice", "aria-live": "polite" });
    replace(this, this.notice, this.panes.element);
    this.#drawBar();
    for (const type of ["kept", "edited", "checked"]) draft.addEventListener(type, () => this.#state());
    this.#state();
    register({
      id: "save-assistant",
      title: t("Save the assistant"),
      keys: "mod+s",
      icon: "save",
      group: t("Assistant"),
      run: () => this.#save(),
    });
    register({
      id: "assistant-history",
      title: t("History of the assistant"),
      icon: "history",
      group: t("Assistant"),
      when: () => this.draft.version > 0,
      run: () => this.#history(),
    });
    addEventListener("beforeunload", (event) => this.draft.isDirty && event.preventDefault());
    subscribe(
      "assistants",
      (news, { here }) => !here && news.name === this.draft.name && !news.picture && this.#seeOthers(),
    );
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#seeOthers());
  }

  #drawBar() {
    this.saveButton = h(
      "button",
      { type: "button", class: "button primary small", onclick: () => this.#save() },
      icon("save", { class: "small" }),
      t("Save"),
    );
    this.historyButton = iconButton("history", t("History"), { onclick: () => this.#history() });
    this.more = menuButton(iconButton("ellipsis", t("More")), () => this.#menu(), { label: t("More"), align: "end" });
    this.stateText = h("span", { class: "builder-state small muted", role: "status" });
    this.crumb = h("span", { class: "truncate" });
    replace(
      document.getElementById("topbar-title"),
      h("a", { class: "crumb", href: "/assistants" }, t("Assistants")),
      icon("chevron-right", { class: "small" }),
      this.crumb,
    );
    replace(document.getElementById("topbar-actions"), this.stateText, this.historyButton, this.more, this.saveButton);
  }

  #menu() {
    const { draft } = this;
    const name = encodeURIComponent(draft.name ?? "");
    const saved = draft.version > 0;
    return [
      { label: t("Talk to it"), icon: "message-circle", href: `/?assistant=${name}`, disabled: !saved },
      { label: t("Compare versions"), icon: "columns-2", href: `/assistants/${name}/compare`, disabled: !saved },
      { label: t("Duplicate"), icon: "copy", href: `/assistants/new?from=${name}`, disabled: !saved },
      "-",
      {
        label: t("Throw the changes away"),
        icon: "rotate-ccw",
        disabled: !draft.isDirty,
        run: () => this.#throwAway(),
      },
    ];
  }

  #state() {
    const { draft } = this;
    const title = draft.values.title?.trim() || t("New assistant");
    replace(this.crumb, title);
    document.title = `${title} · Établi`;
    const saved = draft.version ? t("Version {number}", { number: draft.version }) : "";
    replace(this.stateText, draft.isDirty ? t("Unsaved changes") : saved);
    this.stateText.classList.toggle("unsaved", draft.isDirty);
    this.historyButton.hidden = draft.version === 0;
    this.saveButton.disabled = !draft.isDirty && draft.version > 0;
  }

  async #fill() {
    try {
      const [collections, models] = await Promise.all([
        api.get("/v1/etabli/collections"),
        api.get("/v1/etabli/models"),
      ]);
      this.form.collections.load(collections.data);
      this.form.model.load(models);
    } catch (error) {
      toastError(error);
    }
  }

  async #save({ over = false, note = null } = {}) {
    const { draft } = this;
    await draft.settle();
    if (draft.error) return toastError(draft.error);
    if (draft.faults.length) return this.form.showFaults();
    if (!draft.isDirty && draft.version > 0)
      return toast(t("There is nothing to save: version {number} says the same.", { number: draft.version }));
    const known = note ?? (await askForNote({ before: draft.savedText, after: draft.text, version: draft.version }));
    if (known === null) return undefined;
    const name = draft.name ?? draft.specification.name;
    const body = { yaml: draft.text, note: known, ...(over ? {} : { based_on: draft.version }) };
    try {
      await this.#saved(await api.put(addressOf(name), body));
    } catch (error) {
      if (error.status === 409 && draft.name !== null) return this.#conflict(known);
      if (error.status === 409) draft.faults = [{ field: "name", line: null, message: error.message }];
      else toastError(error);
      if (error.status === 409) this.form.showFaults();
    }
    return undefined;
  }

  async #saved(detail) {
    const { draft } = this;
    const isNew = draft.name === null;
    draft.forget();
    this.detail = detail;
    draft.name = this.name = detail.name;
    draft.take(detail);
    replace(this.notice);
    if (isNew) {
      history.replaceState(null, "", `/assistants/${encodeURIComponent(detail.name)}`);
      this.form.fixName();
    }
    await this.form.picture.saved(detail.name);
    publish("assistants", { name: detail.name });
    toast(t("Version {number} is saved.", { number: detail.version }), isNew ? this.#talk() : {});
  }

  #talk() {
    return { action: t("Talk to it"), onAction: () => location.assign(`/?assistant=${encodeURIComponent(this.name)}`) };
  }

  async #conflict(note) {
    try {
      const theirs = await api.get(addressOf(this.name));
      const choice = await askWhichText({ yours: this.draft.text, theirs });
      if (choice === "theirs") this.#takeOver(theirs);
      if (choice === "mine") {
        this.draft.version = theirs.version;
        await this.#save({ note });
      }
    } catch (error) {
      toastError(error);
    }
  }

  #takeOver(detail) {
    this.draft.forget();
    this.detail = detail;
    this.draft.take(detail);
    replace(this.notice);
  }

  async #history() {
    const { draft } = this;
    if (!draft.version) return;
    try {
      await draft.settle();
      const detail = await api.get(addressOf(this.name));
      const number = await chooseVersion({ name: this.name, versions: detail.versions, current: draft.text });
      if (number === null) return;
      if (draft.isDirty && !(await this.#mayLose())) return;
      const restored = await api.post(`${addressOf(this.name)}/versions/${number}/restore`, {
        based_on: detail.version,
      });
      this.#takeOver(restored);
      publish("assistants", { name: this.name });
      toast(t("Version {number} is the newest again, as version {newest}.", { number, newest: restored.version }));
    } catch (error) {
      toastError(error);
    }
  }

  #mayLose() {
    return confirmDialog({
      title: t("Throw the unsaved changes away?"),
      text: t("What you wrote since version {number} is not saved.", { number: this.draft.version }),
      confirm: t("Throw away"),
      danger: true,
    });
  }

  async #throwAway() {
    if (!(await this.#mayLose())) return;
    this.draft.forget();
    if (this.name === null) location.reload();
    else this.#takeOver(await api.get(addressOf(this.name)));
  }

  /** Look whether somebody else saved: in another tab, by another person, or in the file. */
  async #seeOthers() {
    if (this.name === null || !this.draft.version) return;
    try {
      const detail = await api.get(addressOf(this.name));
      if (detail.version === this.draft.version) return;
      if (!this.draft.isDirty) return void this.#takeOver(detail);
      const look = h(
        "button",
        { type: "button", class: "button small", onclick: () => this.#conflict(null) },
        t("Look at both"),
      );
      this.#notify("triangle-alert", t("Somebody saved version {number} meanwhile.", { number: detail.version }), look);
    } catch {
      // Asked for comfort only: saving will say it.
    }
  }

  #sayResumed() {
    const when = this.draft.keptAt ? formatDate(this.draft.keptAt) : "";
    const away = h(
      "button",
      { type: "button", class: "button small", onclick: () => this.#throwAway() },
      t("Throw them away"),
    );
    const close = iconButton("x", t("Close"), { class: "small", onclick: () => replace(this.notice) });
    this.#notify("history", t("Your unsaved changes of {time} are here again.", { time: when }), [away, close]);
    if (this.detail.version !== this.draft.version) this.#seeOthers();
  }

  #notify(name, text, actions) {
    replace(this.notice, h("div", { class: "banner" }, icon(name), h("span", { class: "grow" }, text), actions));
  }

  #failed(error) {
    const back = h("a", { class: "button", href: "/assistants" }, t("All assistants"));
    replace(
      this,
      h(
        "div",
        { class: "empty" },
        icon("bot"),
        h("h1", {}, error.status === 404 ? t("There is no such assistant") : t("It could not be loaded")),
        h("p", {}, error.message),
        back,
      ),
    );
  }
}

customElements.define("etabli-builder", Builder);
