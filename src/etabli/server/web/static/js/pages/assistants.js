/** <etabli-assistants>: the gallery of assistants. */

import { assistantCard } from "../assistants/card.js";
import { loadStandings, sealLink } from "../certification/seal.js";
import { api } from "../core/api.js";
import { publish, subscribe } from "../core/channel.js";
import { h, icon, replace } from "../core/dom.js";
import { compareText, fold, formatDate, plural, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { register } from "../core/shortcuts.js";
import { toast, toastError } from "../core/toast.js";

const ALL = "/v1/etabli/assistants";
const FILTER_FROM = 7;

class Assistants extends HTMLElement {
  connectedCallback() {
    this.list = h("ul", { class: "assistant-grid", role: "list" });
    this.deleted = h("div", {});
    this.filter = h("input", {
      class: "input",
      type: "search",
      placeholder: t("Find an assistant"),
      "aria-label": t("Find an assistant"),
      autocomplete: "off",
      oninput: () => this.#draw(),
    });
    this.filterField = h("div", { class: "search-field assistant-filter", hidden: true }, icon("search"), this.filter);
    replace(
      this,
      h(
        "div",
        { class: "page" },
        h(
          "div",
          { class: "page-head" },
          h(
            "div",
            {},
            h("h1", {}, t("Assistants")),
            h("p", { class: "muted" }, t("Who people talk to: each has its instructions, its documents and its tone.")),
          ),
          h(
            "div",
            { class: "row" },
            h("a", { class: "button primary", href: "/assistants/new" }, icon("plus"), t("New assistant")),
          ),
        ),
        this.filterField,
        this.list,
        this.deleted,
      ),
    );
    replace(
      this.list,
      Array.from({ length: 3 }, () =>
        h("li", { class: "card assistant-card" }, h("span", { class: "skeleton" }), h("span", { class: "skeleton" })),
      ),
    );
    register({
      id: "new-assistant",
      title: t("New assistant"),
      icon: "plus",
      group: t("Assistants"),
      run: () => location.assign("/assistants/new"),
    });
    subscribe("assistants", (_, { here }) => here || this.#load());
    this.#load();
  }

  async #load() {
    try {
      const [all, gone] = await Promise.all([api.get(ALL), api.get("/v1/etabli/deleted/assistants")]);
      this.all = all.data.sort((one, other) => compareText(one.title, other.title));
      this.gone = gone.data;
      this.standings = null;
      this.#draw();
    } catch (error) {
      const again = h("button", { type: "button", class: "button", onclick: () => this.#load() }, t("Try again"));
      replace(this.list, h("li", { class: "empty" }, icon("triangle-alert"), h("p", {}, error.message), again));
    }
  }

  #draw() {
    const words = fold(this.filter.value.trim());
    const shown = this.all.filter((one) =>
      fold(`${one.title} ${one.name} ${one.description} ${one.collections.join(" ")}`).includes(words),
    );
    this.filterField.hidden = this.all.length < FILTER_FROM;
    const cards = shown.map((one) => assistantCard(one, { onDelete: () => this.#delete(one) }));
    replace(this.list, cards.length ? cards : this.#nothing(words));
    this.#seal(shown, cards);
    if (words) announce(plural(shown.length, "{count} assistant", "{count} assistants"));
    replace(this.deleted, this.gone.length ? this.#bin() : null);
  }

  /** Put the seals of the assistants into their cards, once they are known. */
  async #seal(shown, cards) {
    this.standings ??= loadStandings().catch(() => new Map());
    const standings = await this.standings;
    for (const [place, one] of shown.entries()) {
      const standing = standings.get(one.name);
      if (standing) cards[place].querySelector(".assistant-card-foot > span").append(sealLink(one.name, standing));
    }
  }

  #nothing(words) {
    if (words) return h("li", { class: "empty" }, icon("search"), h("p", {}, t("No assistant has these words.")));
    const make = h("a", { class: "button primary", href: "/assistants/new" }, icon("plus"), t("Make the first one"));
    return h(
      "li",
      { class: "empty" },
      icon("bot"),
      h("h2", {}, t("There is no assistant yet")),
      h("p", {}, t("An assistant is a few sentences on how to answer, and the documents to answer from.")),
      make,
    );
  }

  #bin() {
    const rows = this.gone.map((one) =>
      h(
        "li",
        { class: "spread deleted-row" },
        h(
          "span",
          { class: "grow" },
          one.title,
          h("span", { class: "muted tiny" }, ` ${t("deleted {date}", { date: formatDate(one.deleted_at) })}`),
        ),
        h(
          "button",
          {
            type: "button",
            class: "button small",
            "aria-label": t("Bring {title} back", { title: one.title }),
            onclick: () => this.#restore(one),
          },
          icon("undo-2", { class: "small" }),
          t("Bring back"),
        ),
      ),
    );
    return h(
      "details",
      { class: "deleted-list" },
      h(
        "summary",
        { class: "muted small" },
        plural(this.gone.length, "{count} deleted assistant", "{count} deleted assistants"),
      ),
      h("ul", { role: "list" }, rows),
    );
  }

  async #delete(one) {
    try {
      await api.del(`${ALL}/${encodeURIComponent(one.name)}`);
      publish("assistants", { name: one.name });
      await this.#load();
      toast(t("{title} is deleted.", { title: one.title }), { action: t("Undo"), onAction: () => this.#restore(one) });
      (this.list.querySelector("a") ?? this.querySelector("a"))?.focus();
    } catch (error) {
      toastError(error);
    }
  }

  async #restore(one) {
    try {
      await api.post(`${ALL}/${encodeURIComponent(one.name)}/restore`);
      publish("assistants", { name: one.name });
      await this.#load();
      announce(t("{title} is back.", { title: one.title }));
    } catch (error) {
      toastError(error);
    }
  }
}

customElements.define("etabli-assistants", Assistants);
