/**
 * <etabli-uploads>: what is being sent and read, file by file, at the bottom of the page.
 *
 * Properties: `uploads` (an `Uploads`) and `entryOf(id)` (the document as the list knows it now), set once. Method:
 * `refresh()`, when documents changed. It shows itself when something is added; Escape in it folds it.
 */

import { h, icon, iconButton, replace } from "../core/dom.js";
import { formatBytes, formatPercent, plural, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { baseName, folderOf } from "../sources/kinds.js";
import { stageBadge } from "./stages.js";

const MOST_DRAWN = 60;
const ORDER = { sending: 0, failed: 1, waiting: 2, cancelled: 3, kept: 4 };

class UploadList extends HTMLElement {
  /** @type {import("./uploads.js").Uploads} */
  uploads;
  entryOf = () => null;
  #folded = false;
  #frame = 0;
  #wasBusy = false;
  #rows = new Map();

  connectedCallback() {
    if (this.list) return;
    this.hidden = true;
    this.setAttribute("role", "region");
    this.setAttribute("aria-label", t("Files being added"));
    this.heading = h("span", { class: "grow strong small" });
    this.fold = iconButton("chevron-down", t("Fold"), { class: "small", "aria-expanded": "true", onclick: () => this.#toggle() });
    this.stop = h("button", { class: "button small quiet", type: "button", onclick: () => this.uploads.cancelAll() }, t("Cancel all"));
    this.closeButton = iconButton("x", t("Close"), { class: "small", onclick: () => this.uploads.clear() });
    this.bar = h("progress", { class: "progress", max: 1, "aria-label": t("Sent") });
    this.list = h("ul", { role: "list", class: "upload-list", tabindex: "0", "aria-label": t("Files") });
    replace(this, h("div", { class: "upload-head" }, this.heading, this.stop, this.fold, this.closeButton), this.bar, this.list);
    this.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.#folded) return;
      event.preventDefault();
      this.#toggle();
      this.fold.focus();
    });
    this.uploads.addEventListener("change", () => this.refresh());
  }

  refresh() {
    if (this.#frame) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #toggle() {
    this.#folded = !this.#folded;
    this.list.hidden = this.#folded;
    this.fold.setAttribute("aria-expanded", String(!this.#folded));
    const label = this.#folded ? t("Unfold") : t("Fold");
    this.fold.setAttribute("aria-label", label);
    this.fold.dataset.tip = label;
    replace(this.fold, icon(this.#folded ? "chevron-up" : "chevron-down"));
  }

  #draw() {
    const { items, busy } = this.uploads;
    this.hidden = items.length === 0;
    if (this.hidden) return void (this.#wasBusy = false);
    const bytes = (one) => one.file.size + 1;
    const live = items.filter((item) => item.state !== "cancelled");
    const all = live.reduce((sum, item) => sum + bytes(item), 0);
    const done = live.reduce((sum, item) => sum + bytes(item) * (item.state === "sending" ? item.fraction : item.state === "waiting" ? 0 : 1), 0);
    this.bar.hidden = !busy;
    this.bar.value = all ? done / all : 1;
    this.stop.hidden = !busy;
    this.closeButton.hidden = busy;
    const title = this.#summary(items, busy, all ? done / all : 1);
    if (this.heading.textContent !== title) this.heading.textContent = title;
    if (this.#wasBusy && !busy) announce(title);
    this.#wasBusy = busy;
    const shown = items.toSorted((a, b) => ORDER[a.state] - ORDER[b.state] || a.key - b.key).slice(0, MOST_DRAWN);
    const rows = shown.map((item) => this.#row(item));
    const more = items.length - shown.length;
    if (more > 0) rows.push(h("li", { class: "upload-more muted small" }, plural(more, "and {count} more file", "and {count} more files")));
    this.#put(rows);
    const kept = new Set(shown.map((item) => item.key));
    for (const key of this.#rows.keys()) if (!kept.has(key)) this.#rows.delete(key);
  }

  /** Rows in their order; those that are in place stay, with the focus that one may have. */
  #put(rows) {
    for (const [place, row] of rows.entries()) {
      if (this.list.children[place] !== row) this.list.insertBefore(row, this.list.children[place] ?? null);
    }
    while (this.list.children.length > rows.length) this.list.lastElementChild.remove();
  }

  #summary(items, busy, part) {
    const failed = items.filter((item) => item.state === "failed").length;
    if (busy) {
      const left = items.filter((item) => item.state === "waiting" || item.state === "sending").length;
      return plural(left, "Sending {count} file, {percent}", "Sending {count} files, {percent}", { percent: formatPercent(part) });
    }
    const kept = items.filter((item) => item.state === "kept").length;
    const added = plural(kept, "{count} file added", "{count} files added");
    if (!failed) return added;
    const refused = plural(failed, "{count} was not added", "{count} were not added");
    return kept ? `${added}, ${refused}` : refused;
  }

  #row(item) {
    const entry = item.document && (this.entryOf(item.document.id) ?? item.document);
    const sign = [item.state, item.error, entry && JSON.stringify([entry.stage, entry.state, entry.progress, entry.message])].join("|");
    const old = this.#rows.get(item.key);
    if (old?.sign === sign) {
      if (old.bar) old.bar.value = item.fraction;
      return old.element;
    }
    const bar = item.state === "sending" && h("progress", { class: "progress", max: 1, value: item.fraction, "aria-label": t("Sent of {name}", { name: item.name }) });
    const fault = item.error ?? (entry?.stage === "failed" ? entry.message : null);
    const element = h(
      "li",
      { class: ["upload-row", item.state], dataset: { name: item.name } },
      h(
        "div",
        { class: "grow" },
        h("div", { class: "truncate", title: item.name }, baseName(item.name)),
        h("div", { class: "tiny muted truncate" }, [folderOf(item.name), formatBytes(item.file.size)].filter(Boolean).join(" · ")),
        bar,
        fault && h("p", { class: "upload-fault small" }, fault),
      ),
      this.#mark(item, entry),
      this.#button(item),
    );
    const focused = old?.element.contains(document.activeElement);
    old?.element.replaceWith(element);
    if (focused) (element.querySelector("button") ?? this.list).focus({ preventScroll: true });
    this.#rows.set(item.key, { element, sign, bar });
    return element;
  }

  #mark(item, entry) {
    if (entry) return stageBadge(entry);
    const labels = { waiting: t("Waiting"), cancelled: t("Cancelled"), failed: t("Not added"), sending: t("Sending") };
    return h("span", { class: ["badge", item.state === "failed" && "danger"] }, labels[item.state]);
  }

  #button(item) {
    const { name } = item;
    if (item.state === "waiting" || item.state === "sending") {
      return iconButton("x", t("Cancel {name}", { name }), { class: "small", onclick: () => this.uploads.cancel(item) });
    }
    if (item.state === "failed" || item.state === "cancelled") {
      return iconButton("rotate-ccw", t("Send {name} again", { name }), { class: "small", onclick: () => this.uploads.retry(item) });
    }
    return null;
  }
}

customElements.define("etabli-uploads", UploadList);
