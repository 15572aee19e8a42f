/** What needs words of people: breaking the glass, revoking a certificate. */

import { api } from "../core/api.js";
import { openDialog, promptDialog } from "../core/dialog.js";
import { h, uid } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { toast, toastError } from "../core/toast.js";
import { CERTIFICATES } from "./words.js";

/** @param {string} assistant its name @param {() => void} onDone */
export function breakGlassDialog(assistant, onDone) {
  const reason = h("textarea", { class: "textarea", rows: 3, id: uid("field"), maxlength: 500, required: true });
  const first = h("input", { class: "input", id: uid("field"), autocomplete: "off", maxlength: 120 });
  const second = h("input", { class: "input", id: uid("field"), autocomplete: "off", maxlength: 120 });
  const hours = h("input", { class: "input", id: uid("field"), type: "number", min: 1, max: 24, value: 4 });
  const fault = h("p", { class: "field-error", role: "alert" });
  const act = h("button", { type: "button", class: "button danger", onclick: send }, t("Break the glass"));
  const field = (label, control) =>
    h("div", { class: "field" }, h("label", { class: "field-label", for: control.id }, label), control);
  const dialog = openDialog({
    title: t("Let it serve without a valid certificate"),
    body: h(
      "div",
      { class: "stack", style: { "--gap": "var(--s3)" } },
      h(
        "p",
        {},
        t(
          "Two people decide this together, for a day at most. Everybody who talks to the assistant sees the reason, and it stays in the log.",
        ),
      ),
      field(t("Reason"), reason),
      field(t("Who decides"), first),
      field(t("Who agrees"), second),
      field(t("For how many hours"), hours),
      fault,
    ),
    actions: [act],
  });

  async function send() {
    act.disabled = true;
    try {
      await api.post(`/v1/etabli/assistants/${encodeURIComponent(assistant)}/break-glass`, {
        reason: reason.value,
        people: [first.value, second.value],
        hours: Number(hours.value),
      });
      dialog.close();
      onDone();
    } catch (error) {
      fault.textContent = error.message;
      act.disabled = false;
    }
  }
}

/** @param {string} certificate its id @param {() => void} onDone */
export async function revokeDialog(certificate, onDone) {
  const reason = await promptDialog({
    title: t("Revoke this certificate for good"),
    label: t("Reason"),
    confirm: t("Revoke"),
    hint: t("The assistant stops answering at once, unless it is published under another certificate."),
    maxLength: 500,
  });
  if (!reason) return;
  try {
    await api.post(`${CERTIFICATES}/${encodeURIComponent(certificate)}/revoke`, { reason });
    toast(t("The certificate is revoked."));
    onDone();
  } catch (error) {
    toastError(error);
  }
}
