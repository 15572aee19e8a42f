/** The seal of the assistant that one talks to, in the bar above the conversation, and the banner under it. */

import { h, replace } from "../core/dom.js";
import { loadStanding, sealLink, standingBanner } from "./seal.js";

export class HeaderSeal {
  #shown = null;

  constructor() {
    this.element = h("span", { class: "header-seal" });
    this.banner = h("div", { class: "header-seal-banner" });
  }

  /** @param {string|null} name of an assistant; asked again each time it is chosen */
  async show(name) {
    if (name === this.#shown) return;
    this.#shown = name;
    // What nobody could say is not said: the answer itself is refused where the assistant may not serve.
    const standing = name === null ? null : await loadStanding(name).catch(() => null);
    if (name !== this.#shown) return;
    replace(this.element, standing && sealLink(name, standing));
    replace(this.banner, standingBanner(standing));
  }
}
