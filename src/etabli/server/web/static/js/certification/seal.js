/** The seal of an assistant: whether it may answer, in a word that leads to its certificate. */

import { api } from "../core/api.js";
import { h, icon } from "../core/dom.js";
import { formatDate, t } from "../core/i18n.js";
import { iconOf, kindOf } from "./words.js";

/**
 * @typedef {{state: "draft"|"established"|"conditional"|"break-glass"|"closed", certificate: string|null,
 *   verdict: string|null, until: number|null, reason: string, changed: string[], people: string[]}} Standing
 */

/** @param {string} name of an assistant @returns {Promise<Standing|null>} null where nothing is known of it */
export async function loadStanding(name) {
  try {
    return await api.get(`/v1/etabli/assistants/${encodeURIComponent(name)}/standing`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** @param {string} state */
export function standingWord(state) {
  return {
    draft: t("Draft"),
    established: t("Established"),
    conditional: t("Established under conditions"),
    "break-glass": t("Without a certificate"),
    closed: t("Closed"),
  }[state];
}

/** What the standing means, in a sentence. @param {Standing} standing */
export function standingText(standing) {
  const date = standing.until === null ? "" : formatDate(standing.until * 1000, "full");
  switch (standing.state) {
    case "draft":
      return t("Not published: it may be tried. Nobody has shown yet that it is safe.");
    case "established":
      return t("Examined and certified until {date}, for exactly what it is now.", { date });
    case "conditional":
      return t("Certified under conditions until {date}: open the certificate to read them.", { date });
    case "break-glass":
      return t("It answers without a valid certificate until {date}, by decision of {people}: {reason}", {
        date,
        people: standing.people.join(", "),
        reason: standing.reason,
      });
    default:
      return t("It may not answer: {reason}", { reason: standing.reason });
  }
}

/** Where the seal leads. @param {string} name of the assistant @param {Standing} standing */
export function sealAddress(name, standing) {
  return standing.certificate
    ? `/certification/certificates/${encodeURIComponent(standing.certificate)}`
    : `/certification?assistant=${encodeURIComponent(name)}`;
}

/**
 * The seal as a small link.
 * @param {string} name of the assistant @param {Standing} standing
 * @returns {HTMLElement}
 */
export function sealLink(name, standing) {
  const text = standingText(standing);
  return h(
    "a",
    {
      class: ["badge", "seal", kindOf(standing.state)],
      href: sealAddress(name, standing),
      "aria-label": `${standingWord(standing.state)}. ${text}`,
      dataset: { tip: text, state: standing.state },
    },
    icon(iconOf(standing.state), { class: "small" }),
    h("span", { class: "seal-word" }, standingWord(standing.state)),
  );
}

/** A line over a conversation when its assistant may not answer, or answers without a certificate. */
export function standingBanner(standing) {
  if (standing?.state !== "break-glass" && standing?.state !== "closed") return null;
  return h(
    "div",
    { class: "banner danger standing-banner", role: "status" },
    icon(iconOf(standing.state)),
    h("p", { class: "grow" }, standingText(standing)),
  );
}
