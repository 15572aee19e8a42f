/**
 * <etabli-source-pages>: the pages of a document under one another. Only those near the window exist, so that five
 * hundred are as quick as five.
 *
 * Properties: `source`, set once. Methods: `showRange(range)`, `goTo(page)`, `setHits(ranges, current)`, `zoom(step)`,
 * `fit()`. Events: `etabli:page` {page} when another page is in the middle, `etabli:zoom` {percent, fits}.
 * Keys: those of any scrolling region; the viewer adds Ctrl + and −.
 */

import { h, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { rectanglesOf } from "./geometry.js";
import { PageView } from "./page_view.js";

const GAP = 14;
const EDGE = 16;
const WIDEST = 980;
const ZOOMS = [0.25, 0.33, 0.5, 0.67, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 4];
/** CSS pixels a point, at 100 %. */
const PIXELS = 96 / 72;

class SourcePages extends HTMLElement {
  /** @type {import("./source.js").Source} */
  source;
  /** @type {Map<number, PageView>} */
  #views = new Map();
  #zoom = null;
  #boxes = [];
  #page = 0;
  #passage = null;
  #hits = [];
  #hitsByPage = new Map();
  #current = null;
  #frame = 0;
  #size = "";

  connectedCallback() {
    if (this.space) return;
    this.space = h("div", { class: "source-space" });
    this.tabIndex = 0;
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", t("Pages of the document"));
    replace(this, this.space);
    this.addEventListener("scroll", () => this.#later(), { passive: true });
    this.watcher = new ResizeObserver(() => this.#resized());
    this.watcher.observe(this);
    this.#layout();
  }

  disconnectedCallback() {
    this.watcher?.disconnect();
    cancelAnimationFrame(this.#frame);
    for (const view of this.#views.values()) view.remove();
    this.#views.clear();
  }

  /** The page in the middle of the window, from 1. */
  get page() {
    return this.#page || 1;
  }

  /** Mark a passage and scroll to it. @param {import("./source.js").Range|null} range @returns {boolean} whether it has a place */
  showRange(range) {
    this.#passage = range;
    this.#redraw();
    return range !== null && this.#reveal(range, 0.28);
  }

  /** @param {number} number @param {number} [part] of the page, from its top */
  goTo(number, part = 0) {
    const box = this.#boxes[this.#indexOf(number)];
    if (!box) return;
    this.scrollTop = part > 0 ? box.top + part * box.height - this.clientHeight * 0.28 : box.top - GAP;
    this.#draw();
  }

  /** Mark what was found and bring one of them into view. */
  setHits(hits, current) {
    if (hits !== this.#hits) {
      this.#hits = hits;
      this.#hitsByPage = new Map();
      for (const hit of hits) {
        for (const number of new Set(this.source.linesOf(hit).map((line) => line.page))) {
          if (!this.#hitsByPage.has(number)) this.#hitsByPage.set(number, []);
          this.#hitsByPage.get(number).push(hit);
        }
      }
    }
    this.#current = current;
    this.#redraw();
    if (current) this.#reveal(current, 0.4);
  }

  /** Larger (1) or smaller (-1). @param {number} step */
  zoom(step) {
    const now = this.#scaleOf(this.source.pages[this.#indexOf(this.page)]) / PIXELS;
    const next = step > 0 ? ZOOMS.find((one) => one > now * 1.02) : ZOOMS.findLast((one) => one < now * 0.98);
    if (next === undefined) return;
    this.#zoom = next;
    this.#layout(true);
  }

  /** As wide as the window. */
  fit() {
    this.#zoom = null;
    this.#layout(true);
  }

  #resized() {
    const size = `${this.clientWidth}×${this.clientHeight}`;
    if (size === this.#size || !this.clientWidth) return;
    this.#size = size;
    this.#layout(true);
  }

  #scaleOf(page) {
    if (this.#zoom !== null) return this.#zoom * PIXELS;
    return Math.max(120, Math.min(WIDEST, this.clientWidth - 2 * EDGE)) / page.width;
  }

  /** Compute where every page lies; `stay`: what is in the middle of the window stays there. */
  #layout(stay = false) {
    if (!this.clientWidth) return;
    const anchor = stay ? this.#anchor() : null;
    let top = GAP;
    let widest = 0;
    const sized = this.source.pages.map((page) => {
      const scale = this.#scaleOf(page);
      const box = { top, width: page.width * scale, height: page.height * scale, scale };
      top += box.height + GAP;
      widest = Math.max(widest, box.width);
      return box;
    });
    const room = Math.max(this.clientWidth, widest + 2 * EDGE);
    this.#boxes = sized.map((box) => ({ ...box, left: (room - box.width) / 2 }));
    this.space.style.setProperty("height", `${top}px`);
    this.space.style.setProperty("width", `${room}px`);
    if (anchor) {
      const box = this.#boxes[anchor.index];
      this.scrollTop = box.top + anchor.part * box.height - anchor.at;
      this.scrollLeft = (room - this.clientWidth) * anchor.across;
    }
    this.#draw();
    const percent = Math.round((100 * this.#scaleOf(this.source.pages[this.#indexOf(this.page)])) / PIXELS);
    this.#tell("etabli:zoom", { percent, fits: this.#zoom === null });
  }

  #anchor() {
    if (!this.#boxes.length) return null;
    const shown = this.#passage && this.#markedTop(this.#passage);
    const seen = shown && shown.top >= this.scrollTop && shown.top <= this.scrollTop + this.clientHeight;
    const place = seen ? shown.top : this.scrollTop + this.clientHeight / 2;
    const index = this.#at(place);
    const box = this.#boxes[index];
    const across = this.scrollWidth > this.clientWidth ? this.scrollLeft / (this.scrollWidth - this.clientWidth) : 0.5;
    return { index, part: (place - box.top) / box.height, at: place - this.scrollTop, across };
  }

  /** Index of the page at a height. */
  #at(place) {
    let low = 0;
    let high = this.#boxes.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#boxes[middle].top <= place) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  #indexOf(number) {
    return Math.max(0, Math.min(this.source.pages.length, number || 1) - 1);
  }

  #markedTop(range) {
    const rectangle = rectanglesOf(this.source, range)[0];
    const box = rectangle && this.#boxes[this.#indexOf(rectangle.page)];
    if (!box) return null;
    const { x, y, width, height } = rectangle;
    return {
      top: box.top + y * box.scale, height: height * box.scale,
      left: box.left + x * box.scale, right: box.left + (x + width) * box.scale,
    };
  }

  /** Scroll to a range, unless it is well in view. */
  #reveal(range, where) {
    const place = this.#markedTop(range);
    if (!place) return false;
    const { scrollTop, clientHeight, scrollLeft, clientWidth } = this;
    if (place.top < scrollTop + 40 || place.top + place.height > scrollTop + clientHeight - 60) {
      this.scrollTop = place.top - clientHeight * where;
    }
    if (place.left < scrollLeft || place.right > scrollLeft + clientWidth) this.scrollLeft = place.left - EDGE;
    this.#draw();
    return true;
  }

  #later() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#draw());
  }

  /** Make the pages around the window, forget the others. */
  #draw() {
    if (!this.#boxes.length || !this.clientHeight) return;
    const { scrollTop, clientHeight } = this;
    const first = this.#at(scrollTop - clientHeight);
    const last = this.#at(scrollTop + 2 * clientHeight);
    for (const [index, view] of this.#views) {
      if (index >= first && index <= last) continue;
      view.remove();
      this.#views.delete(index);
    }
    for (let index = first; index <= last; index += 1) {
      let view = this.#views.get(index);
      if (!view) {
        view = new PageView(this.source, this.source.pages[index]);
        this.#views.set(index, view);
        const next = [...this.#views.keys()].filter((one) => one > index).sort((a, b) => a - b)[0];
        this.space.insertBefore(view.element, next === undefined ? null : this.#views.get(next).element);
        this.#markOn(view);
      }
      view.place(this.#boxes[index]);
    }
    const page = this.source.pages[this.#at(scrollTop + clientHeight * 0.4)].number;
    if (page !== this.#page) {
      this.#page = page;
      this.#tell("etabli:page", { page });
    }
  }

  #redraw() {
    for (const view of this.#views.values()) this.#markOn(view);
  }

  #markOn(view) {
    view.mark(this.#passage, this.#hitsByPage.get(view.size.number) ?? [], this.#current);
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

customElements.define("etabli-source-pages", SourcePages);
