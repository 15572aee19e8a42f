/** <etabli-sidebar>: the conversations, and the way to the other pages. */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";

class Sidebar extends HTMLElement {
  connectedCallback() {
    this.append(
      h("div", { class: "sidebar-head" }, h("a", { class: "wordmark", href: "/" }, icon("mark"), "Établi")),
      h("div", { class: "sidebar-tools" }, h("a", { class: "button", href: "/" }, icon("square-pen"), t("New conversation"))),
    );
  }
}

customElements.define("etabli-sidebar", Sidebar);
