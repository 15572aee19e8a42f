/**
 * Showing and hiding the sidebar. Wide windows remember whether it is closed; under 900 px it is a drawer over the page:
 * it takes the focus, Escape and a press outside close it, and what lies under cannot be reached meanwhile.
 */

import { t } from "../core/i18n.js";
import { recall, remember } from "../core/storage.js";
import { cover, narrow } from "./cover.js";

export class Drawer {
  /** @param {HTMLElement} sidebar */
  constructor(sidebar) {
    this.sidebar = sidebar;
    this.app = document.getElementById("app");
    this.button = document.getElementById("sidebar-toggle");
    if (recall("sidebar") === "closed") this.app.dataset.sidebar = "closed";
    this.button.addEventListener("click", () => this.toggle());
    document.getElementById("sidebar-scrim").addEventListener("click", () => this.close());
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isDrawerOpen && !event.defaultPrevented) this.close();
    });
    narrow.addEventListener("change", () => this.#closeDrawer());
    this.#tell();
  }

  get isDrawerOpen() {
    return this.app.dataset.drawer === "open";
  }

  /** Whether the sidebar is seen. */
  get isOpen() {
    return narrow.matches ? this.isDrawerOpen : this.app.dataset.sidebar !== "closed";
  }

  toggle() {
    if (this.isOpen) this.close();
    else this.open();
  }

  /** @param {{focus?: boolean}} [options] focus: move the focus into it (yes unless said) */
  open({ focus = true } = {}) {
    if (narrow.matches) {
      this.app.dataset.drawer = "open";
      cover("drawer", true);
    } else {
      delete this.app.dataset.sidebar;
      remember("sidebar", null);
    }
    this.#tell();
    if (focus) this.sidebar.querySelector("[data-part=close]")?.focus();
  }

  close() {
    const hadFocus = this.sidebar.contains(document.activeElement);
    if (narrow.matches) {
      this.#closeDrawer();
    } else {
      this.app.dataset.sidebar = "closed";
      remember("sidebar", "closed");
    }
    this.#tell();
    if (!hadFocus) return;
    this.button.focus();
    // The button may lie under the sheet that the drawer lay over.
    if (document.activeElement !== this.button) document.getElementById("panel-title")?.focus();
  }

  #closeDrawer() {
    delete this.app.dataset.drawer;
    cover("drawer", false);
    this.#tell();
  }

  #tell() {
    this.button.setAttribute("aria-expanded", String(this.isOpen));
    this.button.setAttribute("aria-label", t("Open the sidebar"));
  }
}
