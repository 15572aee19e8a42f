/**
 * A table whose rows stand as small cards on a narrow screen, each figure beside its name, so that nothing lies outside of
 * the picture. The roles are written out, because browsers forget them where a row is no row any more.
 */

/** @param {HTMLTableElement} table with one row of heads @returns {HTMLTableElement} the same */
export function stacked(table) {
  const heads = [...table.tHead.rows[0].cells];
  table.classList.add("stacked");
  table.setAttribute("role", "table");
  for (const part of [table.tHead, ...table.tBodies]) part.setAttribute("role", "rowgroup");
  for (const row of table.rows) row.setAttribute("role", "row");
  for (const head of heads) head.setAttribute("role", "columnheader");
  for (const row of table.tBodies[0].rows) {
    for (const [place, cell] of [...row.cells].entries()) {
      cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
      if (place > 0) cell.dataset.label = heads[place].textContent;
    }
  }
  return table;
}
