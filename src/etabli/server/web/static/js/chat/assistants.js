/** The assistants that one may talk to, and the one that was chosen. */

import { api } from "../core/api.js";
import { subscribe } from "../core/channel.js";
import { recall, remember } from "../core/storage.js";

const CHOSEN = "assistant";
let loading = null;

subscribe("assistants", () => (loading = null));

/**
 * @typedef {{name: string, title: string, description: string, first_questions: string[], collections: string[],
 *   version: number, picture_url: string|null, faults: any[]}} Assistant
 */

/** @returns {Promise<Assistant[]>} those that can be used */
export function loadAssistants() {
  loading ??= api
    .get("/v1/etabli/assistants")
    .then((answer) => (answer.data ?? answer).filter((one) => !one.faults?.length))
    .catch((error) => {
      loading = null;
      throw error;
    });
  return loading;
}

/** The name and the version of `name@3`; version is null for the newest. @param {string} model */
export function partsOf(model) {
  const [name, version] = (model ?? "").split("@");
  return { name, version: version ? Number(version) : null };
}

/**
 * What to ask next: what the address names, what the conversation used, what was chosen last, the first one.
 * @param {Assistant[]} assistants @param {...(string|null|undefined)} wanted best first
 * @returns {string|null} `name` or `name@version`
 */
export function chosenModel(assistants, ...wanted) {
  const known = new Set(assistants.map((one) => one.name));
  const candidates = [...wanted, recall(CHOSEN)];
  return candidates.find((one) => one && known.has(partsOf(one).name)) ?? assistants[0]?.name ?? null;
}

/** @param {string} model asked from now on, unless a conversation says otherwise */
export function rememberModel(model) {
  remember(CHOSEN, model);
}

/** @param {Assistant[]} assistants @param {string|null} model @returns {Assistant|null} */
export function assistantOf(assistants, model) {
  const { name } = partsOf(model);
  return assistants.find((one) => one.name === name) ?? null;
}
