/**
 * The conversations of this account, page after page, as the sidebar shows them: pinned first, then by last change.
 * Kept up to date by what the chat and other tabs publish, and by looking again when the tab is seen again.
 */

import { api, withQuery } from "../core/api.js";
import { publish, subscribe } from "../core/channel.js";
import { t } from "../core/i18n.js";

const PAGE = 100;
const STALE_MS = 30_000;
const CACHE = "etabli.conversations";

/**
 * @typedef {{id: string, title: string, assistant: string, pinned: boolean, created_at: string, updated_at: string,
 *   running: boolean, snippet: {text: string, ranges: [number, number][]}|null}} Conversation
 */

export class Conversations extends EventTarget {
  /** @type {Map<string, Conversation>} */
  #known = new Map();
  #sorted = null;
  #last = null;
  #loading = null;
  #lookedAt = 0;

  /** Whether everything has come. */
  complete = false;
  /** The failure of the last load, or null. */
  error = null;

  constructor() {
    super();
    this.#remembered().forEach((entry) => this.#known.set(entry.id, entry));
    subscribe("conversation", (news) => this.#hear(news));
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && performance.now() - this.#lookedAt > STALE_MS) this.refresh();
    });
  }

  /** In the order of the screen. @returns {Conversation[]} */
  get list() {
    this.#sorted ??= [...this.#known.values()].sort(
      (a, b) => Number(b.pinned) - Number(a.pinned) || compare(b.updated_at, a.updated_at) || compare(b.id, a.id),
    );
    return this.#sorted;
  }

  /** @param {string} id */
  get(id) {
    return this.#known.get(id);
  }

  /** Look at the newest ones again. */
  async refresh() {
    this.#lookedAt = performance.now();
    await this.#load(null);
  }

  /** Fetch the next page, if there is one and none is coming. */
  async more() {
    if (!this.complete && this.#loading === null && this.#last !== null) await this.#load(this.#last);
  }

  /**
   * Find words in titles and messages; case and accents do not matter.
   * @param {string} query @param {AbortSignal} [signal] @param {number} [limit] @returns {Promise<Conversation[]>}
   */
  async search(query, signal, limit = 50) {
    return (await api.get(withQuery("/v1/etabli/conversations", { query, limit }), { signal })).data.map(titled);
  }

  /** @param {string} id @param {{title?: string, pinned?: boolean}} change shown at once, taken back if refused */
  async change(id, change) {
    const before = this.#known.get(id);
    this.#put({ ...before, ...change });
    try {
      await api.patch(address(id), change);
      publish("conversation", { id, change: "updated", ...change });
    } catch (error) {
      if (before) this.#put(before);
      throw error;
    }
  }

  /** @param {string} id */
  async delete(id) {
    const before = this.#known.get(id);
    this.#drop(id);
    try {
      await api.del(address(id));
      publish("conversation", { id, change: "deleted" });
    } catch (error) {
      if (before) this.#put(before);
      throw error;
    }
  }

  /** Undo a deletion. @param {string} id */
  async restore(id) {
    await api.post(`${address(id)}/restore`);
    publish("conversation", { id, change: "restored" });
  }

  async #load(after) {
    const work = api.get(withQuery("/v1/etabli/conversations", { limit: PAGE, after }));
    this.#loading = work;
    try {
      const page = await work;
      this.error = null;
      if (after === null) this.#forgetMissing(page);
      for (const entry of page.data) this.#known.set(entry.id, titled(entry));
      if (after !== null || this.#last === null) {
        this.#last = page.last_id ?? page.data.at(-1)?.id ?? null;
        this.complete = !page.has_more;
      }
    } catch (error) {
      this.error = error;
    } finally {
      this.#loading = null;
      this.#changed();
    }
  }

  /** What should be in a first page and is not was deleted elsewhere. */
  #forgetMissing(page) {
    const ids = new Set(page.data.map((entry) => entry.id));
    const oldest = page.has_more ? page.data.at(-1) : null;
    for (const entry of this.#known.values()) {
      const inPage = !oldest || (entry.pinned && !oldest.pinned) || compare(entry.updated_at, oldest.updated_at) > 0;
      if (inPage && !ids.has(entry.id)) this.#known.delete(entry.id);
    }
  }

  #hear({ id, change, ...facts }) {
    if (change === "deleted") return this.#drop(id);
    const known = this.#known.get(id);
    if (known) this.#put({ ...known, ...pick(facts, ["title", "pinned", "running"]) });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.refresh(), 150);
  }

  #put(entry) {
    if (!entry?.id) return;
    this.#known.set(entry.id, entry);
    this.#changed();
  }

  #drop(id) {
    if (this.#known.delete(id)) this.#changed();
  }

  #changed() {
    this.#sorted = null;
    try {
      sessionStorage.setItem(CACHE, JSON.stringify(this.list.slice(0, 60)));
    } catch {
      // Full or forbidden: the next page is drawn when the list has come.
    }
    this.dispatchEvent(new Event("change"));
  }

  #remembered() {
    try {
      return JSON.parse(sessionStorage.getItem(CACHE) ?? "[]");
    } catch {
      return [];
    }
  }
}

/** One that a program made and nobody named has no title. */
function titled(entry) {
  return entry.title ? entry : { ...entry, title: t("Untitled") };
}

function address(id) {
  return `/v1/etabli/conversations/${encodeURIComponent(id)}`;
}

function compare(a, b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

function pick(source, names) {
  return Object.fromEntries(names.filter((name) => source[name] !== undefined).map((name) => [name, source[name]]));
}
