/** How much of the machine's memory a model takes: a bar, with a mark where the memory that is free now ends. */

import { h } from "../core/dom.js";
import { formatPercent, t } from "../core/i18n.js";

/**
 * @param {{needed: number, total: number, available: number, level: string}} values bytes; available: free now
 * @returns {HTMLElement}
 */
export function memoryBar({ needed, total, available, level }) {
  const share = needed / total;
  const words = { share: formatPercent(share), free: formatPercent(available / total) };
  const sentence = t("{share} of the memory; {free} is free now", words);
  return h(
    "div",
    { class: `memory-bar ${level}`, role: "img", "aria-label": sentence, dataset: { tip: sentence } },
    h("span", { class: "memory-taken", style: { width: percent(share) } }),
    h("span", { class: "memory-free", style: { left: percent(available / total) } }),
  );
}

function percent(fraction) {
  return `${(Math.min(1, fraction) * 100).toFixed(2)}%`;
}
