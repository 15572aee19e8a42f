/**
 * The seal of an assistant: whether it may answer, in a word that leads to its certificate. The chat loads this file, so
 * it stands by itself.
 */

import { api } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { formatDate, t } from "../core/i18n.js";

const KINDS = {
  established: "verified",
  certified: "verified",
  conditional: "weak",
  "break-glass": "danger",
  closed: "danger",
  expired: "danger",
  none: "danger",
  draft: "",
};
const ICONS = {
  established: "shield-check",
  certified: "shield-check",
  conditional: "shield-alert",
  "break-glass": "triangle-alert",
  closed: "lock",
  expired: "lock",
  none: "lock",
  draft: "shield-question-mark",
};

/**
 * @typedef {{state: "draft"|"established"|"certified"|"conditional"|"break-glass"|"closed"|"expired"|"none", certificate: string|null,
 *   until: number|null, verdict?: string|null, reason?: string, changed?: string[], people?: string[]}} Standing
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

/**
 * The standings of all assistants that one may use, by name, from the list of models: in the words of certificates
 * (`certified`, `expired`, `none`). Nothing where the server certifies nothing.
 * @returns {Promise<Map<string, Standing>>}
 */
export async function loadStandings() {
  const { data } = await api.get("/v1/models");
  return new Map(data.filter((one) => one.etabli.standing).map((one) => [one.id, one.etabli.standing]));
}

/** @param {string} state */
export function standingWord(state) {
  return {
    draft: t("Draft"),
    established: t("Established"),
    certified: t("Established"),
    expired: t("Expired"),
    none: t("Closed"),
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
    case "certified":
      return t("Examined and certified until {date}, for exactly what it is now.", { date });
    case "conditional":
      return t("Certified under conditions until {date}: open the certificate to read them.", { date });
    case "break-glass":
      if (!standing.people?.length) return t("It answers without a valid certificate until {date}.", { date });
      return t("It answers without a valid certificate until {date}, by decision of {people}: {reason}", {
        date,
        people: standing.people.join(", "),
        reason: standing.reason,
      });
    case "expired":
      return t("It does not answer: its certificate ended on {date}.", { date });
    case "none":
      return t("It does not answer: no certificate holds for what it is now.");
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
      class: ["badge", "seal", KINDS[standing.state]],
      href: sealAddress(name, standing),
      "aria-label": `${standingWord(standing.state)}. ${text}`,
      dataset: { tip: text, state: standing.state },
    },
    icon(ICONS[standing.state], { class: "small" }),
    h("span", { class: "seal-word" }, standingWord(standing.state)),
  );
}

/**
 * The same as a word in a list of assistants, which leads nowhere: it stands inside of what is pressed.
 * @param {Standing} standing @returns {HTMLElement}
 */
export function sealMark({ state }) {
  return h(
    "span",
    { class: ["seal-mark", KINDS[state]], dataset: { state } },
    icon(ICONS[state], { class: "small" }),
    h("span", {}, standingWord(state)),
  );
}

/** A line over a conversation when its assistant may not answer, or answers without a certificate. */
export function standingBanner(standing) {
  if (standing?.state !== "break-glass" && standing?.state !== "closed") return null;
  return h(
    "div",
    { class: "banner danger standing-banner", role: "status" },
    icon(ICONS[standing.state]),
    h("p", { class: "grow" }, standingText(standing)),
  );
}

/** The seal of the assistant that one talks to, in the bar above the conversation, and the banner under it. */
export class HeaderSeal {
  #shown = null;

  constructor() {
    this.element = h("span", { class: "header-seal" });
    this.banner = h("div", { class: "header-seal-banner" });
  }

  /** @param {string|null} name of an assistant; asked again each time it is chosen */
  async show(name) {
    if (name === this.#shown) return;
    this.#shown = name;
    // What nobody could say is not said: the answer itself is refused where the assistant may not serve.
    const standing = name === null ? null : await loadStanding(name).catch(() => null);
    if (name !== this.#shown) return;
    replace(this.element, standing && sealLink(name, standing));
    replace(this.banner, standingBanner(standing));
  }
}
