/** One question to one assistant, saved or not: the events of the answer into a view, and what there is to measure. */

import { api } from "../core/api.js";

const LAST = new Set(["response.completed", "response.incomplete", "response.failed", "response.cancelled"]);

/**
 * @typedef {{id: string|null, text: string, annotations: any[], status: string, abstained: boolean, usage: any,
 *   error: {message: string}|null, first_ms: number|null, total_ms: number, stored: boolean}} Told first_ms: until the
 *   first word
 */

/**
 * @param {Object<string, any>} body of `POST /v1/responses`
 * @param {{view: {stage: Function, progress: Function, write: Function}, signal: AbortSignal}} options
 * @returns {Promise<Told>} throws ApiError when nothing could be asked, AbortError when it was stopped
 */
export async function ask(body, { view, signal }) {
  const started = performance.now();
  const told = {
    id: null, text: "", annotations: [], status: "in_progress", abstained: false, usage: null, error: null,
    first_ms: null, total_ms: 0, stored: body.store !== false,
  };
  const request = { ...body, stream: true, etabli: { stages: true, ...body.etabli } };
  for await (const event of api.stream("/v1/responses", { method: "POST", body: request, signal })) {
    take(event, told, view, started);
    if (LAST.has(event.type)) break;
  }
  told.total_ms = performance.now() - started;
  if (told.status === "in_progress") told.status = "incomplete";
  return told;
}

function take(event, told, view, started) {
  told.id ??= event.response?.id ?? null;
  switch (event.type) {
    case "response.etabli.stage":
      view.stage(event.stage, event.detail ?? {});
      break;
    case "response.etabli.progress":
      view.progress(event);
      break;
    case "response.output_text.delta":
      told.first_ms ??= performance.now() - started;
      told.text += event.delta;
      view.write(told.text);
      break;
    case "response.output_text.annotation.added":
      told.annotations.push(event.annotation);
      break;
    case "response.output_text.done":
      told.text = event.text;
      break;
    default:
      if (LAST.has(event.type)) finish(event.response, told);
  }
}

function finish(response, told) {
  told.status = response.status;
  told.usage = response.usage;
  told.error = response.error;
  told.abstained = response.etabli?.abstained === true;
}
