/**
 * <etabli-models>: the models of this machine and those that can be had. While something is under way the list is asked
 * for each second.
 */

import { api } from "../core/api.js";
import { publish, subscribe } from "../core/channel.js";
import { confirmDialog } from "../core/dialog.js";
import { h, icon, replace } from "../core/dom.js";
import { formatBytes, formatDate, plural, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { toast, toastError } from "../core/toast.js";
import { ModelCard } from "../models/model_card.js";
import { isRunning } from "../models/transfer_view.js";
import { adaptersShelf } from "../training/adapters_shelf.js";

const ALL = "/v1/etabli/models";
const EVERY_MS = 1000;

class Models extends HTMLElement {
  connectedCallback() {
    this.cards = new Map();
    this.before = new Map();
    this.timer = 0;
    this.machine = h("p", { class: "muted" });
    this.origin = h("div", { class: "banner" });
    this.sections = {
      installed: makeSection(t("Installed")),
      possible: makeSection(t("This machine can run")),
      large: makeSection(null),
    };
    this.largeTitle = h("span", {});
    this.large = h(
      "details",
      { class: "models-large", hidden: true },
      h("summary", {}, icon("chevron-right"), h("h2", {}, this.largeTitle)),
      this.sections.large.list,
    );
    replace(
      this,
      h(
        "div",
        { class: "page models-page" },
        h("div", { class: "page-head" }, h("div", {}, h("h1", {}, t("Models")), this.machine)),
        this.origin,
        this.sections.installed.element,
        adaptersShelf(),
        this.sections.possible.element,
        this.large,
      ),
    );
    this.actions = {
      pull: (model) => this.#do(model, "pull"),
      cancel: (model) => this.#do(model, "cancel"),
      verify: (model) => this.#do(model, "verify"),
      remove: (model) => this.#remove(model),
    };
    subscribe("models", (_, { here }) => here || this.#load());
    document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.#load());
    this.#load();
  }

  async #load() {
    clearTimeout(this.timer);
    try {
      const shelf = await api.get(ALL);
      this.#draw(shelf);
      this.failures = 0;
      if (shelf.data.some((one) => isRunning(one.state)) && document.visibilityState === "visible")
        this.#again(EVERY_MS);
    } catch (error) {
      this.failures = (this.failures ?? 0) + 1;
      if (!this.cards.size) replace(this.machine, error.message);
      if (this.failures < 20) this.#again(EVERY_MS * Math.min(10, 2 ** this.failures));
    }
  }

  #again(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#load(), wait);
  }

  #draw(shelf) {
    this.shelf = shelf;
    const busy = shelf.data.some((one) => isRunning(one.state));
    replace(this.machine, shelf.machine.sentence);
    this.#drawOrigin(shelf);
    const groups = { installed: [], possible: [], large: [] };
    for (const model of shelf.data) {
      const place = model.installed ? "installed" : model.can_run.ok || model.state !== null ? "possible" : "large";
      groups[place].push(model);
    }
    groups.installed.sort((one, other) => Number(other.active) - Number(one.active));
    for (const [place, models] of Object.entries(groups))
      this.#fill(this.sections[place], models, { machine: shelf.machine, busy });
    this.large.hidden = groups.large.length === 0;
    replace(
      this.largeTitle,
      plural(
        groups.large.length,
        "{count} model is too large for this machine",
        "{count} models are too large for this machine",
      ),
    );
    for (const model of shelf.data) this.#tell(model);
  }

  #drawOrigin({ data }) {
    const here = data.some((one) => one.active)
      ? ""
      : t("The model that answers now, {name}, runs elsewhere.", { name: this.shelf.active });
    const said = [
      t("Nothing is downloaded unless you click “Download”; each model says where it would come from."),
      t("Every file is compared with its known hash before it is used."),
      here,
    ];
    const text = said.filter(Boolean).join(" ");
    if (text !== this.said) replace(this.origin, icon("shield-check"), h("p", { class: "grow" }, text));
    this.said = text;
  }

  #fill({ element, list, none }, models, around) {
    const nodes = models.map((model) => {
      if (!this.cards.has(model.name)) this.cards.set(model.name, new ModelCard(model.name, this.actions));
      const card = this.cards.get(model.name);
      card.update(model, around);
      return card.element;
    });
    if (nodes.length !== list.children.length || nodes.some((node, index) => list.children[index] !== node)) {
      const focused = list.contains(document.activeElement) ? document.activeElement : null;
      replace(list, nodes);
      focused?.focus();
    }
    element?.toggleAttribute("data-empty", nodes.length === 0);
    if (none) none.hidden = nodes.length > 0;
  }

  /** Say how work ended that was under way when we looked last. */
  #tell(model) {
    const was = this.before.get(model.name);
    this.before.set(model.name, { state: model.state, installed: model.installed, verified_at: model.verified_at });
    if (!was || !isRunning(was.state) || isRunning(model.state)) return;
    publish("models", { name: model.name });
    if (model.state?.stage === "failed") announce(`${model.title}: ${model.state.error}`, { urgent: true });
    else if (model.state?.stage === "stopped") announce(t("{title}: stopped.", { title: model.title }));
    else if (model.installed && !was.installed)
      toast(t("{title} is here, and every byte is right.", { title: model.title }));
    else if (model.installed) {
      const date = formatDate(model.verified_at, "full");
      toast(t("{title} is sound: every byte is as it should be ({date}).", { title: model.title, date }));
    }
  }

  async #do(model, what) {
    try {
      await api.post(`${ALL}/${encodeURIComponent(model.name)}/${what}`);
      publish("models", { name: model.name });
      this.before.set(model.name, { ...this.before.get(model.name), state: { stage: "waiting" } });
    } catch (error) {
      toastError(error);
    }
    await this.#load();
    this.cards.get(model.name)?.element.querySelector("button:not([hidden]):not(:disabled)")?.focus();
  }

  async #remove(model) {
    const yes = await confirmDialog({
      title: t("Delete {title}?", { title: model.title }),
      text: t("This gives {size} back to the disk. To use it again, it must be downloaded again.", {
        size: formatBytes(model.size_bytes),
      }),
      confirm: t("Delete"),
      danger: true,
    });
    if (!yes) return;
    try {
      const { freed_bytes: freed } = await api.del(`${ALL}/${encodeURIComponent(model.name)}`);
      publish("models", { name: model.name });
      toast(t("{title} is deleted: {size} are free again.", { title: model.title, size: formatBytes(freed) }));
    } catch (error) {
      toastError(error);
    }
    await this.#load();
  }
}

function makeSection(title) {
  const list = h("ul", { class: "model-grid", role: "list" });
  if (title === null) return { list };
  const none = h("p", { class: "muted small", hidden: true }, t("None."));
  return { list, none, element: h("section", { class: "models-section" }, h("h2", {}, title), list, none) };
}

customElements.define("etabli-models", Models);
