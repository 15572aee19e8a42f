/**
 * Modules that come when they are first needed. A module that is imported late asks for its own imports one after the
 * other; the server knows them all (`page.later`), so that they are asked for together.
 */

import { ApiError } from "./api.js";
import { t } from "./i18n.js";
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

/**
 * A module that was asked for late; a failure says what to do about it.
 * @template T @param {Promise<T>} coming what `import("…")` gave @returns {Promise<T>}
 */
export async function arrived(coming) {
  try {
    return await coming;
  } catch (cause) {
    const sentence = t("A part of the page could not be loaded. Check the connection, or load the page again.");
    throw Object.assign(new ApiError(sentence, { status: 0 }), { cause });
  }
}
