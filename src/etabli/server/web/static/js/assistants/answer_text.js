/** The text of an answer as it is shown here: the one place that knows how. */

import { h, replace } from "../core/dom.js";

/**
 * @param {HTMLElement} element gets the text
 * @param {string} text @param {any[]} annotations @param {{final: boolean}} options final: nothing more comes
 */
export function showAnswerText(element, text, annotations, { final }) {
  element.dataset.final = String(final);
  replace(element, h("p", { class: "plain-answer" }, text));
}
