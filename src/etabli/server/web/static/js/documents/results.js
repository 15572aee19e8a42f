/**
 * <etabli-document-results>: what a search in the documents finds: names that match at once, then passages with the
 * words that matched.
 *
 * Properties, set once: `shelf`, `open(place)`. Methods: `search(query, {collection})`, `clear()`.
 */

import { api } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { fold, plural, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { baseName, kindIcon, placeName } from "../sources/kinds.js";
import { cutAt } from "../sources/offsets.js";

const LIMIT = 20;
const MOST_NAMES = 5;
const LONGEST = 420;
const BEFORE = 120;

class DocumentResults extends HTMLElement {
  shelf;
  open = () => {};
  #control = null;

  connectedCallback() {
    if (this.names) return;
    this.names = h("div", { class: "result-names" });
    this.passages = h("div", { class: "result-passages" });
    replace(this, this.names, this.passages);
  }

  disconnectedCallback() {
    this.#control?.abort();
  }

  clear() {
    this.#control?.abort();
    replace(this.names);
    replace(this.passages);
  }

  /** @param {string} query @param {{collection: {id: number, name: string}|null}} where everywhere without one */
  async search(query, { collection }) {
    this.#control?.abort();
    this.#control = new AbortController();
    const { signal } = this.#control;
    this.#drawNames(query);
    const waiting = setTimeout(() => this.#drawWaiting(), this.passages.childElementCount ? 400 : 60);
    try {
      const body = { query, limit: LIMIT, ...(collection && { collection_ids: [collection.id] }) };
      const answer = await api.post("/v1/etabli/search", body, { signal });
      clearTimeout(waiting);
      if (!signal.aborted) this.#drawPassages(answer.data, query, collection);
    } catch (error) {
      clearTimeout(waiting);
      if (!signal.aborted) this.#drawFault(error, () => this.search(query, { collection }));
    }
  }

  #drawNames(query) {
    const words = fold(query).split(/\s+/).filter(Boolean);
    const named = (this.shelf.documents ?? []).filter((one) => {
      const text = fold(`${one.name} ${one.title ?? ""}`);
      return one.url && words.every((word) => text.includes(word));
    });
    replace(
      this.names,
      named.length > 0 && h("h2", { class: "result-heading" }, t("By name")),
      named.length > 0 && h(
        "ul",
        { role: "list", class: "row wrap" },
        named.slice(0, MOST_NAMES).map((one) =>
          h("li", { class: "result-name" }, this.#link(one.url, { document_id: one.id, version_id: one.version_id, name: one.name, title: one.title }, "chip",
            icon(kindIcon(one.media_type), { class: "small" }), h("span", { class: "truncate" }, baseName(one.name)))),
        ),
      ),
    );
  }

  #drawWaiting() {
    const block = () => h("li", { class: "result" }, [40, 95, 80].map((width) => h("span", { class: "skeleton", style: { width: `${width}%`, margin: "0.4rem 0" } })));
    replace(this.passages, h("ul", { role: "list", class: "result-list", "aria-hidden": "true" }, [block(), block(), block()]));
  }

  #drawPassages(hits, query, collection) {
    const count = plural(hits.length, "{count} passage", "{count} passages");
    announce(hits.length ? count : t("Nothing found"));
    if (!hits.length) {
      replace(
        this.passages,
        h(
          "div",
          { class: "empty" },
          icon("text-search"),
          h("h2", {}, t("Nothing found")),
          h("p", {}, collection
            ? t("No passage of “{name}” speaks of it. Try fewer words or others, or look in all collections.", { name: collection.name })
            : t("No passage speaks of it. Try fewer words or others.")),
        ),
      );
      return;
    }
    replace(
      this.passages,
      h("h2", { class: "result-heading" }, count),
      h("ol", { role: "list", class: "result-list" }, hits.map((hit) => this.#hit(hit, collection === null))),
    );
  }

  #hit(hit, named) {
    const place = {
      document_id: hit.document_id, version_id: hit.version_id, page: hit.page, char_start: hit.char_start,
      char_end: hit.char_end, url: hit.url, name: hit.document_name, title: hit.title,
    };
    const { text, ranges } = excerpt(hit.text.replaceAll("\n\n", "\n "), hit.ranges);
    const where = [named && hit.collection, crumbs(hit), hit.page && placeName(hit.media_type, hit.page)].filter(Boolean);
    return h(
      "li",
      { class: "result" },
      this.#link(
        hit.url,
        place,
        "result-link",
        icon(kindIcon(hit.media_type), { class: "small" }),
        h("span", { class: "truncate" }, hit.title || baseName(hit.document_name)),
      ),
      h("p", { class: "result-where truncate" }, where.join(" · ")),
      h("p", { class: "result-text", lang: hit.language }, cutAt(text, ranges).map((part) => (part.marked ? h("mark", {}, part.text) : part.text))),
    );
  }

  #link(url, place, kind, ...content) {
    return h(
      "a",
      {
        class: kind, href: url,
        onclick: (event) => {
          if (event.ctrlKey || event.metaKey || event.shiftKey) return;
          event.preventDefault();
          this.open(place);
        },
      },
      content,
    );
  }

  #drawFault(error, again) {
    replace(
      this.passages,
      h(
        "div",
        { class: "empty", role: "alert" },
        icon("triangle-alert"),
        h("p", {}, error.message || t("Something went wrong.")),
        h("button", { class: "button", type: "button", onclick: again }, t("Try again")),
      ),
    );
  }
}

/** The headings above a passage, without the title that stands above already. */
function crumbs(hit) {
  const steps = (hit.breadcrumb ?? "").split(" > ").filter(Boolean);
  return steps.filter((step, place) => place > 0 || step !== hit.title).join(" › ");
}

/**
 * The part of a long passage around its first marks.
 * @param {string} text @param {[number, number][]} ranges in code points
 */
function excerpt(text, ranges) {
  const letters = [...text];
  if (letters.length <= LONGEST) return { text, ranges };
  let start = Math.max(0, Math.min((ranges[0]?.[0] ?? 0) - BEFORE, letters.length - LONGEST));
  while (start > 0 && !/\s/.test(letters[start - 1])) start -= 1;
  let end = Math.min(letters.length, start + LONGEST);
  while (end < letters.length && !/\s/.test(letters[end])) end += 1;
  const before = start > 0 ? "… " : "";
  const shift = start - before.length;
  return {
    text: before + letters.slice(start, end).join("") + (end < letters.length ? " …" : ""),
    ranges: ranges.filter(([from, to]) => from >= start && to <= end).map(([from, to]) => [from - shift, to - shift]),
  };
}

customElements.define("etabli-document-results", DocumentResults);
