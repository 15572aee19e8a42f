/**
 * Modules that come when they are first needed. A module that is imported late asks for its own imports one after the
 * other; the server knows them all (`page.later`), so that they are asked for together.
 */

import { page } from "./page.js";

const asked = new Set();

/** Ask for a module and all that it needs. @param {string} name such as `js/chat/turn.js`, among `page.later` */
export function fetchLater(name) {
  if (asked.has(name)) return;
  asked.add(name);
  for (const address of page.later[name] ?? []) {
    const link = document.createElement("link");
    link.rel = "modulepreload";
    link.href = address;
    document.head.append(link);
  }
}
