/** How much of the machine's memory a model takes: a bar with words. */

import { h } from "../core/dom.js";
import { formatBytes, t } from "../core/i18n.js";

/**
 * @param {{needed: number, total: number, available: number, level: string}} values bytes; available: free now
 * @returns {HTMLElement}
 */
export function memoryBar({ needed, total, available, level }) {
  const share = Math.min(1, needed / total);
  const words = t("Takes {needed} of {total} of memory, {available} free now", {
    needed: formatBytes(needed),
    total: formatBytes(total),
    available: formatBytes(available),
  });
  return h(
    "div",
    { class: "memory" },
    h(
      "div",
      { class: `memory-bar ${level}`, role: "img", "aria-label": words },
      h("span", { class: "memory-taken", style: { width: `${(share * 100).toFixed(2)}%` } }),
      h("span", {
        class: "memory-free",
        style: { left: `${(Math.min(1, available / total) * 100).toFixed(2)}%` },
        dataset: { tip: t("Free now: {available}", { available: formatBytes(available) }) },
      }),
    ),
    h("span", { class: "tiny muted numbers", "aria-hidden": "true" }, `${formatBytes(needed)} / ${formatBytes(total)}`),
  );
}
