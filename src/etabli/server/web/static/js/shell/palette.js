/**
 * The palette: type to find a command or a conversation. A combobox with a list by the ARIA pattern: the focus stays in
 * the field, arrows move the choice, Enter does it, Escape closes.
 */

import { h, hiddenText, icon, replace, uid } from "../core/dom.js";
import { openModal } from "../core/dialog.js";
import { fold, plural, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { available, keyText, searches } from "../core/shortcuts.js";

const WAIT_MS = 120;
let open = null;

/** Open it, or close the open one. */
export function openPalette() {
  if (open) return open.close();
  const listId = uid("palette");
  let items = [];
  let chosen = 0;
  let work = new AbortController();
  let timer = 0;
  const input = h("input", {
    class: "input", type: "text", role: "combobox", placeholder: t("Search or type a command…"), autocomplete: "off",
    spellcheck: "false", "aria-expanded": "true", "aria-controls": listId, "aria-autocomplete": "list",
    "aria-label": t("Search and commands"), oninput: () => later(), onkeydown: onKey,
  });
  const list = h("ul", { class: "palette-list", id: listId, role: "listbox", "aria-label": t("Results") });
  const element = h("dialog", { class: "dialog palette", "aria-label": t("Search and commands") }, input, list);
  const modal = openModal(element, () => {
    open = null;
    work.abort();
    clearTimeout(timer);
  });
  open = modal;
  input.focus();
  show(commandsFor(""));
  find("");

  function later() {
    const query = input.value.trim();
    chosen = 0;
    show(commandsFor(query));
    clearTimeout(timer);
    timer = setTimeout(() => find(query), WAIT_MS);
  }

  async function find(query) {
    work.abort();
    work = new AbortController();
    const { signal } = work;
    const found = await Promise.allSettled(searches().map((search) => search(query, signal)));
    if (signal.aborted) return;
    const more = found.flatMap((one) => (one.status === "fulfilled" ? one.value : []));
    const commands = commandsFor(query);
    show([...commands.filter(({ last }) => !last), ...more, ...commands.filter(({ last }) => last)]);
    if (query) announce(plural(items.length, "{count} result", "{count} results"));
  }

  function show(next) {
    items = next;
    chosen = Math.min(chosen, Math.max(0, items.length - 1));
    const options = items.map((item, place) =>
      h(
        "li",
        {
          class: "menu-item", role: "option", id: `${listId}-${place}`, "aria-selected": "false",
          onclick: () => run(item),
          onpointermove: () => place !== chosen && choose(place),
        },
        icon(item.icon ?? "chevron-right"),
        h("span", { class: "grow truncate" }, item.title),
        item.keys
          ? [hiddenText(", "), h("span", { class: "kbd" }, keyText(item.keys))]
          : item.detail && h("span", { class: "detail truncate" }, item.detail),
      ),
    );
    const none = h("li", { class: "sidebar-note", role: "option", "aria-disabled": "true" }, t("Nothing found."));
    replace(list, options.length ? options : none);
    choose(chosen);
  }

  function choose(place) {
    chosen = place;
    [...list.children].forEach((one, index) => one.setAttribute("aria-selected", String(index === place && items.length > 0)));
    if (items.length) {
      input.setAttribute("aria-activedescendant", `${listId}-${place}`);
      list.children[place]?.scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function onKey(event) {
    const last = items.length - 1;
    const target = {
      ArrowDown: chosen >= last ? 0 : chosen + 1, ArrowUp: chosen <= 0 ? last : chosen - 1, PageDown: last, PageUp: 0,
    }[event.key];
    if (target !== undefined && items.length) {
      event.preventDefault();
      choose(target);
    } else if (event.key === "Enter" && !event.isComposing && items[chosen]) {
      event.preventDefault();
      run(items[chosen]);
    } else if (event.key === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      modal.close();
    }
  }

  async function run(item) {
    modal.close();
    await modal.closed; // the focus is back before the command moves it
    item.run();
  }
}

/** The commands whose title has every word of the query, those that begin with it first. */
function commandsFor(query) {
  const words = fold(query).split(/\s+/).filter(Boolean);
  const rank = (title) => (fold(title).startsWith(words[0] ?? "") ? 0 : 1);
  return available()
    .filter(({ title, hidden }) => !hidden && words.every((word) => fold(title).includes(word)))
    .sort((a, b) => (words.length ? rank(a.title) - rank(b.title) : 0));
}
