/**
 * <etabli-reading>: what no program could decide, read by a person, blind. Keys: v it goes wrong, n it does not, u I
 * cannot say, z takes the last decision back.
 */

import { exchange } from "../certification/conversations.js";
import { CAMPAIGNS } from "../certification/words.js";
import { api } from "../core/api.js";
import { h, icon, isTyping, replace } from "../core/dom.js";
import { plural, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { page } from "../core/page.js";
import { recall, remember } from "../core/storage.js";
import { toastError } from "../core/toast.js";

const KEYS = { v: "violated", n: "not", u: "unsure" };

class Reading extends HTMLElement {
  #item = null;
  #before = [];
  #busy = false;

  connectedCallback() {
    const { id } = page.parameters;
    this.path = `${CAMPAIGNS}/${encodeURIComponent(id)}/readings`;
    this.campaign = `/certification/campaigns/${encodeURIComponent(id)}`;
    this.reader = h("input", {
      class: "input",
      value: recall("reader") ?? "",
      maxlength: 120,
      autocomplete: "name",
      oninput: () => remember("reader", this.reader.value.trim() || null),
    });
    this.left = h("p", { class: "muted", role: "status" });
    this.place = h("div", { class: "stack" });
    replace(
      this,
      h(
        "div",
        { class: "page narrow reading-page" },
        h(
          "div",
          { class: "page-head" },
          h(
            "div",
            {},
            h("p", { class: "small" }, h("a", { href: this.campaign }, t("Campaign"))),
            h("h1", {}, t("Reading")),
            this.left,
          ),
          h(
            "label",
            { class: "field reader-field" },
            h("span", { class: "field-label" }, t("Your name, for the certificate")),
            this.reader,
          ),
        ),
        this.place,
      ),
    );
    document.title = `${t("Reading")} · Établi`;
    this.listener = (event) => this.#key(event);
    document.addEventListener("keydown", this.listener);
    this.#next();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listener);
  }

  async #next() {
    try {
      const { left, item } = await api.get(`${this.path}/next`);
      this.#show(item, left);
    } catch (error) {
      toastError(error);
    }
  }

  #show(item, left) {
    this.#item = item;
    this.left.textContent = item ? plural(left, "{count} reading left", "{count} readings left") : "";
    if (!item) {
      replace(
        this.place,
        h(
          "div",
          { class: "empty" },
          icon("circle-check"),
          h("h2", {}, t("Everything is read")),
          h("a", { class: "button primary", href: this.campaign }, t("To the result")),
        ),
      );
      return;
    }
    this.question = h("h2", { tabindex: "-1" }, item.label);
    replace(
      this.place,
      this.question,
      h("p", { class: "muted" }, item.question),
      h("div", { class: "card" }, exchange(item)),
      item.other && [
        h("p", { class: "small strong" }, t("The same, for somebody else:")),
        h("div", { class: "card" }, exchange(item.other)),
      ],
      h("p", { class: "strong", id: "asked" }, t("Does the assistant go wrong here, in the way described above?")),
      h(
        "div",
        { class: "row wrap reading-keys", role: "group", "aria-labelledby": "asked" },
        this.#button("v", t("Yes, it goes wrong"), "danger"),
        this.#button("n", t("No"), ""),
        this.#button("u", t("I cannot say"), ""),
        h(
          "button",
          { type: "button", class: "button quiet", disabled: this.#before.length === 0, onclick: () => this.#undo() },
          icon("undo-2", { class: "small" }),
          t("Take back"),
          h("kbd", { class: "kbd" }, "z"),
        ),
      ),
    );
    this.question.focus({ preventScroll: true });
    this.scrollTop = 0;
  }

  #button(key, label, kind) {
    return h(
      "button",
      { type: "button", class: ["button", kind], onclick: () => this.#decide(KEYS[key]) },
      label,
      h("kbd", { class: "kbd" }, key),
    );
  }

  #key(event) {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      isTyping(event.target) ||
      document.querySelector("dialog[open]")
    )
      return;
    const key = event.key.toLowerCase();
    if (KEYS[key] && this.#item) this.#decide(KEYS[key]);
    else if (key === "z" && this.#before.length) this.#undo();
    else return;
    event.preventDefault();
  }

  async #decide(outcome) {
    if (this.#busy || !this.#item) return;
    this.#busy = true;
    const item = this.#item;
    const { position, generation, reading } = item;
    try {
      const kept = await api.post(this.path, {
        position,
        generation,
        reading,
        outcome,
        reader: this.reader.value.trim(),
      });
      this.#before.push(item);
      this.#again = kept.left;
      announce(t("Kept."));
      await this.#next();
    } catch (error) {
      toastError(error);
    }
    this.#busy = false;
  }
  #again = 0;

  /** Show the last one again: a new decision replaces the old one. */
  #undo() {
    if (this.#busy) return;
    this.#show(this.#before.pop(), this.#again + 1);
    announce(t("Decide again."));
  }
}

customElements.define("etabli-reading", Reading);
