/**
 * A list that only draws what is seen: rows of known heights in a scrolling element. The row that has the focus stays
 * drawn wherever it is.
 *
 *   const list = new WindowedList(scroller, {height: (row) => 36, draw: (row, old) => element, onNearEnd});
 *   list.show(rows);   each row has a `key`
 */

import { h } from "../core/dom.js";

const MARGIN = 12;
const NEAR_END_PX = 1200;

export class WindowedList {
  #rows = [];
  #tops = [0];
  /** @type {Map<string, {element: HTMLElement, row: any}>} */
  #drawn = new Map();
  #frame = 0;

  /**
   * @param {HTMLElement} scroller
   * @param {{height: (row: any) => number, draw: (row: any) => HTMLElement, onNearEnd?: () => void, label: string}} options
   *   draw: makes the element of a row; called again when the row is another object
   */
  constructor(scroller, { height, draw, onNearEnd, label }) {
    this.scroller = scroller;
    this.height = height;
    this.draw = draw;
    this.onNearEnd = onNearEnd;
    this.space = h("ul", { class: "sidebar-space", role: "list", "aria-label": label });
    scroller.append(this.space);
    scroller.addEventListener("scroll", () => this.#later(), { passive: true });
    new ResizeObserver(() => this.#later()).observe(scroller);
  }

  /** @param {{key: string}[]} rows */
  show(rows) {
    this.#rows = rows;
    this.#tops = [0];
    for (const row of rows) this.#tops.push(this.#tops.at(-1) + this.height(row));
    this.space.style.setProperty("height", `${this.#tops.at(-1)}px`);
    this.#paint();
  }

  /** Scroll as little as needed to see a row, and draw it. @param {string} key @returns {HTMLElement|undefined} */
  reveal(key) {
    const place = this.#rows.findIndex((row) => row.key === key);
    if (place < 0) return undefined;
    const [top, bottom] = [this.#tops[place], this.#tops[place + 1]];
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    else if (bottom > scrollTop + clientHeight) this.scroller.scrollTop = bottom - clientHeight;
    this.#paint();
    return this.#drawn.get(key)?.element;
  }

  /** The element of a row, when it is drawn. @param {string} key */
  element(key) {
    return this.#drawn.get(key)?.element;
  }

  #later() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  #paint() {
    const { scrollTop, clientHeight } = this.scroller;
    const first = Math.max(0, this.#at(scrollTop) - MARGIN);
    const last = Math.min(this.#rows.length, this.#at(scrollTop + clientHeight) + 1 + MARGIN);
    const focused = this.#focusedKey();
    const wanted = new Map();
    for (let place = first; place < last; place += 1) wanted.set(this.#rows[place].key, place);
    const kept = focused === null ? -1 : this.#rows.findIndex((row) => row.key === focused);
    if (kept >= 0) wanted.set(focused, kept);

    for (const [key, { element }] of this.#drawn) {
      if (wanted.has(key)) continue;
      element.remove();
      this.#drawn.delete(key);
    }
    let previous = null;
    for (const [key, place] of [...wanted].sort((a, b) => a[1] - b[1])) {
      const element = this.#element(key, place);
      // Moved only when out of order: moving the focused element would take its focus away.
      const next = previous ? previous.nextSibling : this.space.firstChild;
      if (next !== element) this.space.insertBefore(element, next);
      previous = element;
    }
    if (this.#tops.at(-1) - scrollTop - clientHeight < NEAR_END_PX) this.onNearEnd?.();
  }

  #element(key, place) {
    const row = this.#rows[place];
    const old = this.#drawn.get(key);
    let element = old?.element;
    if (old?.row !== row) {
      const focus = element?.contains(document.activeElement) ? document.activeElement.dataset.part : null;
      const made = this.draw(row);
      element?.replaceWith(made);
      element = made;
      this.#drawn.set(key, { element, row });
      if (focus) element.querySelector(`[data-part="${focus}"]`)?.focus({ preventScroll: true });
    }
    element.style.setProperty("transform", `translateY(${this.#tops[place]}px)`);
    element.style.setProperty("height", `${this.#tops[place + 1] - this.#tops[place]}px`);
    element.setAttribute("aria-setsize", String(this.#rows.length));
    element.setAttribute("aria-posinset", String(place + 1));
    return element;
  }

  /** The last row that begins at or above a height. */
  #at(height) {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#tops[middle] <= height) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #focusedKey() {
    for (const [key, { element }] of this.#drawn) if (element.contains(document.activeElement)) return key;
    return null;
  }
}
