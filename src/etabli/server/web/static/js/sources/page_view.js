/**
 * One page: its picture, the passage and the hits drawn over it, and its words, transparent, so that they can be
 * selected, copied and read out. Everything lies in parts of the page, so a zoom only changes the picture.
 */

import { h, icon, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { MEASURED, measure, rectanglesOf } from "./geometry.js";
import { placeName } from "./kinds.js";

const STEP = 100;
const MOST = 2400;
/** A page that flies by is not asked for. */
const PATIENCE_MS = 90;

/** Draws one page of a source. */
export class PageView {
  /** @param {import("./source.js").Source} source @param {import("./source.js").PageSize} size */
  constructor(source, size) {
    this.source = source;
    this.size = size;
    this.width = 0;
    this.timer = 0;
    this.picture = null;
    this.coming = null;
    this.marks = h("div", { class: "source-marks", "aria-hidden": "true" });
    this.words = h("div", { class: "source-words" });
    this.frame = h("div", { class: "source-picture" });
    this.element = h(
      "div",
      { class: "source-page", role: "group", "aria-label": placeName(source.version.media_type, size.number), dataset: { page: size.number } },
      this.frame,
      this.marks,
      this.words,
    );
    this.#drawWords();
  }

  /** Put the page in its place. @param {{left: number, top: number, width: number, height: number}} box in pixels */
  place(box) {
    if (box === this.box) return;
    this.box = box;
    const { left, top, width, height } = box;
    const set = (name, value) => this.element.style.setProperty(name, `${value}px`);
    set("left", left);
    set("top", top);
    set("width", width);
    set("height", height);
    this.element.style.setProperty("--scale", String(width / this.size.width));
    this.#ask(Math.min(MOST, Math.ceil((width * Math.min(devicePixelRatio || 1, 3)) / STEP) * STEP));
  }

  /**
   * Draw what is marked.
   * @param {import("./source.js").Range|null} passage
   * @param {import("./source.js").Range[]} hits @param {import("./source.js").Range|null} current among them
   */
  mark(passage, hits, current) {
    const here = (range) => rectanglesOf(this.source, range).filter((one) => one.page === this.size.number);
    const boxes = passage ? here(passage) : [];
    replace(
      this.marks,
      boxes.map((box) => this.#box(box, "passage")),
      hits.map((hit) => here(hit).map((box) => this.#box(box, hit === current ? "hit current" : "hit"))),
      boxes.length > 0 && this.#bar(boxes),
    );
  }

  /** Forget the page; a picture that is on its way is not waited for. */
  remove() {
    clearTimeout(this.timer);
    this.coming?.removeAttribute("src");
    this.element.remove();
  }

  #ask(width) {
    if (width === this.width) return;
    this.width = width;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#fetch(), PATIENCE_MS);
  }

  #fetch() {
    this.coming?.removeAttribute("src");
    const named = this.source.linesOfPage(this.size.number).length > 0;
    const picture = h("img", {
      alt: named ? "" : placeName(this.source.version.media_type, this.size.number),
      src: `${this.source.base}/pages/${this.size.number}.png?width=${this.width}`,
      draggable: "false",
      decoding: "async",
    });
    this.coming = picture;
    picture.addEventListener("load", () => {
      if (this.coming !== picture) return;
      this.coming = null;
      this.picture = picture;
      this.element.dataset.drawn = "true";
      replace(this.frame, picture);
    });
    picture.addEventListener("error", () => {
      if (this.coming !== picture) return;
      this.coming = null;
      if (!this.picture) this.#fail();
    });
  }

  #fail() {
    const again = () => {
      replace(this.frame);
      this.#fetch();
    };
    replace(
      this.frame,
      h(
        "div",
        { class: "source-page-fault" },
        icon("image"),
        h("p", {}, t("This page could not be drawn. Its text can still be read.")),
        h("button", { class: "button small", type: "button", onclick: again }, t("Try again")),
      ),
    );
  }

  #box(box, kind) {
    return h("div", { class: `source-mark ${kind}`, style: this.#parts(box) });
  }

  /** A line in the margin beside the passage: it is seen even where little is marked. */
  #bar(boxes) {
    const x = Math.min(...boxes.map((box) => box.x));
    const y = Math.min(...boxes.map((box) => box.y));
    const end = Math.max(...boxes.map((box) => box.y + box.height));
    return h("div", {
      class: "source-bar", style: this.#parts({ x: Math.max(2, x - 9), y, width: 2.5, height: end - y }),
    });
  }

  #parts({ x, y, width, height }) {
    const of = (value, whole) => `${(100 * value) / whole}%`;
    return {
      left: of(x, this.size.width),
      top: of(y, this.size.height),
      width: of(width, this.size.width),
      height: of(height, this.size.height),
    };
  }

  #drawWords() {
    const { text } = this.source;
    for (const line of this.source.linesOfPage(this.size.number)) {
      const words = text.slice(line.start, line.end);
      const height = line.y1 - line.y0;
      const natural = (measure(words) / MEASURED.size) * height;
      if (!words.trim() || natural <= 0) continue;
      const { left, top } = this.#parts({ x: line.x0, y: line.y0, width: 1, height: 1 });
      this.words.append(
        h(
          "div",
          {
            class: "source-line",
            style: { left, top, "--height": height.toFixed(2), "--stretch": ((line.x1 - line.x0) / natural).toFixed(4) },
          },
          words,
        ),
      );
    }
  }
}
