/** Files of examples: sending them, having them looked at, and the copies that the server makes of them. */

import { api } from "../core/api.js";
import { CHECKS, FILES } from "./words.js";

const of = (id, what) => `${CHECKS}/${encodeURIComponent(id)}/${what}`;

/**
 * Send a file for training. @param {File} file
 * @param {{onProgress?: (fraction: number) => void, signal?: AbortSignal}} [options] @returns {Promise<any>} as `/v1/files` says it
 */
export function sendExamples(file, options) {
  const form = new FormData();
  form.set("purpose", "fine-tune");
  form.set("file", file, file.name);
  return api.upload(FILES, form, options);
}

/** What is wrong with a file. @param {string} id @param {object} how see `CheckBody` @param {AbortSignal} [signal] */
export const checkExamples = (id, how, signal) => api.post(of(id, "check"), how, { signal });

/** A copy without what is wrong. @param {string} id @param {object} how as for the check */
export const correctExamples = (id, how) => api.post(of(id, "corrected"), how);

/** A copy in the format that training reads. @param {string} id */
export const convertExamples = (id) => api.post(of(id, "converted"));

/** Two files: to learn from, and put aside. @param {string} id @param {number} share */
export const splitExamples = (id, share) => api.post(of(id, "split"), { share });

/** The address of a file's bytes. @param {string} id */
export const contentOf = (id) => `${FILES}/${encodeURIComponent(id)}/content`;
