/**
 * <etabli-sidebar>: the conversations, and the way to the other pages.
 *
 * Hears on `document`: `etabli:conversation-shown` {id|null} marks the current one.
 * Sends on `document`, cancelable: `etabli:open-conversation` {id}, `etabli:new-conversation`; the chat page cancels them
 * and changes without loading a page.
 * Keys in the list: arrows, Home, End move; Enter opens; F2 renames; Delete deletes (and can be undone).
 */

import { h, hiddenText, icon, iconButton } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { menuButton, openMenu } from "../core/menu.js";
import { page } from "../core/page.js";
import { keyText } from "../core/shortcuts.js";
import { conversationMenu, remove, rename } from "./conversation_actions.js";
import { Conversations } from "./conversations.js";
import { Drawer } from "./drawer.js";
import { rowsOf } from "./rows.js";
import { settingsMenu, signOut } from "./settings_menu.js";
import { newConversation, openConversation, registerShell } from "./shell_actions.js";
import { WindowedList } from "./windowed.js";

const WAIT_MS = 150;
const coarse = matchMedia("(pointer: coarse)");

class Sidebar extends HTMLElement {
  #store = new Conversations();
  #current = page.name === "chat" ? (page.parameters.id ?? null) : null;
  #query = "";
  #found = null;
  #work = new AbortController();
  #timer = 0;

  connectedCallback() {
    this.append(this.#head(), this.#tools(), this.#listing(), this.#foot());
    this.drawer = new Drawer(this);
    this.#store.addEventListener("change", () => this.#show());
    document.addEventListener("etabli:conversation-shown", ({ detail }) => this.#mark(detail.id));
    registerShell({
      sidebar: { toggle: () => this.drawer.toggle(), search: () => this.#focusSearch() },
      conversations: this.#store,
      signOut,
    });
    this.#show();
    this.#store.refresh();
  }

  #head() {
    const close = iconButton("panel-left", t("Close the sidebar"), { dataset: { part: "close", tip: t("Close the sidebar") } });
    close.addEventListener("click", () => this.drawer.close());
    return h(
      "div",
      { class: "sidebar-head" },
      h("a", { class: "wordmark", href: "/", onclick: (event) => this.#new(event) }, icon("mark"), "Établi"),
      close,
    );
  }

  #tools() {
    this.search = h("input", {
      class: "input", type: "search", placeholder: t("Search conversations"), "aria-label": t("Search conversations"),
      autocomplete: "off", spellcheck: "false", oninput: () => this.#typed(),
      onkeydown: (event) => {
        if (event.key === "Escape" && this.search.value) {
          event.preventDefault();
          this.search.value = "";
          this.#typed();
        } else if (event.key === "ArrowDown") {
          event.preventDefault();
          this.#focusRow(0, 1);
        }
      },
    });
    return h(
      "div",
      { class: "sidebar-tools" },
      h(
        "a",
        { class: "button", href: "/", dataset: { tip: keyText("mod+shift+o") }, onclick: (event) => this.#new(event) },
        icon("square-pen"),
        t("New conversation"),
      ),
      h("div", { class: "search-field" }, icon("search"), this.search),
    );
  }

  #listing() {
    const scroller = h("div", { class: "sidebar-list", onkeydown: (event) => this.#keys(event) });
    this.note = h("p", { class: "sidebar-note", role: "status" });
    this.list = new WindowedList(scroller, {
      label: t("Conversations"),
      height: ({ entry }) => (entry ? (coarse.matches ? 44 : 36) + (this.#snippet(entry) ? 18 : 0) : 38),
      draw: (row) => this.#row(row),
      onNearEnd: () => this.#found === null && this.#store.more(),
    });
    scroller.prepend(this.note);
    return scroller;
  }

  #foot() {
    const link = (path, name, image, label) =>
      h(
        "li",
        {},
        h("a", { class: "nav-link", href: path, "aria-current": page.name === name ? "page" : null }, icon(image), label),
      );
    const settings = h("button", { class: "nav-link", type: "button" }, icon("settings"), h("span", { class: "grow" }, t("Settings")));
    menuButton(settings, settingsMenu, { label: t("Settings") });
    return h(
      "div",
      { class: "sidebar-foot" },
      h(
        "ul",
        { class: "sidebar-nav", role: "list" },
        link("/documents", "documents", "files", t("Documents")),
        link("/assistants", "assistants", "bot", t("Assistants")),
        link("/training", "training", "graduation-cap", t("Training")),
        link("/certification", "certification", "shield-check", t("Certification")),
        link("/models", "models", "cpu", t("Models")),
        h("li", {}, settings),
      ),
    );
  }

  #row({ key, heading, entry }) {
    if (heading) return h("li", { class: "sidebar-row heading" }, heading);
    const current = entry.id === this.#current;
    const menu = iconButton("ellipsis", t("Actions for “{title}”", { title: entry.title }), {
      dataset: { part: "menu" }, "aria-haspopup": "menu", "aria-expanded": "false",
      onclick: () => openMenu(menu, conversationMenu(this.#store, entry, this.#hooks), { label: entry.title }),
    });
    const snippet = this.#snippet(entry);
    return h(
      "li",
      { class: ["sidebar-row", current && "current"], dataset: { key } },
      h(
        "a",
        {
          class: "sidebar-link", href: `/c/${encodeURIComponent(entry.id)}`, dataset: { part: "link" },
          "aria-current": current ? "page" : null,
          onclick: (event) => this.#open(event, entry.id),
        },
        h("span", { class: "truncate" }, entry.title),
        snippet && h("span", { class: "snippet truncate" }, marked(snippet)),
      ),
      entry.running && h("span", { class: "row-mark spinner" }, hiddenText(t("An answer is being written"))),
      menu,
    );
  }

  #show() {
    const entries = this.#found ?? this.#store.list;
    const known = this.#rows ?? new Map();
    // A row whose facts did not change stays the same object, so that its element is kept.
    const rows = (this.#found ? entries.map((entry) => ({ key: entry.id, entry })) : rowsOf(entries)).map((row) => {
      const mark = JSON.stringify([row.heading, row.entry, row.key === this.#current]);
      const old = known.get(row.key);
      return old?.mark === mark ? old : { ...row, mark };
    });
    this.#rows = new Map(rows.map((row) => [row.key, row]));
    this.list.show(rows);
    this.#say(entries.length);
  }
  #rows = null;

  #say(count) {
    let text = "";
    if (this.#found && !count) text = t("No conversation contains “{query}”.", { query: this.#query });
    else if (!this.#found && this.#store.error && !count) text = t("The conversations could not be loaded.");
    else if (!this.#found && this.#store.complete && !count) text = t("Your conversations will be listed here.");
    this.note.textContent = text;
    this.note.hidden = !text;
  }

  #snippet(entry) {
    return this.#found ? entry.snippet : null;
  }

  #typed() {
    this.#query = this.search.value.trim();
    this.#work.abort();
    clearTimeout(this.#timer);
    if (!this.#query) {
      this.#found = null;
      return this.#show();
    }
    this.#timer = setTimeout(() => this.#find(), WAIT_MS);
  }

  async #find() {
    this.#work = new AbortController();
    const { signal } = this.#work;
    try {
      this.#found = await this.#store.search(this.#query, signal);
    } catch (error) {
      if (error.name === "AbortError") return;
      this.#found = [];
    }
    if (signal.aborted) return;
    this.list.scroller.scrollTop = 0;
    this.#show();
  }

  #mark(id) {
    this.#current = id;
    this.#show();
  }

  #new(event) {
    if (isPlain(event)) {
      event.preventDefault();
      newConversation();
      if (this.drawer.isDrawerOpen) this.drawer.close();
    }
  }

  #open(event, id) {
    if (!isPlain(event)) return;
    event.preventDefault();
    openConversation(id);
    if (this.drawer.isDrawerOpen) this.drawer.close();
  }

  get #hooks() {
    return { onDeleted: (id) => id === this.#current && newConversation() };
  }

  #focusSearch() {
    if (!this.drawer.isOpen) this.drawer.open({ focus: false });
    this.search.focus();
    this.search.select();
  }

  #keys(event) {
    const row = event.target.closest?.(".sidebar-row");
    if (!row || event.target.dataset.part !== "link") return;
    const keys = [...this.#rows.keys()];
    const place = keys.indexOf(row.dataset.key);
    const entry = this.#rows.get(row.dataset.key)?.entry;
    const act = {
      ArrowDown: () => this.#focusRow(place + 1, 1),
      ArrowUp: () => this.#focusRow(place - 1, -1) || this.search.focus(),
      Home: () => this.#focusRow(0, 1),
      End: () => this.#focusRow(keys.length - 1, -1),
      F2: () => rename(this.#store, entry),
      Delete: () => {
        this.#focusRow(place + 1, 1) || this.#focusRow(place - 1, -1) || this.search.focus();
        remove(this.#store, entry, this.#hooks);
      },
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** Move the focus to the nearest conversation from a place, in a direction. @returns {boolean} whether there is one */
  #focusRow(place, step) {
    const rows = [...this.#rows.values()];
    while (rows[place] && !rows[place].entry) place += step;
    if (!rows[place]) return false;
    this.list.reveal(rows[place].key)?.querySelector("[data-part=link]")?.focus({ preventScroll: true });
    return true;
  }
}

/** A snippet with what was found marked. */
function marked({ text, ranges }) {
  const parts = [];
  let end = 0;
  for (const [from, to] of ranges) {
    parts.push(text.slice(end, from), h("mark", {}, text.slice(from, to)));
    end = to;
  }
  return [...parts, text.slice(end)];
}

/** A click that is not for another tab or window. */
function isPlain(event) {
  return event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
}

customElements.define("etabli-sidebar", Sidebar);
