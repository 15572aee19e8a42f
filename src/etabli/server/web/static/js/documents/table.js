/**
 * <etabli-documents-table>: documents in a table, of which only the rows near the window exist.
 *
 * Properties, set once: `open(entry)`, `items(entry)` (of its menu), `remove(entry)`. Methods: `show(rows, {label})`,
 * `focusRow(place)`. Event: `etabli:sort` {key}. Keys: ↑ ↓ Page Up, Page Down, Home, End between rows, ← → within one,
 * Enter opens, Delete deletes. One row at a time is in the order of the Tab key.
 */

import { h, icon, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { drawRow } from "./row.js";

const MARGIN = 8;
const JUMP = 10;

class DocumentsTable extends HTMLElement {
  open = () => {};
  items = () => [];
  remove = () => {};
  #rows = [];
  /** @type {Map<number, {element: HTMLElement, entry: any, place: number}>} */
  #drawn = new Map();
  #current = null;
  #sort = { key: "name", down: false };
  #frame = 0;

  connectedCallback() {
    if (this.body) return;
    this.headRow = h("tr", { role: "row", "aria-rowindex": "1" });
    this.body = h("tbody", { role: "rowgroup" });
    this.table = h(
      "table",
      { class: "documents-table", role: "grid" },
      h("thead", { role: "rowgroup" }, this.headRow),
      this.body,
    );
    replace(this, this.table);
    this.#drawHead();
    this.scroller = this.closest(".documents-scroll");
    this.scroller.addEventListener("scroll", () => this.#later(), { passive: true });
    this.watcher = new ResizeObserver(() => this.#later());
    this.watcher.observe(this.scroller);
    this.watcher.observe(this);
    this.body.addEventListener("keydown", (event) => this.#key(event));
    this.body.addEventListener("focusin", ({ target }) => this.#become(Number(target.closest("tr")?.dataset.id)));
  }

  disconnectedCallback() {
    this.watcher?.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  /** @param {any[]} rows in their order @param {{label: string, sort: {key: string, down: boolean}}} options */
  show(rows, { label, sort }) {
    this.#rows = rows;
    if (sort.key !== this.#sort.key || sort.down !== this.#sort.down) {
      this.#sort = sort;
      this.#drawHead();
    }
    this.table.setAttribute("aria-label", label);
    this.table.setAttribute("aria-rowcount", String(rows.length + 1));
    this.#paint();
  }

  /** Bring a row into view and give it the focus. @param {number} place @param {string} [part] of the row */
  focusRow(place, part = "name") {
    const entry = this.#rows[Math.max(0, Math.min(this.#rows.length - 1, place))];
    if (!entry) return;
    const top = this.#above() + this.#rows.indexOf(entry) * this.#height();
    const head = this.headRow.offsetHeight;
    if (top < this.scroller.scrollTop + head) this.scroller.scrollTop = top - head;
    const bottom = top + this.#height() - this.scroller.clientHeight;
    if (bottom > this.scroller.scrollTop) this.scroller.scrollTop = bottom;
    this.#become(entry.id);
    this.#paint();
    this.#drawn.get(entry.id)?.element.querySelector(`[data-part="${part}"]`)?.focus({ preventScroll: true });
  }

  #drawHead() {
    const columns = [
      ["name", t("Name"), "cell-name"],
      ["stage", t("State"), "cell-stage"],
      ["pages", t("Pages"), "cell-pages end"],
      ["size", t("Size"), "cell-size end"],
      ["date", t("Changed"), "cell-date end"],
    ];
    const { key, down } = this.#sort;
    const focused = document.activeElement?.dataset?.sort;
    replace(
      this.headRow,
      columns.map(([name, label, kind]) =>
        h(
          "th",
          { role: "columnheader", scope: "col", class: kind, "aria-sort": name === key ? (down ? "descending" : "ascending") : "none" },
          h(
            "button",
            {
              type: "button", class: "sort-button", dataset: { sort: name },
              onclick: () => this.dispatchEvent(new CustomEvent("etabli:sort", { detail: { key: name } })),
            },
            label,
            icon(name === key && down ? "arrow-down" : "arrow-up", { class: name === key ? "small" : "small idle" }),
          ),
        ),
      ),
      h("th", { role: "columnheader", scope: "col", class: "cell-menu" }, h("span", { class: "visually-hidden" }, t("Actions"))),
    );
    if (focused) this.headRow.querySelector(`[data-sort="${focused}"]`)?.focus({ preventScroll: true });
  }

  /** Height of a row in pixels, as the style sheet has it: rows are cards in a narrow window. */
  #height() {
    return Number.parseFloat(getComputedStyle(this.table).getPropertyValue("--row")) || 56;
  }

  /** Where the first row lies in the scrolling region. */
  #above() {
    return this.body.getBoundingClientRect().top - this.scroller.getBoundingClientRect().top + this.scroller.scrollTop;
  }

  #later() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint() {
    if (!this.isConnected) return;
    const height = this.#height();
    const count = this.#rows.length;
    const passed = this.scroller.scrollTop - this.#above();
    const first = Math.max(0, Math.min(count, Math.floor(passed / height) - MARGIN));
    const last = Math.min(count, Math.ceil((passed + this.scroller.clientHeight) / height) + MARGIN);
    const shown = this.#rows.slice(first, Math.max(first, last));
    if (!this.#rows.some((entry) => entry.id === this.#current)) this.#current = this.#rows[0]?.id ?? null;
    const wanted = new Set(shown.map((entry) => entry.id));
    for (const [id, { element }] of this.#drawn) {
      if (wanted.has(id)) continue;
      element.remove();
      this.#drawn.delete(id);
    }
    let previous = null;
    for (const [index, entry] of shown.entries()) {
      const element = this.#element(entry, first + index);
      const next = previous ? previous.nextSibling : this.body.firstChild;
      if (next !== element) this.body.insertBefore(element, next);
      previous = element;
    }
    this.body.style.setProperty("padding-top", `${first * height}px`);
    this.body.style.setProperty("padding-bottom", `${(count - first - shown.length) * height}px`);
  }

  #element(entry, place) {
    const old = this.#drawn.get(entry.id);
    if (old?.entry === entry) {
      if (old.place !== place) old.element.setAttribute("aria-rowindex", String(place + 2));
      old.place = place;
      return old.element;
    }
    const focused = old?.element.contains(document.activeElement) ? document.activeElement.dataset.part : null;
    const element = drawRow(entry, place, { open: this.open, items: this.items });
    old?.element.replaceWith(element);
    this.#drawn.set(entry.id, { element, entry, place });
    this.#tabbable(entry.id, entry.id === this.#current);
    if (focused) element.querySelector(`[data-part="${focused}"]`)?.focus({ preventScroll: true });
    return element;
  }

  /** The row that the Tab key reaches. */
  #become(id) {
    if (!id || id === this.#current) return;
    this.#tabbable(this.#current, false);
    this.#current = id;
    this.#tabbable(id, true);
  }

  #tabbable(id, yes) {
    for (const part of this.#drawn.get(id)?.element.querySelectorAll("[data-part]") ?? []) part.tabIndex = yes ? 0 : -1;
  }

  #key(event) {
    const row = event.target.closest("tr");
    const part = event.target.dataset.part;
    if (!row || !part || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const place = this.#rows.findIndex((entry) => entry.id === Number(row.dataset.id));
    const page = Math.max(JUMP, Math.floor(this.scroller.clientHeight / this.#height()) - 2);
    const target = {
      ArrowDown: place + 1, ArrowUp: place - 1, PageDown: place + page, PageUp: place - page,
      Home: 0, End: this.#rows.length - 1,
    }[event.key];
    if (target !== undefined) {
      // The menu's button opens its menu with the arrow keys.
      if (part === "menu" && event.key.startsWith("Arrow")) return;
      event.preventDefault();
      this.focusRow(target, part);
    } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
      event.preventDefault();
      row.querySelector(`[data-part="${event.key === "ArrowRight" ? "menu" : "name"}"]`)?.focus();
    } else if (event.key === "Delete") {
      event.preventDefault();
      this.remove(this.#rows[place]);
      this.focusRow(place);
    }
  }
}

customElements.define("etabli-documents-table", DocumentsTable);
