/**
 * <etabli-builder>: one assistant, new or not: form, text and a small chat beside each other. Ctrl-S saves a version.
 * /assistants/new?from=NAME begins with a copy of another one.
 */

import { BuilderBar } from "../assistants/builder_bar.js";
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
import { page } from "../core/page.js";
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
    this.bar = new BuilderBar(draft, {
      onSave: () => this.#save(),
      onHistory: () => this.#history(),
      onThrowAway: () => this.#throwAway(),
    });
    addEventListener("beforeunload", (event) => this.draft.isDirty && event.preventDefault());
    subscribe(
      "assistants",
      (news, { here }) => !here && news.name === this.draft.name && !news.picture && this.#seeOthers(),
    );
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#seeOthers());
  }

  async #fill() {
    // Only the owner of the installation may see what was trained.
    api.get("/v1/etabli/adapters").then(
      ({ data }) => this.form.adapter.load(data),
      () => this.form.adapter.load([]),
    );
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

  async #save() {
    if (this.saving) return;
    this.saving = true;
    try {
      await this.draft.settle();
      if (this.draft.error) toastError(this.draft.error);
      else if (this.draft.faults.length) this.form.showFaults();
      else if (this.#hasNothingNew()) toast(t("There is nothing to save: it is as it was."));
      else await this.#send(null);
    } finally {
      this.saving = false;
    }
  }

  #hasNothingNew() {
    return !this.draft.isDirty && this.draft.version > 0;
  }

  /** @param {string|null} given the note, where it is known already: after a conflict */
  async #send(given) {
    const { draft } = this;
    const note = given ?? (await askForNote({ before: draft.savedText, after: draft.text, version: draft.version }));
    if (note === null) return;
    const name = draft.name ?? draft.specification.name;
    try {
      await this.#saved(await api.put(addressOf(name), { yaml: draft.text, note, based_on: draft.version }));
    } catch (error) {
      if (error.status !== 409) toastError(error);
      else if (draft.name !== null) await this.#conflict(note, error);
      else this.#nameIsTaken(error.message);
    }
  }

  #nameIsTaken(message) {
    this.draft.faults = [{ field: "name", line: null, message }];
    this.form.showFaults();
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

  /** @param {string|null} note @param {Error|null} refusal what saving answered */
  async #conflict(note, refusal = null) {
    try {
      const theirs = await api.get(addressOf(this.name));
      const choice = await askWhichText({ yours: this.draft.text, theirs });
      if (choice === "theirs") this.#takeOver(theirs);
      if (choice === "mine") {
        this.draft.version = theirs.version;
        this.draft.savedText = theirs.yaml;
        await this.#send(note);
      }
    } catch (error) {
      toastError(error.status === 404 ? (refusal ?? error) : error); // it was deleted
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
