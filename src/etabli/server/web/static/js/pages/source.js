/** <etabli-source>: a document on a page of its own: `/documents/{id}/versions/{vid}?page=N#char=a,b`. */

import "../sources/viewer.js";

import { h, icon, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { page } from "../core/page.js";
import { register } from "../core/shortcuts.js";
import { baseName, kindIcon } from "../sources/kinds.js";

class SourcePage extends HTMLElement {
  connectedCallback() {
    this.viewer = h("etabli-source-viewer", {
      "onetabli:source-shown": (event) => this.#shown(event.detail.source.version),
    });
    this.viewer.whole = true;
    this.viewer.top = 2;
    replace(document.getElementById("topbar-title"), h("h1", { class: "source-name truncate" }, t("Source")));
    replace(
      document.getElementById("topbar-actions"),
      h("a", { class: "button small quiet", href: "/documents" }, icon("files", { class: "small" }), h("span", {}, t("All documents"))),
    );
    replace(this, this.viewer);
    addEventListener("hashchange", this.#go);
    register({
      id: "source.find", title: t("Find in the document"), group: t("Document"), icon: "text-search",
      run: () => this.viewer.find(),
    });
    this.#go();
  }

  disconnectedCallback() {
    removeEventListener("hashchange", this.#go);
  }

  #go = () => this.viewer.open({ ...page.parameters, ...placeIn(location) });

  #shown(version) {
    const name = version.title || baseName(version.name);
    document.title = `${name} · Établi`;
    replace(
      document.getElementById("topbar-title"),
      icon(kindIcon(version.media_type)),
      h("h1", { class: "source-name truncate", title: version.name }, name),
    );
  }
}

/** What an address says of a place: its page and its range. @param {Location} address */
function placeIn(address) {
  const number = Number.parseInt(new URLSearchParams(address.search).get("page") ?? "", 10);
  const range = /(?:^|[#&])char=(\d{1,12}),(\d{1,12})(?:&|$)/.exec(address.hash);
  return {
    page: number > 0 ? number : null,
    char_start: range ? Number(range[1]) : null,
    char_end: range ? Number(range[2]) : null,
  };
}

customElements.define("etabli-source", SourcePage);
