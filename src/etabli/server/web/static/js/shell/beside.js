/**
 * What opens beside a page: a source, or how an answer was made. Import it once; then anybody may dispatch on `document`
 *
 *   etabli:open-source  detail: {document_id, version_id, page?, char_start?, char_end?, url?, quote?, number?, status?,
 *                       title?, name?, citations?}; `citations`: all of an answer, in the same shape, to step through
 *   etabli:open-trace   detail: {response_id}
 *
 * Nobody needs either before the first answer, so both are loaded when they are asked for.
 */

import { arrived } from "../core/later.js";
import { toastError } from "../core/toast.js";

/** Ask for a source. @param {import("../sources/panel.js").Place} place */
export function openSource(place) {
  document.dispatchEvent(new CustomEvent("etabli:open-source", { detail: place }));
}

/** Ask how an answer was made. @param {string} id of the response */
export function openTrace(id) {
  document.dispatchEvent(new CustomEvent("etabli:open-trace", { detail: { response_id: id } }));
}

document.addEventListener("etabli:open-source", async ({ detail }) => {
  const opener = document.activeElement; // before anything is waited for
  try {
    const { showSource } = await arrived(import("../sources/panel.js"));
    await showSource(detail, opener);
  } catch (error) {
    toastError(error);
  }
});

document.addEventListener("etabli:open-trace", async ({ detail }) => {
  try {
    const { showTrace } = await arrived(import("../chat/trace.js"));
    await showTrace(detail.response_id);
  } catch (error) {
    toastError(error);
  }
});
