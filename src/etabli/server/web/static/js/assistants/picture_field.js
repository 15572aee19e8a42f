/**
 * The picture of an assistant. One that is saved changes at once; the picture of a new one waits for its first saving.
 */

import { api } from "../core/api.js";
import { publish } from "../core/channel.js";
import { h, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { toast, toastError } from "../core/toast.js";
import { avatar } from "./avatar.js";

const KINDS = ["image/png", "image/jpeg", "image/webp"];
const MOST_BYTES = 1_000_000;

export class PictureField {
  /** @param {{name: string|null, title: string, picture_url: string|null}} state name: null before the first saving */
  constructor({ name, title, picture_url: address }) {
    this.name = name;
    this.title = title;
    this.address = address;
    this.waiting = null;
    this.face = h("div", { class: "picture-face" });
    this.input = h("input", {
      type: "file",
      accept: KINDS.join(","),
      class: "visually-hidden",
      tabindex: "-1",
      "aria-hidden": "true",
      onchange: () => this.#chosen(this.input.files[0]),
    });
    this.change = h("button", { type: "button", class: "button quiet small", onclick: () => this.input.click() });
    const remove = { type: "button", class: "button quiet small", onclick: () => this.#remove() };
    this.remove = h("button", remove, t("Remove the picture"));
    this.element = h(
      "div",
      { class: "picture-field" },
      this.face,
      h("div", { class: "row wrap picture-buttons" }, this.change, this.remove, this.input),
    );
    this.element.addEventListener("dragover", (event) => event.preventDefault());
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.#chosen(event.dataTransfer.files[0]);
    });
    this.draw();
  }

  /** @param {string} title shown as letters while there is no picture */
  setTitle(title) {
    if (title === this.title) return;
    this.title = title;
    if (!this.address) this.draw();
  }

  draw() {
    replace(this.face, avatar({ title: this.title, picture_url: this.address }, { large: true }));
    replace(this.change, this.address ? t("Change the picture") : t("Add a picture"));
    this.remove.hidden = !this.address;
  }

  /** Send what waits, after the first saving. @param {string} name */
  async saved(name) {
    this.name = name;
    if (this.waiting) await this.#send(this.waiting);
  }

  async #chosen(file) {
    this.input.value = "";
    if (!file) return;
    if (!KINDS.includes(file.type) || file.size > MOST_BYTES) {
      toast(t("A picture is a PNG, JPEG or WebP file of 1 MB at most."), { kind: "error" });
      return;
    }
    this.#show(URL.createObjectURL(file));
    this.waiting = file;
    if (this.name) await this.#send(file);
  }

  async #send(file) {
    try {
      const { picture_url: address } = await api.put(
        `/v1/etabli/assistants/${encodeURIComponent(this.name)}/picture`,
        file,
      );
      this.waiting = null;
      this.#show(address);
      publish("assistants", { name: this.name, picture: true });
    } catch (error) {
      this.waiting = null;
      this.#show(null);
      toastError(error);
    }
  }

  async #remove() {
    this.waiting = null;
    try {
      if (this.name) {
        await api.del(`/v1/etabli/assistants/${encodeURIComponent(this.name)}/picture`);
        publish("assistants", { name: this.name, picture: true });
      }
      this.#show(null);
      this.change.focus();
    } catch (error) {
      toastError(error);
    }
  }

  #show(address) {
    if (this.address?.startsWith("blob:")) URL.revokeObjectURL(this.address);
    this.address = address;
    this.draw();
  }
}
