/** Which documents of a collection are shown, and in which order. */

import { compareText } from "../core/i18n.js";
import { baseName } from "../sources/kinds.js";
import { isWaiting } from "./stages.js";

const STAGES = ["failed", "queued", "reading", "searchable", "embedding", "ready"];
const VALUES = {
  name: (one, other) => compareText(baseName(one.name), baseName(other.name)) || compareText(one.name, other.name),
  stage: (one, other) => STAGES.indexOf(one.stage) - STAGES.indexOf(other.stage),
  pages: (one, other) => (one.page_count ?? 0) - (other.page_count ?? 0),
  size: (one, other) => one.size_bytes - other.size_bytes,
  date: (one, other) => (one.updated_at < other.updated_at ? -1 : one.updated_at > other.updated_at ? 1 : 0),
};

/** The order that a click on a column makes: the other way round when it is the one already. */
export function nextSort(sort, key) {
  if (sort.key === key) return { key, down: !sort.down };
  // What is large or new is looked for more often than what is small or old.
  return { key, down: key === "pages" || key === "size" || key === "date" };
}

/** @param {any[]} documents @param {{state: string, sort: {key: string, down: boolean}}} wanted */
export function arrange(documents, { state, sort }) {
  const shown = state === "all" ? [...documents] : documents.filter((one) => matches(one, state));
  const compare = VALUES[sort.key] ?? VALUES.name;
  const way = sort.down ? -1 : 1;
  return shown.sort((one, other) => way * compare(one, other) || VALUES.name(one, other) || one.id - other.id);
}

function matches(entry, state) {
  if (state === "waiting") return isWaiting(entry);
  return entry.stage === state;
}
