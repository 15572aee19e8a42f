/**
 * One version of a document as the viewer knows it: its text, its blocks and, where it has them, its pages.
 *
 * Every range here is in UTF-16 units of `text`, converted once from the API's code points.
 */

import { api } from "../core/api.js";
import { subscribe } from "../core/channel.js";
import { Offsets } from "./offsets.js";

const KEPT = 4;
/** @type {Map<string, Promise<Source>>} the sources opened last */
const kept = new Map();

/**
 * @typedef {{start: number, end: number}} Range
 * @typedef {{page: number, x0: number, y0: number, x1: number, y1: number, start: number, end: number}} Line
 * @typedef {{kind: string, start: number, end: number, level: number, page: number|null, lines: Line[],
 *   cells: string[][]}} Block
 * @typedef {{number: number, width: number, height: number}} PageSize in points
 */

/** A version with everything that is shown of it. */
export class Source {
  /** @param {any} version the API's answer @param {PageSize[]} pages @param {string|null} fault why there are none */
  constructor(version, pages, fault) {
    this.version = version;
    this.text = version.text;
    this.pages = pages;
    this.pagesFault = fault;
    this.offsets = new Offsets(version.text);
    const unit = (point) => this.offsets.unit(point);
    /** @type {Block[]} */
    this.blocks = version.blocks.map((block) => ({
      kind: block.kind,
      start: unit(block.char_start),
      end: unit(block.char_end),
      level: block.level ?? 0,
      page: block.page ?? null,
      cells: block.cells ?? [],
      lines: (block.boxes ?? []).map((box) => ({
        page: box.page, x0: box.x0, y0: box.y0, x1: box.x1, y1: box.y1,
        start: unit(box.char_start), end: unit(box.char_end),
      })),
    }));
    this.base = `/v1/etabli/documents/${version.document_id}/versions/${version.version_id}`;
    this.hasPages = pages.length > 0;
    this.byPage = null;
  }

  /** A range of the API. @param {number|null|undefined} from @param {number|null|undefined} to @returns {Range|null} */
  range(from, to) {
    if (from == null || to == null || !(to > from) || from < 0) return null;
    const start = Math.min(this.offsets.unit(from), this.text.length);
    const end = Math.min(this.offsets.unit(to), this.text.length);
    return end > start ? { start, end } : null;
  }

  /** Index of the block that a place lies in, or of the last one before it. @param {number} place */
  blockAt(place) {
    let low = 0;
    let high = this.blocks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.blocks[middle].start <= place) low = middle + 1;
      else high = middle;
    }
    return Math.max(0, low - 1);
  }

  /** Lines that a range touches. @param {Range} range @returns {Line[]} */
  linesOf(range) {
    const found = [];
    for (let i = this.blockAt(range.start); i < this.blocks.length && this.blocks[i].start < range.end; i += 1) {
      for (const line of this.blocks[i].lines) {
        if (line.start < range.end && line.end > range.start) found.push(line);
      }
    }
    return found;
  }

  /** The lines of one page, in reading order. @param {number} number @returns {Line[]} */
  linesOfPage(number) {
    if (!this.byPage) {
      this.byPage = new Map();
      for (const block of this.blocks) {
        for (const line of block.lines) {
          if (!this.byPage.has(line.page)) this.byPage.set(line.page, []);
          this.byPage.get(line.page).push(line);
        }
      }
    }
    return this.byPage.get(number) ?? [];
  }

  /** The page that a place is on. @param {number} place @returns {number|null} */
  pageAt(place) {
    const block = this.blocks[this.blockAt(place)];
    if (!block) return null;
    return block.lines.find((line) => line.end > place)?.page ?? block.page;
  }
}

/**
 * Load a version; those opened last are kept.
 * @param {number} documentId @param {number} versionId @returns {Promise<Source>}
 */
export function loadSource(documentId, versionId) {
  const key = `${documentId}/${versionId}`;
  const known = kept.get(key);
  kept.delete(key);
  const wanted = known ?? load(documentId, versionId);
  kept.set(key, wanted);
  if (!known) wanted.catch(() => kept.delete(key));
  if (kept.size > KEPT) kept.delete(kept.keys().next().value);
  return wanted;
}

// A document that was read again or deleted says so when it is opened again.
subscribe("documents", () => kept.clear());

async function load(documentId, versionId) {
  const base = `/v1/etabli/documents/${documentId}/versions/${versionId}`;
  // The text can always be read, whatever the pictures do.
  const pages = api.get(`${base}/pages`).then(
    (answer) => ({ sizes: answer.data, fault: null }),
    (error) => ({ sizes: [], fault: error.message }),
  );
  const version = await api.get(base);
  if (!version.pictured) return new Source(version, [], null);
  const { sizes, fault } = await pages;
  return new Source(version, sizes, fault);
}
