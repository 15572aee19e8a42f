/**
 * Sentences, numbers, sizes and dates in the language of the page. The English sentence is the key; a test checks that
 * each has its French twin, so write sentences as literals: `t("Delete {name}?", {name})`.
 */

import { page } from "./page.js";

export const language = page.language;
/** The tag Intl takes: French as in France, English as in Britain (24 hours, day before month). */
export const locale = language === "fr" ? "fr-FR" : "en-GB";

const rules = new Intl.PluralRules(locale);
const whole = new Intl.NumberFormat(locale);
const formats = new Map();

/**
 * A sentence in the language of the page.
 * @param {string} sentence in English, a literal
 * @param {Object<string, string|number>} [values] for its {placeholders}
 * @returns {string}
 */
export function t(sentence, values) {
  const template = page.messages[sentence] ?? sentence;
  if (!values) return template;
  return template.replace(/\{(\w+)\}/g, (all, name) => (name in values ? String(values[name]) : all));
}

/**
 * The sentence for a number: `plural(n, "{count} document", "{count} documents")`. French takes the singular for 0 too.
 * @param {number} count @param {string} one @param {string} many @param {Object<string, string|number>} [values]
 */
export function plural(count, one, many, values = {}) {
  return t(rules.select(count) === "one" ? one : many, { count: formatNumber(count), ...values });
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export function formatNumber(value, options) {
  return options ? new Intl.NumberFormat(locale, options).format(value) : whole.format(value);
}

/** A part of one as a percentage. @param {number} fraction @param {number} [digits] after the comma */
export function formatPercent(fraction, digits = 0) {
  return formatNumber(fraction, { style: "percent", maximumFractionDigits: digits });
}

/** A size in powers of ten, as on a disk's label. @param {number} bytes */
export function formatBytes(bytes) {
  const units = language === "fr" ? ["o", "ko", "Mo", "Go", "To"] : ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${formatNumber(value, { maximumFractionDigits: digits })}\u00a0${units[unit]}`;
}

/** A time span in words short enough for a table. @param {number} milliseconds */
export function formatDuration(milliseconds) {
  const seconds = milliseconds / 1000;
  const space = "\u00a0";
  if (seconds < 1) return `${formatNumber(Math.round(milliseconds))}${space}ms`;
  if (seconds < 60) return `${formatNumber(seconds, { maximumFractionDigits: seconds < 10 ? 1 : 0 })}${space}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}${space}min ${Math.round(seconds % 60)}${space}s`;
  return `${Math.floor(minutes / 60)}${space}h ${minutes % 60}${space}min`;
}

/**
 * A moment, as people say it.
 * @param {string|number|Date} value RFC 3339, seconds since 1970 (as OpenAI's objects have it), or a Date
 * @param {"auto"|"date"|"time"|"full"} [style] auto: the hour today, the day this year, else the date
 */
export function formatDate(value, style = "auto") {
  const moment = toDate(value);
  if (Number.isNaN(moment.getTime())) return "";
  const now = new Date();
  if (style === "full") return dateFormat({ dateStyle: "long", timeStyle: "short" }).format(moment);
  if (style === "date") return dateFormat({ dateStyle: "long" }).format(moment);
  if (style === "time" || sameDay(moment, now)) {
    return dateFormat({ hour: "2-digit", minute: "2-digit" }).format(moment);
  }
  if (moment.getFullYear() === now.getFullYear()) {
    return dateFormat({ day: "numeric", month: "short" }).format(moment);
  }
  return dateFormat({ day: "numeric", month: "short", year: "numeric" }).format(moment);
}

/** A Date of any of the forms that the API uses. @param {string|number|Date} value */
export function toDate(value) {
  if (value instanceof Date) return value;
  return new Date(typeof value === "number" && value < 1e11 ? value * 1000 : value);
}

/** Words in a list: “a, b and c”. @param {string[]} items */
export function formatList(items) {
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(items);
}

/** Order for people: accents and case aside, numbers by value. */
export const compareText = new Intl.Collator(locale, { sensitivity: "base", numeric: true }).compare;

/** Text without case and accents, for finding. @param {string} text */
export function fold(text) {
  return text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

/** @param {Date} one @param {Date} other */
export function sameDay(one, other) {
  return one.toDateString() === other.toDateString();
}

function dateFormat(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat(locale, options));
  return formats.get(key);
}
