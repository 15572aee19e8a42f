/** The rows of the sidebar's list: conversations under the name of their time. Pure. */

import { locale, t, toDate } from "../core/i18n.js";

const DAY_MS = 86_400_000;
const month = new Intl.DateTimeFormat(locale, { month: "long" });
const monthOfYear = new Intl.DateTimeFormat(locale, { month: "long", year: "numeric" });

/**
 * @typedef {{key: string, heading: string}|{key: string, entry: import("./conversations.js").Conversation}} Row
 */

/**
 * @param {import("./conversations.js").Conversation[]} entries in order @param {Date} [now] @returns {Row[]}
 */
export function rowsOf(entries, now = new Date()) {
  const rows = [];
  let last = null;
  for (const entry of entries) {
    const heading = entry.pinned ? t("Pinned") : timeName(toDate(entry.updated_at), now);
    if (heading !== last) rows.push({ key: `heading ${heading}`, heading });
    last = heading;
    rows.push({ key: entry.id, entry });
  }
  return rows;
}

/** How long ago, in the words of a list. @param {Date} moment @param {Date} now */
export function timeName(moment, now) {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime();
  const days = Math.ceil((midnight - moment.getTime()) / DAY_MS);
  if (days <= 0) return t("Today");
  if (days === 1) return t("Yesterday");
  if (days <= 7) return t("Last 7 days");
  if (days <= 30) return t("Last 30 days");
  const name = (moment.getFullYear() === now.getFullYear() ? month : monthOfYear).format(moment);
  return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
}
