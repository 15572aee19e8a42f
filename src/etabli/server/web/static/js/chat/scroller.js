/**
 * The part of the chat that scrolls: keeps to the end while an answer is written, unless the reader went up; asks for
 * older turns near the top without moving what is read; folds turns that are far away.
 */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";

const NEAR_END_PX = 48;
const NEAR_TOP_PX = 2000;
const KEPT_PX = 3000;
/** Drawing turns that come near takes at most this much of a frame; those that are seen come first. */
const DRAWING_MS = 10;

export class Scroller {
  #following = true;
  #lastTop = 0;
  #asking = false;
  #observer;
  #near = new Set();
  #frame = 0;

  /** @param {{onNearTop: () => Promise<boolean>}} options onNearTop: shows older turns; false when there are none */
  constructor({ onNearTop }) {
    this.onNearTop = onNearTop;
    this.hasOlder = false;
    this.content = h("div", { class: "turns" });
    this.area = h(
      "div",
      { class: "chat-scroll", tabindex: "0", role: "region", "aria-label": t("Conversation") },
      this.content,
    );
    this.button = h(
      "button",
      {
        class: "to-end",
        type: "button",
        hidden: true,
        "aria-label": t("Go to the end"),
        dataset: { tip: t("Go to the end") },
        onclick: () => this.toEnd({ smooth: true }),
      },
      icon("arrow-down"),
    );
    this.element = h("div", { class: "chat-frame" }, this.area, this.button);
    this.area.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    new ResizeObserver(() => this.keep()).observe(this.content);
    new ResizeObserver(() => this.keep()).observe(this.area);
    this.#observer = new IntersectionObserver((entries) => this.#seen(entries), {
      root: this.area,
      rootMargin: `${KEPT_PX}px 0px`,
    });
    this.views = new WeakMap();
  }

  /** Fold this turn while it is far away. @param {any} view a TurnView */
  watch(view) {
    this.views.set(view.element, view);
    this.#observer.observe(view.element);
  }

  /** @param {any} view */
  forget(view) {
    this.#observer.unobserve(view.element);
    this.#near.delete(view);
  }

  /** Stay at the end if that is where the reader is. */
  keep() {
    if (this.#following) this.#set(this.area.scrollHeight);
    this.#showButton();
  }

  /** Stay where the reader is, whatever comes below. */
  hold() {
    this.#following = false;
  }

  /** Go to the end and stay there. @param {{smooth?: boolean}} [options] */
  toEnd({ smooth = false } = {}) {
    this.#following = true;
    const still = !smooth || matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (still) this.#set(this.area.scrollHeight);
    else this.area.scrollTo({ top: this.area.scrollHeight, behavior: "smooth" });
    this.#showButton();
  }

  /** Change what stands above without moving what is read. @param {() => void} change */
  anchored(change) {
    const anchor = this.#firstSeen();
    const before = anchor?.getBoundingClientRect().top;
    change();
    if (!anchor?.isConnected) return;
    const moved = anchor.getBoundingClientRect().top - before;
    if (moved) this.#set(this.area.scrollTop + moved);
  }

  /** The uppermost turn of which something is on the screen. */
  #firstSeen() {
    const top = this.area.getBoundingClientRect().top;
    const { children } = this.content;
    let [low, high] = [0, children.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (children[middle].getBoundingClientRect().bottom > top) high = middle;
      else low = middle + 1;
    }
    return children[low];
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.area;
    const left = scrollHeight - clientHeight - scrollTop;
    if (left <= NEAR_END_PX / 6) this.#following = true;
    else if (scrollTop < this.#lastTop - 1 && left > NEAR_END_PX) this.#following = false;
    this.#lastTop = scrollTop;
    this.#showButton();
    if (scrollTop < NEAR_TOP_PX) this.#askOlder();
  }

  async #askOlder() {
    if (!this.hasOlder || this.#asking) return;
    this.#asking = true;
    try {
      this.hasOlder = await this.onNearTop();
    } finally {
      this.#asking = false;
    }
    if (this.hasOlder && this.area.scrollTop < NEAR_TOP_PX) requestAnimationFrame(() => this.#askOlder());
  }

  #seen(entries) {
    for (const entry of entries) {
      const view = this.views.get(entry.target);
      if (!view) continue;
      if (entry.isIntersecting) {
        if (view.folded) this.#near.add(view);
      } else {
        this.#near.delete(view);
        view.fold(entry.boundingClientRect.height);
      }
    }
    this.#drawNear();
  }

  /** Draw turns that came near, the nearest first, a frame's share at a time. */
  #drawNear() {
    if (this.#frame || !this.#near.size) return;
    const { top, bottom } = this.area.getBoundingClientRect();
    const distance = (view) => {
      const box = view.element.getBoundingClientRect();
      return Math.max(0, top - box.bottom, box.top - bottom);
    };
    const waiting = [...this.#near].map((view) => [distance(view), view]).sort((one, other) => one[0] - other[0]);
    const end = performance.now() + DRAWING_MS;
    // What is drawn above may be higher than it was taken for.
    this.anchored(() => {
      for (const [, view] of waiting) {
        this.#near.delete(view);
        view.unfold();
        if (performance.now() > end) break;
      }
    });
    this.keep();
    if (!this.#near.size) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#drawNear();
    });
  }

  #set(top) {
    this.area.scrollTop = top;
    this.#lastTop = this.area.scrollTop;
  }

  #showButton() {
    const { scrollTop, scrollHeight, clientHeight } = this.area;
    this.button.hidden = this.#following || scrollHeight - clientHeight - scrollTop < 2 * NEAR_END_PX;
  }
}
