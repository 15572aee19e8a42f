/** 👍 and 👎 under an answer, and the small form that asks what was wrong. */

import { api } from "../core/api.js";
import { h, iconButton, uid } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { openPopover } from "../core/menu.js";
import { toast, toastError } from "../core/toast.js";

/**
 * @param {string} id of the response
 * @param {{rating: string, reason?: string|null, comment?: string|null}|null} feedback given before
 * @returns {HTMLElement[]} the two buttons
 */
export function feedbackButtons(id, feedback) {
  let given = feedback;
  const up = iconButton("thumbs-up", t("Good answer"), { class: "small", onclick: () => rate("up") });
  const down = iconButton("thumbs-down", t("Bad answer"), { class: "small", onclick: () => rate("down") });
  show();
  return [up, down];

  async function rate(rating) {
    const wanted = given?.rating === rating ? null : rating;
    if (!(await send({ rating: wanted }))) return;
    if (wanted === "down") askWhy(down, given, send);
    else if (wanted === "up") toast(t("Thank you."));
  }

  async function send(value) {
    const before = given;
    given = value.rating ? value : null;
    show();
    try {
      await api.put(`/v1/etabli/responses/${encodeURIComponent(id)}/feedback`, value);
      return true;
    } catch (error) {
      given = before;
      show();
      toastError(error);
      return false;
    }
  }

  function show() {
    up.setAttribute("aria-pressed", String(given?.rating === "up"));
    down.setAttribute("aria-pressed", String(given?.rating === "down"));
  }
}

function askWhy(anchor, given, send) {
  const reasons = [
    ["wrong", t("It is wrong")],
    ["incomplete", t("Something is missing")],
    ["source", t("A source does not say that")],
    ["tone", t("The tone does not suit")],
    ["other", t("Something else")],
  ];
  const name = uid("reason");
  const title = uid("why");
  const comment = h("textarea", {
    class: "textarea",
    rows: 2,
    maxlength: 2000,
    "aria-label": t("What should it have said? (optional)"),
    placeholder: t("What should it have said? (optional)"),
    value: given?.comment ?? "",
  });
  const form = h(
    "form",
    { class: "why stack", "aria-labelledby": title, role: "dialog", style: { "--gap": "var(--s3)" } },
    h("p", { class: "strong", id: title }, t("What was wrong?")),
    h(
      "div",
      { class: "why-reasons" },
      reasons.map(([value, label]) =>
        h(
          "label",
          { class: "chip" },
          h("input", { type: "radio", name, value, checked: given?.reason === value, class: "visually-hidden" }),
          label,
        ),
      ),
    ),
    comment,
    h("div", { class: "row why-actions" }, h("button", { class: "button primary small", type: "submit" }, t("Send"))),
  );
  const popover = openPopover(anchor, form, { align: "start" });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const reason = form.querySelector("input:checked")?.value ?? "other";
    const value = { rating: "down", reason, comment: comment.value.trim() || null };
    popover.close();
    if (await send(value)) toast(t("Thank you. Your remark is kept with the answer."));
  });
  form.querySelector("input").focus();
}
