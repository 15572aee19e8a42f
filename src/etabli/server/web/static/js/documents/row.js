/** One row of the table of documents: its cells, and the keys `data-part` by which the table moves the focus. */

import { h, icon, iconButton } from "../core/dom.js";
import { formatBytes, formatDate, formatNumber, t } from "../core/i18n.js";
import { menuButton } from "../core/menu.js";
import { baseName, folderOf, kindIcon, kindName } from "../sources/kinds.js";
import { stageBadge } from "./stages.js";

/**
 * @param {any} entry @param {number} place from 0
 * @param {{open: (entry: any) => void, items: (entry: any) => any[]}} actions items: of its menu
 */
export function drawRow(entry, place, { open, items }) {
  const menu = iconButton("ellipsis", t("What can be done with {name}", { name: baseName(entry.name) }), {
    class: "small", tabindex: "-1", dataset: { part: "menu", tip: t("More") },
  });
  menuButton(menu, () => items(entry), { label: baseName(entry.name), align: "end" });
  const name = h(
    entry.url ? "a" : "button",
    {
      class: "document-name truncate", tabindex: "-1", dataset: { part: "name" }, href: entry.url, title: entry.name,
      type: entry.url ? null : "button",
      onclick: (event) => {
        if (event.ctrlKey || event.metaKey || event.shiftKey) return;
        event.preventDefault();
        open(entry);
      },
    },
    baseName(entry.name),
  );
  const cell = (kind, ...content) => h("td", { role: "gridcell", class: kind }, content);
  return h(
    "tr",
    { role: "row", "aria-rowindex": String(place + 2), dataset: { id: entry.id, stage: entry.stage } },
    cell(
      "cell-name",
      h("span", { class: "document-icon", dataset: { tip: kindName(entry.media_type) } }, icon(kindIcon(entry.media_type))),
      h("div", { class: "document-words" }, name, subline(entry)),
    ),
    cell("cell-stage", stageBadge(entry)),
    cell("cell-pages numbers end", entry.page_count ? pagesOf(entry) : h("span", { class: "muted", "aria-label": t("No pages") }, "–")),
    cell("cell-size numbers end", formatBytes(entry.size_bytes)),
    cell("cell-date numbers end", h("time", { datetime: entry.updated_at, title: formatDate(entry.updated_at, "full") }, formatDate(entry.updated_at))),
    cell("cell-menu end", menu),
  );
}

/** The second line: what is wrong, or else the folder or the title. */
function subline(entry) {
  if (entry.stage === "failed") {
    return h("span", { class: "document-sub fault truncate", title: entry.message }, entry.message ?? t("It could not be read."));
  }
  const title = entry.title && entry.title !== baseName(entry.name) ? entry.title : null;
  const words = [folderOf(entry.name).replaceAll("/", " / "), title].filter(Boolean).join(" · ");
  return words && h("span", { class: "document-sub truncate" }, words);
}

function pagesOf(entry) {
  return [formatNumber(entry.page_count), h("span", { class: "pages-word" }, " ", t("p."))];
}
