/** What a job told, the newest first. */

import { h, icon } from "../core/dom.js";
import { formatDate, plural, t } from "../core/i18n.js";

const ICONS = { info: "info", warn: "triangle-alert", error: "circle-x" };

/** @param {any[]} events of the API, measurements included; they are in the curve @param {boolean} open */
export function eventsView(events, open) {
  const told = events.filter((one) => one.type === "message");
  return h(
    "details",
    { class: "card events", open },
    h("summary", {}, h("h2", {}, t("What happened")), h("span", { class: "muted small" }, plural(told.length, "{count} line", "{count} lines"))),
    h(
      "ol",
      { class: "events-list small", role: "list", tabindex: "0", "aria-label": t("What happened") },
      told.map((one) =>
        h(
          "li",
          { class: one.level },
          icon(ICONS[one.level] ?? "info", { class: "small" }),
          h("span", { class: "grow" }, one.message),
          h("time", { class: "muted numbers", datetime: new Date(one.created_at * 1000).toISOString() }, formatDate(one.created_at, "auto")),
        ),
      ),
    ),
  );
}
