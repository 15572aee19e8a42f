/** What a training would take, told before it begins. */

import { fact } from "../certification/result_view.js";
import { about } from "../certification/words.js";
import { h, icon } from "../core/dom.js";
import { formatBytes, formatNumber, formatPercent, t } from "../core/i18n.js";

/** @param {any} estimate of `POST …/preflight` @returns {HTMLElement} */
export function estimateView(estimate) {
  const { examples, tokens, trained_share: share, longest, steps, memory_bytes: memory, seconds, watt_hours: energy, probes } = estimate;
  return h(
    "dl",
    { class: "facts estimate" },
    fact(t("Examples"), formatNumber(examples)),
    fact(t("Steps"), formatNumber(steps)),
    fact(t("Memory"), t("about {size}", { size: formatBytes(memory) })),
    seconds === null ? fact(t("Time"), t("not measured yet")) : fact(t("Time"), t("about {time}", { time: about(seconds) })),
    probes && fact(t("Then, the probes"), t("{count}, about {time}", { count: formatNumber(probes.probes), time: about(probes.seconds) })),
    energy !== null && fact(t("Energy"), t("about {energy}, estimated", { energy: wattHours(energy) })),
    fact(t("Tokens read"), formatNumber(tokens)),
    fact(t("Of them learned"), formatPercent(share)),
    fact(t("Longest example"), t("{count} tokens", { count: formatNumber(longest) })),
  );
}

/** Why it cannot be, in the server's words, which say what would fit. @param {string} message */
export function refusal(message) {
  return h("div", { class: "banner danger", role: "alert" }, icon("circle-x"), h("p", { class: "refusal" }, message));
}

function wattHours(value) {
  if (value >= 1000) return `${formatNumber(value / 1000, { maximumFractionDigits: 1 })}\u00a0kWh`;
  return `${formatNumber(value, { maximumSignificantDigits: 2 })}\u00a0Wh`;
}
