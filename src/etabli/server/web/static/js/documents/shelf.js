/**
 * The collections, and the documents of the one that is shown. Looks again every second while something waits to be
 * read, less often in a long list or when nothing moves.
 *
 * Events: `change`, when anything of it did; `fault` (`detail`: the error), when the server does not answer.
 */

import { api, withQuery } from "../core/api.js";
import { publish, subscribe } from "../core/channel.js";
import { isWaiting } from "./stages.js";

/** So many are shown as soon as they are there; the rest follows. */
const FIRST = 200;
const REST = 5000;
const QUICK_MS = 1000;
const SLOW_MS = 5000;
const LONG_LIST = 400;
const PATIENCE = 90;
const AT_ONCE = 5;
const NEWS_MS = 250;

export class Shelf extends EventTarget {
  /** @type {any[]|null} null until they are known */
  collections = null;
  /** @type {number|null} */
  collectionId = null;
  /** @type {any[]|null} of the collection, null until they are known */
  documents = null;
  /** How many the collection has, while not all are loaded. @type {number|null} */
  total = null;
  #hidden = new Set();
  /** What was added to other collections and is still being read. @type {Map<number, any>} */
  #elsewhere = new Map();
  #turn = 0;
  #timer = 0;
  #news = 0;
  #still = 0;
  #heard = null;
  #shown = () => !document.hidden && this.#plan(0);

  /** Begin to follow what other tabs change. */
  start() {
    this.#heard = subscribe("documents", (_, { here }) => here || this.reload().catch(() => {}));
    document.addEventListener("visibilitychange", this.#shown);
  }

  stop() {
    this.#heard?.();
    document.removeEventListener("visibilitychange", this.#shown);
    clearTimeout(this.#timer);
    this.#turn += 1;
  }

  /** The collection that is shown. */
  get collection() {
    return this.collections?.find((one) => one.id === this.collectionId) ?? null;
  }

  async loadCollections() {
    this.collections = (await api.get("/v1/etabli/collections")).data;
    this.#tell();
  }

  /** Show a collection. @param {number|null} id */
  async choose(id) {
    if (this.collectionId !== id) this.documents = this.total = null;
    this.collectionId = id;
    this.#tell();
    await this.#loadDocuments();
  }

  /** Look again at everything. */
  async reload() {
    await Promise.all([this.loadCollections(), this.#loadDocuments()]);
  }

  /** A document that came or changed. @param {any} entry */
  put(entry) {
    this.#hidden.delete(entry.id);
    if (entry.collection_id === this.collectionId && this.documents) {
      const others = this.documents.filter((one) => one.id !== entry.id);
      this.documents = [...others, entry];
    }
    if (isWaiting(entry)) this.#elsewhere.set(entry.id, entry);
    this.#still = 0;
    this.#tell();
    this.#plan(QUICK_MS);
  }

  /** The entry of a document that is shown, or was added since. @param {number} id */
  find(id) {
    return this.documents?.find((one) => one.id === id) ?? this.#elsewhere.get(id) ?? null;
  }

  /** Take a document away; it is out of the list at once. @param {any} entry */
  async remove(entry) {
    this.#hidden.add(entry.id);
    this.documents = this.documents?.filter((one) => one.id !== entry.id) ?? null;
    this.#tell();
    try {
      await api.del(`/v1/etabli/documents/${entry.id}`);
    } catch (error) {
      this.put(entry);
      throw error;
    }
    this.changed();
  }

  /** Undo `remove`. @param {any} entry */
  async restore(entry) {
    this.put(await api.post(`/v1/etabli/documents/${entry.id}/restore`));
    this.changed();
  }

  /** Have a document read again. @param {any} entry */
  async readAgain(entry) {
    this.put(await api.post(`/v1/etabli/documents/${entry.id}/read`));
    this.changed();
  }

  async createCollection(name) {
    const made = await api.post("/v1/etabli/collections", { name });
    await this.loadCollections();
    publish("documents", {});
    return made;
  }

  async renameCollection(id, name) {
    await api.patch(`/v1/etabli/collections/${id}`, { name });
    await this.loadCollections();
    publish("documents", {});
  }

  async removeCollection(id) {
    await api.del(`/v1/etabli/collections/${id}`);
    this.collections = this.collections.filter((one) => one.id !== id);
    publish("documents", {});
    if (this.collectionId === id) await this.choose(this.collections[0]?.id ?? null);
    else this.#tell();
  }

  async restoreCollection(id) {
    await api.post(`/v1/etabli/collections/${id}/restore`);
    await this.loadCollections();
    await this.choose(id);
    publish("documents", {});
  }

  /** The numbers of the collections changed with a document; other tabs want to know. */
  changed() {
    // A folder of a thousand files is not a thousand pieces of news.
    clearTimeout(this.#news);
    this.#news = setTimeout(() => {
      publish("documents", { collection_id: this.collectionId });
      this.loadCollections().catch(() => {});
    }, NEWS_MS);
  }

  async #loadDocuments() {
    this.#turn += 1;
    const turn = this.#turn;
    if (this.collectionId === null) {
      this.documents = [];
      this.#tell();
      return;
    }
    const found = [];
    let after = null;
    do {
      const limit = this.documents === null ? FIRST : REST;
      const query = { collection_id: this.collectionId, limit, after };
      const answer = await api.get(withQuery("/v1/etabli/documents", query));
      if (turn !== this.#turn) return;
      found.push(...answer.data);
      after = answer.has_more ? answer.last_id : null;
      if (this.documents !== null && after !== null) continue;
      this.total = after === null ? null : answer.total;
      this.#take(found, after === null);
    } while (after !== null);
    this.#plan();
  }

  /** The new list; entries that are as before stay the same objects, so that they are not drawn again. */
  #take(found, whole) {
    const before = new Map((this.documents ?? []).map((one) => [one.id, one]));
    const same = (one) => {
      const old = before.get(one.id);
      return old && JSON.stringify(old) === JSON.stringify(one) ? old : one;
    };
    const next = found.filter((one) => !this.#hidden.has(one.id)).map(same);
    const moved = next.length !== before.size || next.some((one) => before.get(one.id) !== one);
    this.#still = moved ? 0 : this.#still + 1;
    if (!moved && this.documents !== null && !whole) return;
    if (moved || this.documents === null) this.documents = next;
    this.#tell();
  }

  #plan(wait) {
    clearTimeout(this.#timer);
    const added = [...this.#elsewhere.values()].some(isWaiting);
    const waits = added || this.documents?.some(isWaiting) || this.collections?.some((one) => one.waiting > 0);
    if (!waits || document.hidden) return;
    const slow = (this.documents?.length ?? 0) > LONG_LIST || this.#still > PATIENCE;
    this.#timer = setTimeout(() => this.#look(), wait ?? (slow ? SLOW_MS : QUICK_MS));
  }

  async #look() {
    try {
      await Promise.all([this.reload(), this.#lookElsewhere()]);
    } catch (error) {
      this.dispatchEvent(new CustomEvent("fault", { detail: error }));
      this.#plan(SLOW_MS);
    }
  }

  /** Look at a few documents that were added and are not in the list. */
  async #lookElsewhere() {
    const shown = new Set(this.documents?.map((one) => one.id));
    const asked = [...this.#elsewhere.values()].filter((one) => isWaiting(one) && !shown.has(one.id)).slice(0, AT_ONCE);
    for (const entry of this.documents ?? []) if (this.#elsewhere.has(entry.id)) this.#elsewhere.set(entry.id, entry);
    for (const { id } of asked) {
      try {
        this.#elsewhere.set(id, await api.get(`/v1/etabli/documents/${id}`));
      } catch (error) {
        if (error.status !== 404) throw error;
        this.#elsewhere.delete(id);
      }
    }
    if (asked.length) this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }
}
