/**
 * The blocks of a document as elements. A long table is cut into slices of rows that share their column widths, and a
 * long text into sections, so that only what is near the window needs to exist.
 */

import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { placeName } from "./kinds.js";
import { markedText } from "./marks.js";

const SLICE_ROWS = 80;
const SECTION_CHARACTERS = 5000;
const SECTION_ITEMS = 60;
const SEPARATOR = 3; // " | "
const LABELLED = /^(?:[•‣▪▫◦·–—*-]|\(?(?:\d{1,3}|[a-z]|[ivxlc]{1,5})[.)°])\s/i;

/**
 * @typedef {{block: import("./source.js").Block, start: number, end: number, rows?: [number, number], place?: string,
 *   level?: number, header?: boolean}} Item a block, or some rows of a table
 */

/**
 * A document in sections of items.
 * @param {import("./source.js").Source} source @param {number} top level of its first heading on the page
 * @returns {{start: number, end: number, items: Item[]}[]}
 */
export function sectionsOf(source, top) {
  const sections = [];
  let items = [];
  let size = 0;
  const flush = () => {
    if (items.length) sections.push({ start: items[0].start, end: items.at(-1).end, items });
    items = [];
    size = 0;
  };
  for (const item of itemsOf(source, top)) {
    const length = item.end - item.start;
    if (items.length && (size + length > SECTION_CHARACTERS || items.length >= SECTION_ITEMS)) flush();
    items.push(item);
    size += length;
  }
  flush();
  return sections;
}

function* itemsOf(source, top) {
  const mail = source.version.media_type === "message/rfc822";
  const sheets = source.blocks.some((block) => block.kind === "heading" && block.page !== null) && isSheets(source);
  let page = null;
  let level = top - 1;
  for (const [index, block] of source.blocks.entries()) {
    const item = { block, start: block.start, end: block.end };
    if (block.page !== null && block.page !== page) {
      page = block.page;
      // A sheet begins with its name already.
      if (!sheets) item.place = placeName(source.version.media_type, page);
    }
    if (block.kind === "heading") {
      // A heading is at most one step below the one before it, so that the outline has no hole.
      level = Math.min(6, Math.max(top, Math.min(block.level + top - 1, level + 1)));
      item.level = level;
    }
    if (mail && index === 1 && block.kind === "paragraph") item.header = true;
    if (block.kind === "table" && block.cells.length > SLICE_ROWS * 1.5) yield* slices(source.text, item);
    else yield item;
  }
}

function isSheets(source) {
  return source.version.media_type.includes("spreadsheet");
}

function* slices(text, item) {
  const { cells, start, end } = item.block;
  let place = start;
  for (let first = 0; first < cells.length; first += SLICE_ROWS) {
    const last = Math.min(cells.length, first + SLICE_ROWS);
    const from = place;
    for (let row = first; row < last; row += 1) place += rowLength(cells[row]) + 1;
    const to = last === cells.length ? end : Math.min(place - 1, end);
    yield { ...item, place: first ? undefined : item.place, start: from, end: to, rows: [first, last] };
  }
}

function rowLength(row) {
  return row.reduce((sum, cell) => sum + cell.length, 0) + SEPARATOR * Math.max(0, row.length - 1);
}

/**
 * The items of a section as elements; list items that follow one another become a list.
 * @param {import("./source.js").Source} source @param {Item[]} items @param {import("./marks.js").Marks} marks
 * @returns {HTMLElement[]}
 */
export function drawItems(source, items, marks) {
  const nodes = [];
  let list = null;
  for (const item of items) {
    if (item.place) {
      nodes.push(h("p", { class: "text-place" }, item.place));
      list = null;
    }
    if (item.block.kind === "list_item") {
      if (!list) nodes.push((list = h("ul", { class: "text-list" })));
      list.append(drawListItem(source.text, item, marks));
      continue;
    }
    list = null;
    nodes.push(drawItem(source.text, item, marks));
  }
  return nodes;
}

function drawItem(text, item, marks) {
  const content = () => markedText(text, item.start, item.end, marks);
  switch (item.block.kind) {
    case "heading":
      return h(`h${item.level}`, { class: `text-heading level-${Math.min(4, item.block.level || 1)}` }, content());
    case "table":
      return item.block.cells.length ? drawTable(text, item, marks) : h("pre", { class: "text-code" }, content());
    case "code":
      return h("pre", { class: "text-code", tabindex: "0" }, h("code", {}, content()));
    default:
      return item.header ? drawMailHeader(text, item, marks) : h("p", {}, content());
  }
}

function drawListItem(text, item, marks) {
  const labelled = LABELLED.test(text.slice(item.start, item.start + 12));
  return h(
    "li",
    { class: labelled ? "labelled" : null, style: { "--depth": Math.min(6, Math.max(1, item.block.level)) - 1 } },
    markedText(text, item.start, item.end, marks),
  );
}

/** Who wrote to whom and when: one line each, as its reader wrote it. */
function drawMailHeader(text, item, marks) {
  const rows = [];
  let place = item.start;
  for (const line of text.slice(item.start, item.end).split("\n")) {
    const colon = line.indexOf(":") + 1;
    const value = place + colon + (line[colon] === " " ? 1 : 0);
    rows.push(
      h(
        "div",
        {},
        h("dt", {}, markedText(text, place, place + colon, marks)),
        h("dd", {}, markedText(text, value, place + line.length, marks)),
      ),
    );
    place += line.length + 1;
  }
  return h("dl", { class: "text-mail" }, rows);
}

function drawTable(text, item, marks) {
  const { cells } = item.block;
  const [first, last] = item.rows ?? [0, cells.length];
  const ranges = cellRanges(text, item, first, last);
  const numeric = numericColumns(cells);
  const header = cells.length > 1;
  const row = (index, tag) =>
    h(
      "tr",
      {},
      cells[index].map((cell, column) =>
        h(
          tag,
          { class: numeric[column] ? "end" : null, scope: tag === "th" ? "col" : null },
          index < first ? cell : drawCell(text, cell, ranges[index - first]?.[column], marks),
        ),
      ),
    );
  const body = [];
  for (let index = Math.max(first, header ? 1 : 0); index < last; index += 1) body.push(row(index, "td"));
  const sliced = item.rows !== undefined;
  return h(
    "div",
    { class: ["table-frame text-table", sliced && "slice", sliced && first === 0 && "first"], tabindex: "0", role: "group", "aria-label": t("Table") },
    h(
      "table",
      { class: "table" },
      sliced && h("colgroup", {}, columnWidths(cells).map((width) => h("col", { style: { width: `${width}ch` } }))),
      header && h("thead", { class: first > 0 ? "visually-hidden" : null }, row(0, "th")),
      h("tbody", {}, body),
    ),
  );
}

function drawCell(text, cell, range, marks) {
  return range ? markedText(text, range.start, range.end, marks) : cell;
}

/** Where each cell of some rows lies in the text: rows are lines, and cells have “ | ” between them. */
function cellRanges(text, item, first, last) {
  let place = item.start;
  const found = [];
  for (let index = first; index < last; index += 1) {
    const row = item.block.cells[index].map((cell) => {
      const range = { start: place, end: place + cell.length };
      place += cell.length + SEPARATOR;
      return text.startsWith(cell, range.start) ? range : null;
    });
    place += 1 - SEPARATOR;
    found.push(row);
  }
  return found;
}

function numericColumns(cells) {
  const sample = cells.slice(1, 40);
  return (cells[0] ?? []).map((_, column) => {
    const filled = sample.map((row) => row[column]).filter(Boolean);
    const numbers = filled.filter((cell) => /^[-+−(]?[\d\s\u00a0\u202f.,']+\)?\s?[%€$£]?$/.test(cell));
    return filled.length > 0 && numbers.length > filled.length * 0.7;
  });
}

function columnWidths(cells) {
  const widths = (cells[0] ?? []).map(() => 6);
  for (const row of cells.slice(0, 400)) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column], Math.min(48, cell.length + 5));
  }
  return widths;
}
