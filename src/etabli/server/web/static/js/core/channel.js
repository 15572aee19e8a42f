/**
 * News between the tabs of this browser, and between the components of this tab: who publishes needs not know who
 * listens. Kinds in use:
 *   "conversation"  {id, change: "created"|"updated"|"deleted"|"restored", title?, pinned?, running?}
 *   "documents"     {collection_id?}        "assistants"  {name?}        "models"  {name?}
 *   "theme"         {theme}                 "signed-out"  {}
 */

const wire = "BroadcastChannel" in globalThis ? new BroadcastChannel("etabli") : null;
/** @type {Map<string, Set<(value: any, from: {here: boolean}) => void>>} */
const listeners = new Map();

wire?.addEventListener("message", ({ data }) => deliver(data.kind, data.value, false));

/** Tell every listener, in this tab (at once) and in the others. @param {string} kind @param {any} value plain data */
export function publish(kind, value = {}) {
  deliver(kind, value, true);
  wire?.postMessage({ kind, value });
}

/**
 * @param {string} kind
 * @param {(value: any, from: {here: boolean}) => void} listener here: whether it was published in this tab
 * @returns {() => void} stops listening
 */
export function subscribe(kind, listener) {
  if (!listeners.has(kind)) listeners.set(kind, new Set());
  listeners.get(kind).add(listener);
  return () => listeners.get(kind).delete(listener);
}

function deliver(kind, value, here) {
  for (const listener of [...(listeners.get(kind) ?? [])]) {
    try {
      listener(value, { here });
    } catch (error) {
      reportError(error); // one listener's fault is not the others'
    }
  }
}
