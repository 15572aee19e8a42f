/** “Which one is better?”, after a comparison. Kept as feedback on the answers that are stored. */

import { api } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { toastError } from "../core/toast.js";

/**
 * @param {import("./contender.js").Contender} left @param {import("./contender.js").Contender} right
 * @returns {HTMLElement}
 */
export function makeVote(left, right) {
  const thanks = h("p", { class: "small muted", role: "status" });
  const choices = [
    ["left", t("The left one"), "arrow-left"],
    ["both", t("Both are good"), "check-check"],
    ["neither", t("Neither"), "x"],
    ["right", t("The right one"), "arrow-right"],
  ];
  const buttons = choices.map(([id, label, name]) =>
    h(
      "button",
      { type: "button", class: "button small", "aria-pressed": "false", dataset: { id }, onclick: () => vote(id) },
      icon(name, { class: "small" }),
      label,
    ),
  );
  return h(
    "section",
    { class: "vote" },
    h("h2", {}, t("Which one is better?")),
    h("div", { class: "row wrap", role: "group", "aria-label": t("Which one is better?") }, buttons),
    thanks,
  );

  async function vote(id) {
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.id === id));
    const ratings = { left: ["up", "down"], right: ["down", "up"], both: ["up", "up"], neither: ["down", "down"] }[id];
    try {
      const kept = await Promise.all([keep(left, right, ratings[0]), keep(right, left, ratings[1])]);
      const all = kept.every(Boolean);
      replace(
        thanks,
        all
          ? t("Thank you. It is kept as feedback on both answers.")
          : kept.some(Boolean)
            ? t("Thank you. A draft’s answer is not kept, so the vote counts for the other one only.")
            : t("Thank you. The answers of drafts are not kept, so neither is the vote."),
      );
    } catch (error) {
      toastError(error);
    }
  }
}

/** Whether the vote on an answer could be kept. */
async function keep({ told }, other, rating) {
  if (!told?.stored || !told.id) return false;
  const comment = t("Compared with {other}.", { other: other.choice });
  await api.put(`/v1/etabli/responses/${encodeURIComponent(told.id)}/feedback`, { rating, comment });
  return true;
}
