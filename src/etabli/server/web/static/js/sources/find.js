/**
 * <etabli-source-find>: looks for words in the document that is shown.
 *
 * Properties: `source`; `from`, a function that says at which page to begin. Methods: `open()`, `close()`.
 * Events: `etabli:hits` {hits, current}. Keys: Enter and Shift+Enter step, Escape closes.
 */

import { api, withQuery } from "../core/api.js";
import { h, icon, iconButton, replace } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { toastError } from "../core/toast.js";

const PAUSE_MS = 180;

class SourceFind extends HTMLElement {
  /** @type {import("./source.js").Source|null} */
  source = null;
  from = () => 1;
  #hits = [];
  #total = 0;
  #at = -1;
  #asked = "";
  #timer = 0;
  #control = null;
  #before = null;

  connectedCallback() {
    if (this.input) return;
    this.hidden = true;
    this.setAttribute("role", "search");
    this.input = h("input", {
      class: "input", type: "search", "aria-label": t("Find in the document"), placeholder: t("Find in the document"),
      maxlength: "200", autocomplete: "off", spellcheck: "false",
      oninput: () => this.#later(),
      onkeydown: (event) => this.#key(event),
    });
    this.count = h("span", { class: "source-find-count numbers", "aria-live": "polite" });
    this.back = iconButton("chevron-up", t("Previous hit"), { class: "small", onclick: () => this.step(-1) });
    this.next = iconButton("chevron-down", t("Next hit"), { class: "small", onclick: () => this.step(1) });
    replace(
      this,
      h("label", { class: "search-field grow" }, icon("text-search", { class: "small" }), this.input, this.count),
      this.back,
      this.next,
      iconButton("x", t("Close the search"), { class: "small", onclick: () => this.close() }),
    );
    this.#show();
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
    this.#control?.abort();
  }

  open() {
    if (this.hidden) this.#before = document.activeElement;
    this.hidden = false;
    this.input.focus();
    this.input.select();
    this.dispatchEvent(new CustomEvent("etabli:find-toggled", { detail: { open: true } }));
  }

  close() {
    if (this.hidden) return;
    const focused = this.contains(document.activeElement);
    this.hidden = true;
    this.reset();
    if (focused && this.#before?.isConnected) this.#before.focus({ preventScroll: true });
    this.dispatchEvent(new CustomEvent("etabli:find-toggled", { detail: { open: false } }));
  }

  /** Forget what was found, for another document for instance. */
  reset() {
    this.#asked = "";
    this.#take([], 0);
  }

  /** Look again in the document that is shown now. */
  refresh() {
    if (this.hidden) return;
    this.reset();
    this.#later();
  }

  /** @param {number} way 1 or -1 */
  step(way) {
    if (this.input.value.trim() !== this.#asked) return void this.#find();
    if (!this.#hits.length) return;
    this.#at = (this.#at + way + this.#hits.length) % this.#hits.length;
    this.#show();
    this.#tell();
  }

  #key(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      clearTimeout(this.#timer);
      this.step(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      this.close();
    }
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#find(), PAUSE_MS);
  }

  async #find() {
    const query = this.input.value.trim();
    const { source } = this;
    if (query === this.#asked || !source) return;
    this.#control?.abort();
    if (!query) return this.reset();
    this.#control = new AbortController();
    const { signal } = this.#control;
    try {
      const answer = await api.get(withQuery(`${source.base}/find`, { query }), { signal });
      if (signal.aborted || source !== this.source) return;
      this.#asked = query;
      const hits = answer.data.map((one) => ({ ...source.range(one.char_start, one.char_end), page: one.page }));
      this.#take(hits.filter((hit) => hit.end > hit.start), answer.total);
    } catch (error) {
      if (!signal.aborted) toastError(error);
    }
  }

  #take(hits, total) {
    this.#hits = hits;
    this.#total = total;
    const page = this.from();
    const near = hits.findIndex((hit) => hit.page === null || hit.page >= page);
    this.#at = hits.length ? Math.max(0, near) : -1;
    this.#show();
    this.#tell();
  }

  #show() {
    const none = this.#asked !== "" && !this.#hits.length;
    const sentence = this.#hits.length
      ? t("{number} of {total}", { number: formatNumber(this.#at + 1), total: formatNumber(this.#total) })
      : none
        ? t("Nothing found")
        : "";
    this.count.textContent = sentence;
    this.toggleAttribute("data-none", none);
    this.back.disabled = this.next.disabled = this.#hits.length < 2;
    if (this.#hits.length) announce(sentence);
  }

  #tell() {
    const detail = { hits: this.#hits, current: this.#hits[this.#at] ?? null };
    this.dispatchEvent(new CustomEvent("etabli:hits", { detail }));
  }
}

customElements.define("etabli-source-find", SourceFind);
