/**
 * <etabli-collections>: the collections, beside their documents; a row of its own above them in a narrow window.
 *
 * Properties, set once: `shelf`, `actions` (create, rename, remove). Method: `refresh()`. Event: `etabli:choose` {id}.
 * Keys: those of links and menus.
 */

import { h, icon, iconButton, replace } from "../core/dom.js";
import { formatNumber, plural, t } from "../core/i18n.js";
import { menuButton } from "../core/menu.js";

class CollectionsList extends HTMLElement {
  /** @type {import("./shelf.js").Shelf} */
  shelf;
  actions;
  #sign = "";

  connectedCallback() {
    if (this.list) return;
    const heading = h("h2", { id: "collections-heading", class: "collections-heading" }, t("Collections"));
    const add = iconButton("folder-plus", t("New collection"), { class: "small", onclick: () => this.actions.create() });
    this.list = h("ul", { role: "list", class: "collections-list" });
    replace(this, h("div", { class: "collections-head" }, heading, add), h("nav", { "aria-labelledby": heading.id }, this.list));
  }

  refresh() {
    const { collections, collectionId } = this.shelf;
    const sign = JSON.stringify([collections, collectionId]);
    if (sign === this.#sign) return;
    this.#sign = sign;
    if (collections === null) {
      replace(this.list, [70, 50, 60].map((width) => h("li", {}, h("span", { class: "skeleton", style: { width: `${width}%`, height: "1.5rem", margin: "0.35rem" } }))));
      return;
    }
    const focused = this.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    replace(this.list, collections.map((one) => this.#row(one, one.id === collectionId)));
    if (focused) this.list.querySelector(`[data-key="${focused}"]`)?.focus({ preventScroll: true });
    this.list.querySelector("[aria-current]")?.parentElement.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  #row(one, current) {
    const menu = iconButton("ellipsis", t("What can be done with {name}", { name: one.name }), {
      class: "small", dataset: { key: `menu-${one.id}`, tip: t("More") },
    });
    menuButton(
      menu,
      () => [
        { label: t("Rename"), icon: "pencil", run: () => this.actions.rename(one) },
        { label: t("Delete"), icon: "trash-2", danger: true, run: () => this.actions.remove(one) },
      ],
      { label: one.name, align: "end" },
    );
    const documents = plural(one.documents, "{count} document", "{count} documents");
    return h(
      "li",
      { class: ["collection-row", current && "current"], dataset: { collection: one.id } },
      h(
        "a",
        {
          class: "collection-link", href: `/documents?collection=${one.id}`, "aria-current": current ? "page" : null,
          dataset: { key: `link-${one.id}` },
          onclick: (event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.preventDefault();
            this.dispatchEvent(new CustomEvent("etabli:choose", { detail: { id: one.id } }));
          },
        },
        icon(current ? "folder-open" : "folder"),
        h("span", { class: "grow truncate" }, one.name),
        one.waiting > 0 && h("span", { class: "collection-waiting", dataset: { tip: plural(one.waiting, "{count} is being read", "{count} are being read") } }, icon("loader", { class: "small spin" }), h("span", { class: "visually-hidden" }, plural(one.waiting, "{count} is being read", "{count} are being read"))),
        one.failed > 0 && h("span", { class: "collection-failed", dataset: { tip: plural(one.failed, "{count} could not be read", "{count} could not be read") } }, icon("circle-alert", { class: "small" }), h("span", { class: "visually-hidden" }, plural(one.failed, "{count} could not be read", "{count} could not be read"))),
        h("span", { class: "muted tiny numbers", "aria-hidden": "true" }, formatNumber(one.documents)),
        h("span", { class: "visually-hidden" }, documents),
      ),
      menu,
    );
  }
}

customElements.define("etabli-collections", CollectionsList);
