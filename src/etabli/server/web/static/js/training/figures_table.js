/** Figures before and after, a row for each kind and one for their sum; cards on a narrow screen. */

import { stacked } from "../certification/stacked.js";
import { h } from "../core/dom.js";

/**
 * @param {string} label of the frame, which can be scrolled @param {string[]} heads
 * @param {{name: string, cells: string[], total: boolean, key: string}[]} rows
 */
export function figuresTable(label, heads, rows) {
  const head = (text, place) => h("th", { scope: "col", class: place && "end" }, text);
  const row = ({ name, cells, total, key }) =>
    h(
      "tr",
      { class: total && "total", dataset: { kind: key } },
      h("th", { scope: "row" }, name),
      cells.map((text) => h("td", { class: "end numbers" }, text)),
    );
  const table = h("table", { class: "table" }, h("thead", {}, h("tr", {}, heads.map(head))), h("tbody", {}, rows.map(row)));
  return h("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": label }, stacked(table));
}
