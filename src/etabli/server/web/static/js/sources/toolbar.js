/**
 * <etabli-source-toolbar>: page, zoom, text or pages, find, download, details of the document that is shown.
 *
 * Methods: `setSource(source)`, `setPage(page)`, `setZoom({percent, fits})`, `setMode("pages"|"text")`, `setFinding(open)`.
 * Events: `etabli:do` {action: "page"|"zoom-in"|"zoom-out"|"fit"|"mode"|"find", page?}.
 */

import { h, icon, iconButton, replace } from "../core/dom.js";
import { formatNumber, formatPercent, t } from "../core/i18n.js";
import { openPopover } from "../core/menu.js";
import { drawDetails } from "./details.js";

class SourceToolbar extends HTMLElement {
  #source = null;

  connectedCallback() {
    if (this.field) return;
    this.setAttribute("role", "toolbar");
    this.setAttribute("aria-label", t("Document"));
    const act = (action, more) => this.dispatchEvent(new CustomEvent("etabli:do", { detail: { action, ...more } }));
    this.field = h("input", {
      class: "input numbers", type: "text", inputmode: "numeric", "aria-label": t("Page number"), autocomplete: "off",
      onkeydown: (event) => event.key === "Enter" && this.#go(act),
      onchange: () => this.#go(act),
      onfocus: () => this.field.select(),
    });
    this.total = h("span", { class: "muted numbers" });
    this.pageGroup = h("div", { class: "row source-page-field" }, this.field, this.total);
    this.percent = h("button", {
      class: "source-percent numbers", type: "button", dataset: { tip: t("Fit the width") }, onclick: () => act("fit"),
    });
    this.zoomGroup = h(
      "div",
      { class: "row source-zoom", role: "group", "aria-label": t("Zoom") },
      iconButton("minus", t("Zoom out"), { class: "small", onclick: () => act("zoom-out") }),
      this.percent,
      iconButton("plus", t("Zoom in"), { class: "small", onclick: () => act("zoom-in") }),
    );
    this.mode = h(
      "button",
      { class: "button small quiet source-mode", type: "button", "aria-pressed": "false", onclick: () => act("mode") },
      t("Text"),
    );
    this.find = iconButton("text-search", t("Find in the document"), {
      class: "small", "aria-expanded": "false", onclick: () => act("find"),
    });
    this.download = h("span", { class: "source-download" });
    this.details = iconButton("info", t("About this document"), { class: "small", onclick: () => this.#details() });
    replace(
      this,
      this.pageGroup,
      this.zoomGroup,
      h("span", { class: "grow" }),
      this.mode,
      this.find,
      this.download,
      this.details,
    );
  }

  /** @param {import("./source.js").Source} source */
  setSource(source) {
    this.#source = source;
    const { version } = source;
    const count = source.hasPages ? source.pages.length : version.page_count;
    this.total.textContent = t("of {total}", { total: formatNumber(count ?? 0) });
    this.pageGroup.hidden = !count || count < 2;
    this.mode.hidden = !source.hasPages;
    this.field.style.setProperty("width", `${Math.max(2, String(count ?? 0).length) + 2.2}ch`);
    replace(
      this.download,
      h(
        "a",
        { class: "icon-button small", href: version.file, download: "", "aria-label": t("Download the original"), dataset: { tip: t("Download the original") } },
        icon("download"),
      ),
    );
  }

  setPage(page) {
    if (document.activeElement !== this.field) this.field.value = String(page);
  }

  setZoom({ percent, fits }) {
    this.percent.textContent = formatPercent(percent / 100);
    this.percent.setAttribute("aria-label", t("{percent}: fit the width", { percent: formatPercent(percent / 100) }));
    this.percent.dataset.fits = String(fits);
  }

  setMode(mode) {
    this.mode.setAttribute("aria-pressed", String(mode === "text"));
    this.zoomGroup.hidden = mode === "text";
  }

  setFinding(open) {
    this.find.setAttribute("aria-expanded", String(open));
  }

  #go(act) {
    const number = Number.parseInt(this.field.value, 10);
    const count = this.#source?.pages.length || this.#source?.version.page_count || 1;
    if (!Number.isInteger(number)) return;
    const page = Math.max(1, Math.min(count, number));
    this.field.value = String(page);
    act("page", { page });
  }

  #details() {
    if (!this.#source) return;
    openPopover(this.details, drawDetails(this.#source), { align: "end" });
  }
}

customElements.define("etabli-source-toolbar", SourceToolbar);
