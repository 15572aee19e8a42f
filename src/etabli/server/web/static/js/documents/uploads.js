/**
 * Files on their way to the server, two at a time.
 *
 *   const uploads = new Uploads({onKept: (document) => …});
 *   uploads.add(found, {id, name});   found: of dropping.js
 *
 * Event: `change`. An item is `waiting`, `sending` (`fraction`), `kept` (`document`), `failed` (`error`), `cancelled`.
 */

import { ApiError, api } from "../core/api.js";
import { t } from "../core/i18n.js";

const AT_ONCE = 2;
let counter = 0;

/**
 * @typedef {{key: number, file: File, path: string|null, name: string, collection: {id: number, name: string},
 *   state: "waiting"|"sending"|"kept"|"failed"|"cancelled", fraction: number, document: any, error: string|null,
 *   control: AbortController|null}} Upload
 */

export class Uploads extends EventTarget {
  /** @type {Upload[]} in the order they were added */
  items = [];
  #onKept;

  /** @param {{onKept?: (document: any) => void}} [options] onKept: called with each document that came to be */
  constructor({ onKept } = {}) {
    super();
    this.#onKept = onKept;
  }

  /** Whether something is still being sent, or waits to be. */
  get busy() {
    return this.items.some((item) => item.state === "waiting" || item.state === "sending");
  }

  /** @param {import("./dropping.js").Found[]} found @param {{id: number, name: string}} collection */
  add(found, collection) {
    for (const { file, path } of found) {
      counter += 1;
      const base = { key: counter, file, path, name: path ?? file.name, collection };
      this.items.push({ ...base, state: "waiting", fraction: 0, document: null, error: null, control: null });
    }
    this.#go();
  }

  /** @param {Upload} item */
  cancel(item) {
    if (item.state !== "waiting" && item.state !== "sending") return;
    item.state = "cancelled";
    item.control?.abort();
    this.#go();
  }

  cancelAll() {
    for (const item of this.items) this.cancel(item);
  }

  /** @param {Upload} item */
  retry(item) {
    if (item.state !== "failed" && item.state !== "cancelled") return;
    Object.assign(item, { state: "waiting", fraction: 0, error: null });
    this.#go();
  }

  /** Forget what is over. */
  clear() {
    this.items = this.items.filter((item) => item.state === "waiting" || item.state === "sending");
    this.#tell();
  }

  #go() {
    let free = AT_ONCE - this.items.filter((item) => item.state === "sending").length;
    for (const item of this.items) {
      if (free <= 0) break;
      if (item.state !== "waiting") continue;
      free -= 1;
      this.#send(item);
    }
    this.#tell();
  }

  async #send(item) {
    const control = new AbortController();
    Object.assign(item, { state: "sending", fraction: 0, control });
    const form = new FormData();
    form.set("collection_id", String(item.collection.id));
    if (item.path) form.set("relative_path", item.path);
    form.set("file", item.file, item.file.name);
    const onProgress = (fraction) => {
      item.fraction = fraction;
      this.#tell();
    };
    try {
      // A file that cannot be opened (moved meanwhile, or a folder) breaks the connection without a reason.
      await item.file.slice(0, 1).arrayBuffer();
      item.document = await api.upload("/v1/etabli/documents", form, { onProgress, signal: control.signal });
      item.state = "kept";
      this.#onKept?.(item.document);
    } catch (error) {
      if (item.state === "sending") {
        item.state = "failed";
        const ours = error instanceof ApiError;
        item.error = ours ? error.message : t("The file cannot be opened any more. Choose it again.");
      }
    }
    item.control = null;
    this.#go();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
