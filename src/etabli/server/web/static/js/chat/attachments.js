/**
 * Documents for one conversation: files are sent to its own collection, each shown with how far it is. A question may be
 * asked while they are still being read; those that failed say why.
 */

import { api } from "../core/api.js";
import { publish } from "../core/channel.js";
import { h, icon, iconButton, replace } from "../core/dom.js";
import { formatBytes, formatPercent, t } from "../core/i18n.js";
import { toastError } from "../core/toast.js";

const LOOK_MS = 1200;
const SEARCHABLE = new Set(["searchable", "embedding", "ready"]);

export class Attachments {
  #files = [];
  #collection = null;

  /**
   * @param {{conversation: () => Promise<string>, onChange?: () => void}} options conversation: gives its id, and makes it
   *   when there is none yet
   */
  constructor({ conversation, onChange }) {
    this.conversation = conversation;
    this.onChange = onChange;
    this.element = h("ul", {
      class: "composer-files",
      role: "list",
      "aria-label": t("Documents of this question"),
      hidden: true,
    });
  }

  /** What goes with the question. @returns {{document_id: number, name: string}[]} */
  get documents() {
    return this.#files
      .filter((file) => file.id !== null && file.stage !== "failed")
      .map(({ id, name }) => ({ document_id: id, name }));
  }

  /** Whether something is still being sent: the question waits for it. */
  get sending() {
    return this.#files.some((file) => file.stage === "sending");
  }

  /** Whether something can not be searched yet. */
  get reading() {
    return this.#files.some((file) => file.stage !== "failed" && !SEARCHABLE.has(file.stage));
  }

  /** @param {Iterable<File>} files */
  async add(files) {
    const added = [...files].map((file) => ({
      id: null,
      name: file.name,
      size: file.size,
      stage: "sending",
      fraction: 0,
      message: null,
      stop: new AbortController(),
      file,
    }));
    this.#files.push(...added);
    this.#draw();
    try {
      this.#collection ??= this.#ownCollection();
      const collection = await this.#collection;
      for (const one of added) await this.#send(one, collection);
    } catch (error) {
      this.#collection = null;
      for (const one of added) if (one.id === null) this.#drop(one);
      toastError(error);
    }
  }

  /** Those of a draft, or none. @param {{document_id: number, name: string}[]} documents */
  set(documents) {
    for (const one of this.#files) one.stop?.abort();
    this.#collection = null;
    this.#files = documents.map(({ document_id, name }) => ({
      id: document_id,
      name,
      size: null,
      stage: "queued",
      fraction: 1,
    }));
    this.#draw();
    for (const one of this.#files) this.#look(one);
  }

  async #ownCollection() {
    const id = await this.conversation();
    const answer = await api.post(`/v1/etabli/conversations/${encodeURIComponent(id)}/collection`);
    return answer.id ?? answer.collection_id;
  }

  async #send(one, collection) {
    if (!this.#files.includes(one)) return;
    const form = new FormData();
    form.append("collection_id", String(collection));
    form.append("file", one.file, one.name);
    try {
      const entry = await api.upload("/v1/etabli/documents", form, {
        signal: one.stop.signal,
        onProgress: (fraction) => {
          one.fraction = fraction;
          this.#draw();
        },
      });
      Object.assign(one, { id: entry.id, stage: entry.stage, message: entry.message });
      publish("documents", { collection_id: collection });
      this.#draw();
      this.#look(one);
    } catch (error) {
      if (error.name === "AbortError") return;
      Object.assign(one, { stage: "failed", message: error.message });
      this.#draw();
    }
  }

  /** Ask how far the reading is, until it is over. */
  async #look(one) {
    while (this.#files.includes(one) && one.stage !== "failed" && !["ready", "searchable"].includes(one.stage)) {
      try {
        const entry = await api.get(`/v1/etabli/documents/${one.id}`);
        Object.assign(one, { stage: entry.stage, message: entry.message, size: entry.size_bytes });
      } catch (error) {
        if (error.status === 404) return this.#drop(one);
      }
      this.#draw();
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  async #remove(one) {
    one.stop?.abort();
    this.#drop(one);
    if (one.id === null) return;
    try {
      await api.del(`/v1/etabli/documents/${one.id}`);
      publish("documents", {});
    } catch (error) {
      if (error.status !== 404) toastError(error);
    }
  }

  #drop(one) {
    this.#files = this.#files.filter((other) => other !== one);
    this.#draw();
  }

  #draw() {
    this.element.hidden = this.#files.length === 0;
    replace(
      this.element,
      this.#files.map((one) => this.#row(one)),
    );
    this.onChange?.();
  }

  #row(one) {
    const failed = one.stage === "failed";
    const done = SEARCHABLE.has(one.stage);
    const mark = failed
      ? icon("file-warning", { class: "small" })
      : done
        ? icon("file-text", { class: "small" })
        : h("span", { class: "spinner" });
    return h(
      "li",
      { class: ["file-chip", failed && "failed"], title: one.message ?? one.name },
      mark,
      h("span", { class: "file-name truncate" }, one.name),
      h("span", { class: "file-state muted numbers", role: "status" }, stateOf(one)),
      iconButton("x", t("Remove {name}", { name: one.name }), { class: "small", onclick: () => this.#remove(one) }),
    );
  }
}

function stateOf(one) {
  switch (one.stage) {
    case "sending":
      return formatPercent(one.fraction);
    case "queued":
      return t("waiting");
    case "reading":
      return t("being read");
    case "failed":
      return one.message ?? t("could not be read");
    default:
      return one.size ? formatBytes(one.size) : t("ready");
  }
}
