/**
 * The API, as any client uses it. Failures are `ApiError`s whose message is for people, in their language.
 */

import { t } from "./i18n.js";
import { readEvents } from "./sse.js";

/** What the server refused, or that it could not be reached (status 0). */
export class ApiError extends Error {
  /** @param {string} message @param {{status: number, code?: string|null, param?: string|null}} details */
  constructor(message, { status, code = null, param = null }) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.param = param;
  }

  /** Whether trying again may help: the network, a part that restarts. */
  get passing() {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/**
 * One request. @param {string} method @param {string} path @param {any} [body] JSON value or FormData
 * @param {{signal?: AbortSignal, keepalive?: boolean}} [options]
 * @returns {Promise<any>} the JSON of the answer; null where there is none
 */
async function request(method, path, body, options = {}) {
  const response = await send(method, path, body, options);
  if (response.status === 204) return null;
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

/** @returns {Promise<Response>} an answer that is no failure */
async function send(method, path, body, { signal, keepalive, headers: more } = {}) {
  const headers = { accept: "application/json", ...more };
  let payload = body;
  if (body !== undefined && !(body instanceof FormData) && !(body instanceof Blob)) {
    headers["content-type"] = "application/json";
    payload = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, { method, headers, body: payload, signal, keepalive, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(t("The server cannot be reached. Check the connection; what you wrote is kept."), { status: 0 });
  }
  if (!response.ok) throw await failure(response);
  return response;
}

/** The error of an answer. @param {Response} response */
async function failure(response) {
  let error = null;
  try {
    error = (await response.json()).error;
  } catch {
    // Not ours: a proxy's page, for instance.
  }
  if (response.status === 401) leaveToSignIn();
  return new ApiError(error?.message ?? t("The server answered with error {status}.", { status: response.status }), {
    status: response.status,
    code: error?.code,
    param: error?.param,
  });
}

/** The session is over: to the page that says how to begin another, and back here after it. */
function leaveToSignIn() {
  const next = location.pathname + location.search + location.hash;
  location.assign(`/sign-in?next=${encodeURIComponent(next)}`);
}

/**
 * The events of one request, as parsed JSON, until the server says `[DONE]` or closes.
 * @param {string} path
 * @param {{method?: string, body?: any, signal?: AbortSignal, onBytes?: () => void}} [options]
 * @returns {AsyncGenerator<any, void, void>} throws ApiError for an error inside the stream, and `status` 0 when the
 *   connection breaks
 */
async function* stream(path, { method = "GET", body, signal, onBytes } = {}) {
  const response = await send(method, path, body, { signal, headers: { accept: "text/event-stream" } });
  for await (const data of readEvents(response.body, { onBytes })) {
    if (data === "[DONE]") return;
    const value = JSON.parse(data);
    if (value.error && !value.type?.startsWith("response.")) {
      throw new ApiError(value.error.message, { status: 500, ...value.error });
    }
    yield value;
  }
}

/**
 * Send a form with files, saying how far it is. (`fetch` cannot say.)
 * @param {string} path @param {FormData} form
 * @param {{onProgress?: (fraction: number) => void, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
function upload(path, form, { onProgress, signal } = {}) {
  return new Promise((resolve, reject) => {
    const wire = new XMLHttpRequest();
    const stop = () => wire.abort();
    const finish = (act) => {
      signal?.removeEventListener("abort", stop);
      act();
    };
    const broken = () =>
      finish(() => reject(new ApiError(t("The connection broke while the file was being sent."), { status: 0 })));
    wire.open("POST", path);
    wire.setRequestHeader("accept", "application/json");
    wire.upload.onprogress = (event) => event.lengthComputable && onProgress?.(event.loaded / event.total);
    wire.onerror = broken;
    wire.ontimeout = broken;
    wire.onabort = () => finish(() => reject(new DOMException("aborted", "AbortError")));
    wire.onload = () =>
      finish(async () => {
        const answer = new Response(wire.responseText || null, { status: wire.status });
        if (answer.ok) resolve(wire.responseText ? JSON.parse(wire.responseText) : null);
        else reject(await failure(answer));
      });
    if (signal?.aborted) return finish(() => reject(new DOMException("aborted", "AbortError")));
    signal?.addEventListener("abort", stop);
    wire.send(form);
  });
}

export const api = {
  /** @param {string} path */
  get: (path, options) => request("GET", path, undefined, options),
  /** @param {string} path */
  post: (path, body, options) => request("POST", path, body, options),
  /** @param {string} path */
  put: (path, body, options) => request("PUT", path, body, options),
  /** @param {string} path */
  patch: (path, body, options) => request("PATCH", path, body, options),
  /** @param {string} path */
  del: (path, options) => request("DELETE", path, undefined, options),
  stream,
  upload,
};

/**
 * A path with its query; values that are null, undefined or "" are left out.
 * @param {string} path @param {Object<string, any>} values
 */
export function withQuery(path, values) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value != null && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}
