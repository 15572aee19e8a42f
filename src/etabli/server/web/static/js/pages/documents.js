/**
 * <etabli-documents>: the collections and their documents. `?collection=` in the address says which one is shown.
 */

import "../documents/collections.js";
import "../documents/results.js";
import "../documents/table.js";
import "../documents/upload_list.js";

import { h, icon, replace } from "../core/dom.js";
import { formatNumber, plural, t } from "../core/i18n.js";
import { menuButton } from "../core/menu.js";
import { register } from "../core/shortcuts.js";
import { recall, remember } from "../core/storage.js";
import { toastError } from "../core/toast.js";
import { makeActions } from "../documents/actions.js";
import { Adding } from "../documents/adding.js";
import { noCollection, noDocument, noMatch, notLoaded } from "../documents/empty.js";
import { arrange, nextSort } from "../documents/order.js";
import { Shelf } from "../documents/shelf.js";
import { isWaiting } from "../documents/stages.js";
import { Uploads } from "../documents/uploads.js";
import { openSource } from "../shell/beside.js";

const PAUSE_MS = 250;

class DocumentsPage extends HTMLElement {
  #state = "all";
  #sort = recall("documents-sort") ?? { key: "name", down: false };
  #everywhere = false;
  #timer = 0;
  #arranged = { documents: null, rows: [], state: "", sort: null };

  async connectedCallback() {
    this.shelf = new Shelf();
    this.actions = makeActions(this.shelf);
    this.uploads = new Uploads({ onKept: (entry) => this.#kept(entry) });
    this.#build();
    this.#register();
    this.shelf.addEventListener("change", () => this.#draw());
    this.shelf.start();
    this.#draw();
    await this.#begin();
  }

  disconnectedCallback() {
    this.shelf.stop();
  }

  async #begin() {
    try {
      await this.shelf.loadCollections();
      const asked = Number(new URLSearchParams(location.search).get("collection"));
      const known = this.shelf.collections.find((one) => one.id === asked) ?? this.shelf.collections[0];
      await this.shelf.choose(known?.id ?? null);
    } catch (error) {
      this.#drawFault(error);
    }
  }

  #build() {
    this.search = h("input", {
      class: "input", type: "search", placeholder: t("Search in the documents"), "aria-label": t("Search in the documents"),
      autocomplete: "off", maxlength: "1000", oninput: () => this.#searchLater(),
      onkeydown: (event) => this.#searchKey(event),
    });
    this.scope = h("select", { class: "select", "aria-label": t("Where to search"), onchange: () => this.#rescope() });
    this.filter = h("select", { class: "select", "aria-label": t("State"), onchange: () => this.#refilter() });
    this.order = h("button", { class: "button small order-button", type: "button" }, icon("chevrons-up-down", { class: "small" }), h("span", {}, t("Sort")));
    menuButton(this.order, () => this.#orders(), { label: t("Sort"), align: "end" });
    this.adding = new Adding(this, {
      shelf: this.shelf, uploads: this.uploads, create: () => this.actions.collections.create(),
    });
    this.list = h("etabli-collections", { "onetabli:choose": ({ detail }) => this.#choose(detail.id) });
    this.list.shelf = this.shelf;
    this.list.actions = this.actions.collections;
    this.table = h("etabli-documents-table", {
      "onetabli:sort": ({ detail }) => this.#resort(nextSort(this.#sort, detail.key)),
    });
    Object.assign(this.table, { open: this.actions.open, items: this.actions.items, remove: this.actions.remove });
    this.results = h("etabli-document-results", { hidden: true });
    Object.assign(this.results, { shelf: this.shelf, open: openSource });
    this.heading = h("h2", { class: "collection-title truncate" });
    this.counts = h("p", { class: "muted small", role: "status" });
    this.empty = h("div", { hidden: true });
    this.tools = h("div", { class: "documents-tools" }, h("div", { class: "grow" }, this.heading, this.counts), this.filter, this.order);
    this.sending = h("etabli-uploads");
    Object.assign(this.sending, { uploads: this.uploads, entryOf: (id) => this.shelf.find(id) });
    replace(
      this,
      h(
        "div",
        { class: "documents-scroll" },
        h(
          "div",
          { class: "documents-page" },
          h(
            "div",
            { class: "documents-head" },
            h("h1", {}, t("Documents")),
            h("div", { class: "documents-search" }, h("label", { class: "search-field grow" }, icon("search", { class: "small" }), this.search), this.scope),
            this.adding.button,
          ),
          h("div", { class: "documents-columns" }, this.list, h("section", { class: "documents-main", "aria-label": t("Documents of the collection") }, this.tools, this.results, this.table, this.empty)),
        ),
      ),
      this.sending,
      this.adding.parts,
    );
  }

  #register() {
    const own = { group: t("Documents"), when: () => this.isConnected };
    register({ id: "documents.search", title: t("Search in the documents"), keys: "/", icon: "search", run: () => this.search.focus(), ...own });
    register({ id: "documents.add", title: t("Add files"), icon: "upload", run: () => this.adding.chooseFiles(), ...own });
    register({ id: "documents.collection", title: t("New collection"), icon: "folder-plus", run: () => this.actions.collections.create(), ...own });
  }

  async #choose(id) {
    const address = new URL(location.href);
    address.searchParams.set("collection", String(id));
    history.replaceState(null, "", address);
    this.querySelector(".documents-scroll").scrollTop = 0;
    try {
      await this.shelf.choose(id);
      if (this.search.value.trim()) this.#runSearch();
    } catch (error) {
      toastError(error);
    }
  }

  // --- what is shown ---

  #draw() {
    const { shelf } = this;
    this.list.refresh();
    this.sending.refresh();
    const searching = this.search.value.trim().length > 1;
    const none = shelf.collections?.length === 0;
    const loaded = shelf.documents !== null;
    const bare = loaded && shelf.documents.length === 0;
    const rows = loaded ? this.#rows() : [];
    this.adding.button.disabled = shelf.collection === null;
    this.search.disabled = none;
    this.scope.hidden = !searching || (shelf.collections?.length ?? 0) < 2;
    this.tools.hidden = searching || none;
    this.results.hidden = !searching;
    this.table.hidden = searching || !loaded || rows.length === 0;
    this.list.hidden = none;
    this.empty.hidden = searching || shelf.collections === null || !(none || (loaded && rows.length === 0));
    this.filter.hidden = this.order.hidden = bare || !loaded || shelf.total !== null;
    if (!searching) replace(this.heading, shelf.collection?.name ?? "");
    this.#drawScope();
    if (loaded) this.#drawCounts();
    if (!this.table.hidden) this.table.show(rows, { label: t("Documents of “{name}”", { name: shelf.collection?.name ?? "" }), sort: this.#sort });
    if (!this.empty.hidden) this.#drawEmpty(none, bare);
  }

  #rows() {
    const now = this.#arranged;
    const { documents } = this.shelf;
    if (now.documents !== documents || now.state !== this.#state || now.sort !== this.#sort) {
      const rows = arrange(documents, { state: this.#state, sort: this.#sort });
      this.#arranged = { documents, rows, state: this.#state, sort: this.#sort };
    }
    return this.#arranged.rows;
  }

  #drawCounts() {
    const { documents, total } = this.shelf;
    const waiting = documents.filter(isWaiting).length;
    const failed = documents.filter((one) => one.stage === "failed").length;
    const words = [
      plural(total ?? documents.length, "{count} document", "{count} documents"),
      total === null && waiting && plural(waiting, "{count} is being read", "{count} are being read"),
      total === null && failed && plural(failed, "{count} could not be read", "{count} could not be read"),
    ].filter(Boolean);
    const text = documents.length ? words.join(" · ") : "";
    if (this.counts.textContent !== text) this.counts.textContent = text;
    // What is counted by state would be wrong while not all are known.
    if (total !== null) return;
    const ready = documents.filter((one) => one.stage === "ready").length;
    const options = [
      ["all", t("All"), documents.length],
      ["ready", t("Ready"), ready],
      ["waiting", t("Being read"), waiting],
      ["failed", t("Failed"), failed],
    ];
    const sign = JSON.stringify([options, this.#state]);
    if (this.filter.dataset.sign === sign) return;
    this.filter.dataset.sign = sign;
    replace(this.filter, options.map(([value, label, count]) => h("option", { value, selected: value === this.#state }, `${label} (${formatNumber(count)})`)));
  }

  #drawScope() {
    const name = this.shelf.collection?.name ?? "";
    if (this.scope.dataset.sign === name) return;
    this.scope.dataset.sign = name;
    replace(
      this.scope,
      h("option", { value: "here", selected: !this.#everywhere }, t("In “{name}”", { name })),
      h("option", { value: "all", selected: this.#everywhere }, t("In all collections")),
    );
  }

  #drawEmpty(none, bare) {
    const sign = none ? "none" : bare ? "bare" : `filter-${this.#state}`;
    if (this.empty.dataset.sign === sign) return;
    this.empty.dataset.sign = sign;
    if (none) replace(this.empty, noCollection(() => this.actions.collections.create()));
    else if (bare) replace(this.empty, noDocument(this.adding));
    else replace(this.empty, noMatch(() => this.#showAll()));
  }

  #drawFault(error) {
    this.empty.hidden = false;
    this.empty.dataset.sign = "fault";
    replace(this.empty, notLoaded(error, () => this.#begin()));
  }

  // --- sorting, filtering, searching ---

  #orders() {
    const names = { name: t("Name"), stage: t("State"), pages: t("Pages"), size: t("Size"), date: t("Changed") };
    return Object.entries(names).map(([key, label]) => ({ label, checked: key === this.#sort.key, run: () => this.#resort(nextSort(this.#sort, key)) }));
  }

  #resort(sort) {
    this.#sort = sort;
    remember("documents-sort", sort);
    this.#draw();
  }

  #refilter() {
    this.#state = this.filter.value;
    this.#draw();
  }

  #showAll() {
    this.#state = "all";
    this.#draw();
    this.filter.focus();
  }

  #rescope() {
    this.#everywhere = this.scope.value === "all";
    this.#runSearch();
  }

  #searchLater() {
    clearTimeout(this.#timer);
    if (this.search.value.trim().length < 2) this.#runSearch();
    else this.#timer = setTimeout(() => this.#runSearch(), PAUSE_MS);
  }

  #searchKey(event) {
    if (event.key === "Enter") {
      clearTimeout(this.#timer);
      this.#runSearch();
    } else if (event.key === "Escape" && this.search.value) {
      event.preventDefault();
      this.search.value = "";
      this.#runSearch();
    }
  }

  #runSearch() {
    const query = this.search.value.trim();
    this.#draw();
    if (query.length < 2) this.results.clear();
    else this.results.search(query, { collection: this.#everywhere ? null : this.shelf.collection });
  }

  #kept(entry) {
    this.shelf.put(entry);
    this.shelf.changed();
  }
}

customElements.define("etabli-documents", DocumentsPage);
