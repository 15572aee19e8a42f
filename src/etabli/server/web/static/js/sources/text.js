/**
 * <etabli-source-text>: a document as its canonical text, with headings, lists and tables. Sections far from the window
 * are empty and as tall as they were, or as they will about be.
 *
 * Properties: `source` and `top` (level of its first heading), set once. Methods: `showRange(range)`,
 * `setHits(ranges, current)`, `goTo(page)`. Events: `etabli:page` {page} when another page is at the top.
 */

import { h, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { NO_MARKS, marksKey } from "./marks.js";
import { drawItems, sectionsOf } from "./text_blocks.js";

const LINE_PX = 26;
const LINE_CHARACTERS = 70;
const KEPT_SCREENS = 6;

class SourceText extends HTMLElement {
  /** @type {import("./source.js").Source} */
  source;
  top = 3;
  #sections = [];
  #marks = NO_MARKS;
  #frame = 0;
  #page = 0;

  connectedCallback() {
    if (this.#sections.length) return;
    this.tabIndex = 0;
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", t("Text of the document"));
    this.lang = this.source.version.language;
    this.#sections = sectionsOf(this.source, this.top).map((section, index) => {
      const rows = section.items.reduce((sum, item) => sum + 1 + (item.end - item.start) / LINE_CHARACTERS, 0);
      const element = h("div", { class: "text-section", dataset: { index }, style: { "min-height": `${rows * LINE_PX}px` } });
      return { ...section, element, key: null };
    });
    replace(this, h("div", { class: "text-column" }, this.#sections.map((section) => section.element)));
    this.watcher = new IntersectionObserver((entries) => this.#seen(entries), { root: this, rootMargin: "100% 0px" });
    for (const section of this.#sections) this.watcher.observe(section.element);
    this.addEventListener("scroll", () => this.#later(), { passive: true });
  }

  disconnectedCallback() {
    this.watcher?.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  /** The page at the top of the window. */
  get page() {
    return this.#page || 1;
  }

  /** Mark a passage and scroll to it. @param {import("./source.js").Range|null} range */
  showRange(range) {
    this.#mark({ ...this.#marks, passage: range });
    if (range) this.#reveal(range, "mark.passage", 0.22);
    return range !== null;
  }

  /** Mark what was found and bring one of them into view. */
  setHits(hits, current) {
    this.#mark({ ...this.#marks, hits, current });
    if (current) this.#reveal(current, "mark.current", 0.4);
  }

  /** @param {number} number */
  goTo(number) {
    const block = this.source.blocks.find((one) => one.page !== null && one.page >= number);
    const section = block && this.#sectionAt(block.start);
    if (!section) return;
    this.#fill(section);
    const places = [...section.element.querySelectorAll(".text-place")];
    const label = section.items.filter((item) => item.place).findIndex((item) => item.block === block);
    this.#scrollTo(places[label] ?? section.element, 0.02);
  }

  #sectionAt(place) {
    return this.#sections.findLast((section) => section.start <= place) ?? this.#sections[0];
  }

  #reveal(range, selector, where) {
    const section = this.#sectionAt(range.start);
    if (!section) return;
    this.#fill(section);
    const mark = section.element.querySelector(selector);
    if (!mark) return;
    const box = mark.getBoundingClientRect();
    const frame = this.getBoundingClientRect();
    const seen = selector === "mark.current" && box.top > frame.top + 30 && box.bottom < frame.bottom - 40;
    if (!seen) this.#scrollTo(mark, where);
    mark.closest(".text-table")?.scrollTo({ left: Math.max(0, mark.offsetLeft - 80) });
  }

  #scrollTo(element, where) {
    const move = () => {
      const shift = element.getBoundingClientRect().top - this.getBoundingClientRect().top;
      this.scrollTop += shift - this.clientHeight * where;
    };
    move();
    // Sections that come into being above it change their heights; then it is put right.
    requestAnimationFrame(() => requestAnimationFrame(move));
  }

  #mark(marks) {
    this.#marks = marks;
    for (const section of this.#sections) if (section.key !== null) this.#fill(section);
  }

  #seen(entries) {
    for (const { target, isIntersecting } of entries) {
      const section = this.#sections[Number(target.dataset.index)];
      if (isIntersecting) this.#fill(section);
    }
    this.#later();
  }

  #fill(section) {
    const key = marksKey(this.#marks, section.start, section.end);
    if (section.key === key) return;
    section.key = key;
    section.element.style.removeProperty("min-height");
    replace(section.element, drawItems(this.source, section.items, this.#marks));
  }

  #later() {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => {
      this.#forgetFar();
      this.#tellPage();
    });
  }

  /** Empty what is many screens away; it keeps its height. */
  #forgetFar() {
    const reach = this.clientHeight * KEPT_SCREENS;
    const filled = this.#sections.filter((section) => section.key !== null);
    if (filled.length < 24) return;
    for (const section of filled) {
      const { offsetTop, offsetHeight } = section.element;
      const far = offsetTop > this.scrollTop + reach || offsetTop + offsetHeight < this.scrollTop - reach;
      if (!far || section.element.contains(document.activeElement)) continue;
      section.element.style.setProperty("min-height", `${offsetHeight}px`);
      section.key = null;
      replace(section.element);
    }
  }

  #tellPage() {
    const top = this.scrollTop + 60;
    const section = this.#sections.findLast((one) => one.element.offsetTop <= top) ?? this.#sections[0];
    const labels = section ? [...section.element.querySelectorAll(".text-place")] : [];
    const passed = labels.filter((label) => label.offsetTop <= top).length;
    const places = section?.items.filter((item) => item.place) ?? [];
    const page = passed ? places[passed - 1].block.page : this.#pageBefore(section);
    if (!page || page === this.#page) return;
    this.#page = page;
    this.dispatchEvent(new CustomEvent("etabli:page", { detail: { page } }));
  }

  #pageBefore(section) {
    const first = section?.items[0];
    if (!first || first.block.page === null) return 1;
    if (!first.place) return first.block.page;
    return Math.max(1, this.source.pageAt(Math.max(0, first.start - 1)) ?? 1);
  }
}

customElements.define("etabli-source-text", SourceText);
