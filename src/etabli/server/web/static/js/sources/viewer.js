/**
 * <etabli-source-viewer>: one version of a document at a passage, as pages or as text.
 *
 * Properties: `top`, level of the document's first heading (3 unless said); `whole`: it is a page of its own, so its keys
 * work from anywhere. Methods: `open({document_id, version_id, page?, char_start?, char_end?})`, `find()`.
 * Events: `etabli:source-shown` {source}. Keys: Ctrl F finds, Ctrl + and − zoom, Ctrl 0 fits the width.
 */

import "./find.js";
import "./pages.js";
import "./text.js";
import "./toolbar.js";

import { h, icon, replace } from "../core/dom.js";
import { formatDate, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { kindIcon, placeName } from "./kinds.js";
import { loadSource } from "./source.js";

class SourceViewer extends HTMLElement {
  top = 3;
  whole = false;
  /** @type {import("./source.js").Source|null} */
  #source = null;
  #place = null;
  #view = null;
  #mode = null;
  #textWanted = false;
  #hits = { hits: [], current: null };
  #turn = 0;
  #listening = null;

  connectedCallback() {
    // In a panel its keys work from the panel's own bar too.
    this.#listening = this.whole ? document : (this.closest(".panel") ?? this);
    this.#listening.addEventListener("keydown", this.#keys);
    if (this.frame) return;
    this.toolbar = h("etabli-source-toolbar", { "onetabli:do": (event) => this.#act(event.detail) });
    this.finder = h("etabli-source-find", {
      "onetabli:hits": (event) => this.#setHits(event.detail),
      "onetabli:find-toggled": (event) => this.toolbar.setFinding(event.detail.open),
    });
    this.finder.from = () => this.#view?.page ?? 1;
    this.notice = h("div", { class: "source-notice" });
    this.frame = h("div", { class: "source-frame" });
    this.caption = h("p", { class: "source-caption" });
    replace(this, this.caption, this.toolbar, this.finder, this.notice, this.frame);
    this.toolbar.hidden = true;
  }

  disconnectedCallback() {
    this.#listening?.removeEventListener("keydown", this.#keys);
  }

  /**
   * Show a place of a document; another place of the same one does not load it again.
   * @param {{document_id: number, version_id: number, page?: number|null, char_start?: number|null,
   *   char_end?: number|null}} place
   */
  async open(place) {
    this.#turn += 1;
    const turn = this.#turn;
    this.#place = place;
    const shown = this.#source?.version;
    if (shown && shown.document_id === place.document_id && shown.version_id === place.version_id) {
      this.#showPlace();
      return;
    }
    const waiting = setTimeout(() => turn === this.#turn && this.#drawWaiting(), shown ? 150 : 0);
    try {
      const source = await loadSource(place.document_id, place.version_id);
      if (turn !== this.#turn) return;
      clearTimeout(waiting);
      this.#source = source;
      this.#mode = null;
      this.#hits = { hits: [], current: null };
      this.toolbar.hidden = false;
      this.toolbar.setSource(source);
      this.finder.source = source;
      this.#drawCaption();
      this.#drawNotice();
      this.#showPlace();
      this.finder.refresh();
      this.dispatchEvent(new CustomEvent("etabli:source-shown", { detail: { source } }));
    } catch (error) {
      clearTimeout(waiting);
      if (turn === this.#turn) this.#drawFault(error);
    }
  }

  /** Open the search in the document. */
  find() {
    if (this.#source) this.finder.open();
  }

  #showPlace() {
    const source = this.#source;
    const range = source.range(this.#place.char_start, this.#place.char_end);
    const drawable = source.hasPages && (range === null || source.linesOf(range).length > 0);
    this.#setMode(drawable && !this.#textWanted ? "pages" : "text");
    const shown = this.#view.showRange(range);
    const page = this.#place.page ?? (range && source.pageAt(range.start));
    if (!shown && page) this.#view.goTo(page);
    if (shown && page) {
      announce(t("{place}, passage highlighted.", { place: placeName(source.version.media_type, page) }));
    }
  }

  #setMode(mode) {
    this.toolbar.setMode(mode);
    if (mode === this.#mode) return;
    const page = this.#view?.page;
    const focused = this.#view?.contains(document.activeElement);
    this.#mode = mode;
    this.#view = h(mode === "pages" ? "etabli-source-pages" : "etabli-source-text", {
      "onetabli:page": (event) => this.toolbar.setPage(event.detail.page),
      "onetabli:zoom": (event) => this.toolbar.setZoom(event.detail),
    });
    this.#view.source = this.#source;
    this.#view.top = this.top;
    replace(this.frame, this.#view);
    this.toolbar.setPage(page ?? this.#place.page ?? 1);
    if (page) this.#view.goTo(page);
    if (focused) this.#view.focus({ preventScroll: true });
  }

  /** Between pages and text: the passage stays marked, and what was found. */
  #toggleMode() {
    this.#textWanted = this.#mode === "pages";
    const page = this.#view.page;
    this.#setMode(this.#textWanted ? "text" : "pages");
    const range = this.#source.range(this.#place.char_start, this.#place.char_end);
    if (!this.#view.showRange(range)) this.#view.goTo(page);
    this.#view.setHits(this.#hits.hits, this.#hits.current);
  }

  #setHits(detail) {
    this.#hits = detail;
    this.#view?.setHits(detail.hits, detail.current);
  }

  #act({ action, page }) {
    if (!this.#view) return;
    if (action === "page") this.#view.goTo(page);
    else if (action === "zoom-in") this.#view.zoom?.(1);
    else if (action === "zoom-out") this.#view.zoom?.(-1);
    else if (action === "fit") this.#view.fit?.();
    else if (action === "mode") this.#toggleMode();
    else if (action === "find") this.finder.hidden ? this.finder.open() : this.finder.close();
  }

  #keys = (event) => {
    if (event.defaultPrevented || !(event.ctrlKey || event.metaKey) || event.altKey) return;
    if (document.querySelector("dialog[open]")) return;
    const pages = this.#mode === "pages";
    const action = { f: "find", "+": pages && "zoom-in", "=": pages && "zoom-in", "-": pages && "zoom-out", 0: pages && "fit" }[
      event.key.toLowerCase()
    ];
    if (!action || !this.#source) return;
    event.preventDefault();
    if (action === "find") this.finder.open();
    else this.#act({ action });
  };

  #drawWaiting() {
    this.toolbar.hidden = true;
    this.#source = this.#view = this.#mode = null;
    replace(this.notice);
    replace(this.caption);
    replace(
      this.frame,
      h(
        "div",
        { class: "source-waiting", role: "status" },
        h("span", { class: "visually-hidden" }, t("The document is being opened…")),
        h("div", { class: "source-waiting-page" }, [92, 70, 85, 60, 0, 90, 78, 88, 40].map((width) =>
          h("span", { class: width ? "skeleton" : null, style: { width: `${width}%` } }))),
      ),
    );
  }

  #drawFault(error) {
    this.toolbar.hidden = true;
    this.#source = this.#view = this.#mode = null;
    replace(this.notice);
    replace(this.caption);
    const again = h("button", { class: "button", type: "button", onclick: () => this.open(this.#place) }, t("Try again"));
    replace(
      this.frame,
      h(
        "div",
        { class: "empty", role: "alert" },
        icon("file-warning"),
        h("h3", {}, t("This document cannot be shown")),
        h("p", {}, error.message || t("Something went wrong.")),
        error.status === 404 ? h("a", { class: "button", href: "/documents" }, t("See the documents")) : again,
      ),
    );
  }

  #drawCaption() {
    const { version } = this.#source;
    replace(
      this.caption,
      icon(kindIcon(version.media_type), { class: "small" }),
      h("span", { class: "truncate", title: version.name }, version.name),
      h("span", { class: "source-date" }, t("read on {date}", { date: formatDate(version.created_at, "date") })),
    );
  }

  /** Says so when this is not the document's present state, or when its pages cannot be drawn. */
  #drawNotice() {
    const { version, pagesFault } = this.#source;
    const lines = [];
    if (!version.current && version.current_version_id) {
      lines.push(
        h(
          "p",
          { class: "banner weak" },
          icon("history"),
          h(
            "span",
            { class: "grow" },
            t("A newer version of this document exists. You see the one read on {date}.", {
              date: formatDate(version.created_at, "date"),
            }),
            " ",
            h("a", { href: `/documents/${version.document_id}/versions/${version.current_version_id}` }, t("Open the newer one")),
          ),
        ),
      );
    } else if (!version.current) {
      lines.push(
        h("p", { class: "banner weak" }, icon("archive"), h("span", { class: "grow" }, t("This document was deleted. Answers no longer use it; what was cited from it stays readable."))),
      );
    }
    if (pagesFault) {
      lines.push(h("p", { class: "banner" }, icon("info"), h("span", { class: "grow" }, pagesFault)));
    }
    replace(this.notice, lines);
  }
}

customElements.define("etabli-source-viewer", SourceViewer);
