/** A difference for eyes and ears: signs and words beside the colours. */

import { fragment, h, hiddenText, replace } from "../core/dom.js";
import { plural, t } from "../core/i18n.js";
import { changedPart, countChanges, diffLines, foldSame } from "./diff.js";

/**
 * @param {string} before @param {string} after
 * @param {{label: string}} options label: what is compared, for screen readers
 * @returns {HTMLElement}
 */
export function diffView(before, after, { label }) {
  const rows = diffLines(before, after);
  const { added, removed } = countChanges(rows);
  if (added + removed === 0) return h("p", { class: "muted small diff-none" }, t("Both are the same, to the letter."));
  const parts = emphases(rows);
  const body = h(
    "tbody",
    {},
    foldSame(rows).map((row) => (row.kind === "gap" ? gap(row, parts) : line(row, parts))),
  );
  return h(
    "div",
    { class: "diff" },
    h("p", { class: "diff-count small muted numbers" }, changesText(added, removed)),
    h(
      "div",
      { class: "diff-frame", tabindex: "0", role: "region", "aria-label": label },
      h("table", { class: "diff-table" }, h("caption", { class: "visually-hidden" }, label), body),
    ),
  );
}

/** “2 lines added, 1 line removed”. @param {number} added @param {number} removed */
export function changesText(added, removed) {
  const said = [
    added && plural(added, "{count} line added", "{count} lines added"),
    removed && plural(removed, "{count} line removed", "{count} lines removed"),
  ];
  return said.filter(Boolean).join(", ");
}

function line(row, parts) {
  const sign = { same: "", removed: "−", added: "+" }[row.kind];
  const spoken = { same: "", removed: t("removed"), added: t("added") }[row.kind];
  return h(
    "tr",
    { class: `diff-${row.kind}` },
    h("td", { class: "diff-number numbers", "aria-hidden": "true" }, row.before ?? ""),
    h("td", { class: "diff-number numbers", "aria-hidden": "true" }, row.after ?? ""),
    h("td", { class: "diff-sign" }, h("span", { "aria-hidden": "true" }, sign), spoken && hiddenText(spoken)),
    h("td", { class: "diff-text" }, emphasised(row.text, parts.get(row))),
  );
}

function gap(row, parts) {
  const label = plural(row.rows.length, "{count} line as before", "{count} lines as before");
  const button = h("button", { type: "button", class: "diff-gap-button" }, label);
  const element = h("tr", { class: "diff-gap" }, h("td", { colspan: "4" }, button));
  button.addEventListener("click", () => element.replaceWith(fragment(row.rows.map((one) => line(one, parts)))));
  return element;
}

/** For lines that replace lines, one for one: the part of each that is not the same. */
function emphases(rows) {
  const parts = new Map();
  for (let place = 0; place < rows.length; place += 1) {
    if (rows[place].kind === "same") continue;
    let end = place;
    while (end < rows.length && rows[end].kind !== "same") end += 1;
    const removed = rows.slice(place, end).filter((row) => row.kind === "removed");
    const added = rows.slice(place, end).filter((row) => row.kind === "added");
    if (removed.length === added.length) {
      removed.forEach((row, index) => {
        const part = changedPart(row.text, added[index].text);
        if (!part) return;
        parts.set(row, [part.start, part.beforeEnd]);
        parts.set(added[index], [part.start, part.afterEnd]);
      });
    }
    place = end;
  }
  return parts;
}

function emphasised(text, part) {
  if (!part || part[0] >= part[1]) return text || "\u200b";
  const cell = h("span", {});
  return replace(cell, text.slice(0, part[0]), h("mark", {}, text.slice(part[0], part[1])), text.slice(part[1]));
}
