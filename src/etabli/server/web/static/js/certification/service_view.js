/**
 * How a certificate stands in service: what was tried secretly since, how often each family goes wrong at most, and the
 * conversations that went wrong.
 */

import { api, withQuery } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { formatDate, formatNumber, plural, t } from "../core/i18n.js";
import { toastError } from "../core/toast.js";
import { exchange } from "./conversations.js";
import { stacked } from "./stacked.js";
import { badge, CERTIFICATES, outcomeWord, percent } from "./words.js";

const SHOWN = 50;

/** @param {string} certificate its id @returns {Promise<any|null>} null for who may not see it */
export async function loadService(certificate) {
  try {
    return await api.get(`${CERTIFICATES}/${encodeURIComponent(certificate)}/service`);
  } catch (error) {
    if (error.status === 404) return null;
    throw error;
  }
}

/** @param {any} service of a certificate under which an assistant serves, or served until it was suspended */
export function serviceView(service) {
  const wrong = service.families.reduce((sum, one) => sum + one.violated, 0);
  const doubtful = service.families.reduce((sum, one) => sum + one.undecided, 0);
  return [
    service.suspended && suspension(service.suspended),
    h("p", { class: "small" }, summary(service, wrong)),
    service.tried > 0 &&
      h(
        "details",
        { class: "service-part" },
        h("summary", {}, t("Figures of each family")),
        h(
          "p",
          { class: "muted small" },
          t(
            "The bound holds whenever one looks; it shrinks as more is tried. Where more goes wrong than the certificate tolerates, the certificate is suspended.",
          ),
        ),
        familyTable(service.families),
      ),
    wrong > 0 && conversations(service, "violated", t("What went wrong")),
    doubtful > 0 && conversations(service, "unsure", t("What no program could decide")),
  ];
}

function suspension(one) {
  return h(
    "div",
    { class: "banner danger" },
    icon("lock"),
    h(
      "div",
      {},
      h(
        "p",
        { class: "strong" },
        t("Suspended on {date}", { date: formatDate(one.suspended_at * 1000, "full") }),
      ),
      h("p", {}, t("Read what went wrong, mend it, and examine the assistant again: a new certificate lets it serve.")),
    ),
  );
}

function summary(service, wrong) {
  if (service.since === null) {
    if (!service.probes_per_day) return t("It is not tried in service: service_probes_per_day is 0.");
    return plural(
      service.probes_per_day,
      "Not tried in service yet. The server does it secretly while nobody asks anything, at most once a day.",
      "Not tried in service yet. The server does it secretly while nobody asks anything, at most {count} times a day.",
    );
  }
  const tried = plural(
    service.tried,
    "Tried secretly {count} time since {first}, last on {last}.",
    "Tried secretly {count} times since {first}, last on {last}.",
    { first: formatDate(service.since * 1000, "date"), last: formatDate(service.last_at * 1000, "full") },
  );
  const found = wrong ? plural(wrong, "{count} went wrong.", "{count} went wrong.") : t("Nothing went wrong.");
  return `${tried} ${found}`;
}

function familyTable(families) {
  const heads = [t("Tried"), t("Went wrong"), t("Undecided"), t("Bound at 95 %"), t("Tolerated")];
  const row = (one) => {
    const cells = [
      formatNumber(one.tried),
      one.violated ? badge("violated", formatNumber(one.violated)) : formatNumber(0),
      formatNumber(one.undecided),
      one.tried ? `≤\u202f${percent(one.bound, "up")}` : "–",
      one.critical ? t("none") : `≤\u202f${percent(one.theta0)}`,
    ];
    return h(
      "tr",
      { dataset: { family: one.id } },
      h("th", { scope: "row" }, h("span", { class: "muted numbers" }, one.id), " ", one.label),
      cells.map((cell) => h("td", { class: "end numbers" }, cell)),
    );
  };
  return h(
    "div",
    { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("Figures of each family") },
    stacked(
      h(
        "table",
        { class: "table families" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            h("th", { scope: "col" }, t("Family")),
            heads.map((one) => h("th", { scope: "col", class: "end" }, one)),
          ),
        ),
        h("tbody", {}, families.map(row)),
      ),
    ),
  );
}

/** The latest conversations with an outcome, asked for when they are opened. */
function conversations(service, outcome, label) {
  const list = h("ol", { class: "conversations", role: "list" });
  const path = `${CERTIFICATES}/${encodeURIComponent(service.certificate)}/service/probes`;
  const details = h(
    "details",
    { class: "service-part", dataset: { outcome }, ontoggle: () => details.open && !list.childElementCount && load() },
    h("summary", {}, label),
    list,
  );
  const load = async () => {
    try {
      const { data } = await api.get(withQuery(path, { outcome, limit: SHOWN }));
      replace(list, data.map(conversation));
    } catch (error) {
      toastError(error);
    }
  };
  return details;
}

function conversation(one) {
  const last = one.conversations.at(-1);
  return h(
    "li",
    {},
    h(
      "details",
      { class: "conversation card" },
      h(
        "summary",
        {},
        badge(one.outcome, outcomeWord(one.outcome)),
        h("span", { class: "muted tiny numbers" }, one.family),
        h("span", { class: "truncate grow" }, last?.turns.at(-1)),
        h("span", { class: "muted tiny numbers" }, formatDate(one.tried_at * 1000)),
      ),
      h(
        "div",
        { class: "conversation-body" },
        one.conversations.map((each) => exchange(each)),
        h("p", { class: "muted small" }, last?.detail),
      ),
    ),
  );
}
