/** The face of an assistant: its picture, or the first letters of its title. Decorative: its name stands beside it. */

import { h } from "../core/dom.js";

const SMALL_WORDS = new Set([
  "a",
  "au",
  "aux",
  "de",
  "des",
  "du",
  "en",
  "et",
  "la",
  "le",
  "les",
  "of",
  "the",
  "and",
  "for",
]);

/** The letters for a title: “Ressources humaines” → “RH”. @param {string} title */
export function initials(title) {
  const words = title.split(/[\s’'\-–—/·.,:]+/u).filter(Boolean);
  const heavy = words.filter((word) => !SMALL_WORDS.has(word.toLowerCase()) && word.length > 1);
  const chosen = (heavy.length ? heavy : words).slice(0, 2);
  return chosen.map((word) => [...word][0].toUpperCase()).join("") || "?";
}

/**
 * @param {{title: string, picture_url?: string|null}} assistant
 * @param {{large?: boolean}} [options]
 * @returns {HTMLElement}
 */
export function avatar({ title, picture_url: address }, { large = false } = {}) {
  const kind = ["avatar", large && "large"];
  if (address) return h("img", { class: kind, src: address, alt: "", width: large ? 56 : 32, height: large ? 56 : 32 });
  return h("span", { class: kind, "aria-hidden": "true" }, initials(title));
}
