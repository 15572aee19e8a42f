/**
 * An answer's events that survive a lost connection: the answer goes on at the server, and the stream is taken up
 * again after the last event that came.
 */

import { api, ApiError } from "./api.js";
import { t } from "./i18n.js";

/** The events after which nothing more comes. */
export const FINAL_EVENTS = new Set([
  "response.completed",
  "response.failed",
  "response.incomplete",
  "response.cancelled",
]);
const WAITS_MS = [0, 500, 1000, 2000, 4000, 8000, 8000, 15000, 15000, 30000];
/** The server sends something at least every ten seconds. */
const LONGEST_SILENCE_MS = 35_000;

/**
 * Ask for an answer and give its events.
 * @param {Object<string, any>} body of `POST /v1/responses`; `stream` and `background` are set here
 * @param {{signal?: AbortSignal, onInterrupted?: () => void, onResumed?: () => void}} [options] told when the connection
 *   is lost and when events come again
 * @returns {AsyncGenerator<any, void, void>} events of OpenAI's Responses API and ours (`response.etabli.…`)
 */
export function streamResponse(body, options = {}) {
  const begin = (more) =>
    api.stream("/v1/responses", { method: "POST", body: { ...body, stream: true, background: true }, ...more });
  return resumable(begin, { ...options, id: null, after: -1 });
}

/**
 * Join an answer that is being written (or was), from its beginning or after event `after`.
 * @param {string} id of the response
 * @param {{after?: number, signal?: AbortSignal, onInterrupted?: () => void, onResumed?: () => void}} [options]
 * @returns {AsyncGenerator<any, void, void>}
 */
export function followResponse(id, { after = -1, ...options } = {}) {
  return resumable((more) => api.stream(address(id, after), more), { ...options, id, after });
}

/** Stop an answer; what is written so far is kept. @param {string} id */
export function cancelResponse(id) {
  return api.post(`/v1/responses/${encodeURIComponent(id)}/cancel`);
}

async function* resumable(begin, { id, after, signal, onInterrupted, onResumed }) {
  let open = begin;
  let tries = 0;
  for (;;) {
    const watch = watchSilence(signal);
    try {
      for await (const event of open({ signal: watch.signal, onBytes: watch.heard })) {
        if (tries > 0) onResumed?.();
        tries = 0;
        id ??= event.response?.id ?? event.response_id ?? null;
        if (Number.isInteger(event.sequence_number)) {
          if (event.sequence_number <= after) continue;
          after = event.sequence_number;
        }
        yield event;
        if (FINAL_EVENTS.has(event.type)) return;
      }
    } catch (error) {
      if (signal?.aborted) throw error;
      if (!isLoss(error)) throw error;
    } finally {
      watch.stop();
    }
    // The stream ended without its last event: the connection was lost. Without an id nothing says whether the question
    // arrived, and asking twice would write twice.
    if (id === null || tries >= WAITS_MS.length) {
      const sentence = t("The connection to the server was lost. Reload the page to see how far the answer is.");
      throw new ApiError(sentence, { status: 0, code: "connection_lost" });
    }
    if (tries === 0) onInterrupted?.();
    await pause(WAITS_MS[tries], signal);
    tries += 1;
    const [known, last] = [id, after];
    open = (more) => api.stream(address(known, last), more);
  }
}

function address(id, after) {
  const query = after >= 0 ? `?stream=true&starting_after=${after}` : "?stream=true";
  return `/v1/responses/${encodeURIComponent(id)}${query}`;
}

/** Whether an error says that the connection was lost, not that the server refused. */
function isLoss(error) {
  return error instanceof ApiError ? error.passing : true;
}

/** A signal that also fires when nothing at all has come for too long: a network that died without saying so. */
function watchSilence(outer) {
  const controller = new AbortController();
  const forward = () => controller.abort(outer.reason);
  outer?.addEventListener("abort", forward, { once: true });
  if (outer?.aborted) forward();
  let timer = 0;
  const heard = () => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(), LONGEST_SILENCE_MS);
  };
  heard();
  const stop = () => {
    clearTimeout(timer);
    outer?.removeEventListener("abort", forward);
    controller.abort();
  };
  return { signal: controller.signal, heard, stop };
}

/** Wait, but no longer than until the network is back. */
function pause(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const end = (act) => {
      clearTimeout(timer);
      removeEventListener("online", back);
      signal?.removeEventListener("abort", abort);
      act();
    };
    const back = () => end(resolve);
    const abort = () => end(() => reject(new DOMException("aborted", "AbortError")));
    const timer = setTimeout(back, milliseconds);
    addEventListener("online", back);
    signal?.addEventListener("abort", abort);
  });
}
