/**
 * What can be done from the keyboard: one registry that the keys, the palette (Ctrl-K) and the help (?) read.
 *
 * Keys are written `mod+k` (Ctrl, or Command on a Mac), `mod+shift+o`, `?`, `Escape`, or one after the other: `g d`.
 * Keys without `mod` are left alone while somebody types in a field or a dialog is open.
 */

import { isTyping } from "./dom.js";
import { t } from "./i18n.js";

const IS_MAC = /Mac|iPhone|iPad/.test(navigator.platform);
const SEQUENCE_MS = 1200;

/**
 * @typedef {{id: string, title: string, run: (event?: Event) => void, keys?: string, group?: string, icon?: string,
 *   when?: () => boolean, hidden?: boolean, last?: boolean}} Command title: in the language of the page; when: whether it makes sense now;
 *   hidden: not in the palette; last: after what searches found
 */
/** @type {Map<string, Command>} */
const commands = new Map();
/** @type {Set<(query: string, signal: AbortSignal) => Promise<any[]>>} */
const providers = new Set();
let first = null;

/** @param {Command} command one with the same id is replaced @returns {() => void} takes it away */
export function register(command) {
  commands.set(command.id, command);
  return () => commands.get(command.id) === command && commands.delete(command.id);
}

/**
 * Give the palette results of a search.
 * @param {(query: string, signal: AbortSignal) => Promise<{id: string, title: string, detail?: string, icon?: string,
 *   run: () => void}[]>} provider called while somebody types
 */
export function provide(provider) {
  providers.add(provider);
  return () => providers.delete(provider);
}

/** What can be done now. @returns {Command[]} */
export function available() {
  return [...commands.values()].filter((command) => command.when?.() ?? true);
}

/** The searches. */
export function searches() {
  return [...providers];
}

/** Keys as people read them: ["Ctrl", "K"]. @param {string} keys */
export function keyNames(keys) {
  const names = {
    mod: IS_MAC ? "⌘" : "Ctrl", shift: IS_MAC ? "⇧" : t("Shift"), alt: IS_MAC ? "⌥" : "Alt", Escape: t("Esc"),
    Enter: "↵", ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→",
  };
  return keys.split(" ").flatMap((chord) =>
    chord.split("+").map((part) => names[part] ?? (part.length === 1 ? part.toUpperCase() : part)),
  );
}

/** Keys in one word, for a menu: “Ctrl K”. @param {string} keys */
export function keyText(keys) {
  return keyNames(keys).join(IS_MAC ? "" : "\u00a0");
}

/** The chord of an event, as it is written here. @param {KeyboardEvent} event */
export function chordOf(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const parts = [];
  if (IS_MAC ? event.metaKey : event.ctrlKey) parts.push("mod");
  if (event.altKey) parts.push("alt");
  // The shift that makes a character (“?” on most keyboards) is part of it.
  if (event.shiftKey && (key.length > 1 || /\p{L}|\d/u.test(key))) parts.push("shift");
  return [...parts, key].join("+");
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.isComposing || event.repeat) return;
  const chord = chordOf(event);
  const modified = chord.startsWith("mod+") || chord.startsWith("alt+");
  const modal = document.querySelector("dialog[open]") !== null;
  if (!modified && (isTyping(event.target) || modal)) {
    first = null;
    return;
  }
  const sequence = first !== null && performance.now() - first.at < SEQUENCE_MS ? `${first.chord} ${chord}` : null;
  const command = available().find(({ keys }) => keys !== undefined && (keys === sequence || keys === chord));
  if (command && !(modal && command.group !== "always")) {
    event.preventDefault();
    first = null;
    command.run(event);
  } else {
    first = modified ? null : { chord, at: performance.now() };
  }
});
