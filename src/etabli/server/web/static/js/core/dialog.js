/**
 * Modal dialogs over <dialog>: the browser keeps the focus inside and gives it back, Escape and a click outside close.
 */

import { h, iconButton, uid } from "./dom.js";
import { t } from "./i18n.js";

/**
 * Open a dialog with a content of your own.
 * @param {{title: string, body: any, actions?: any, wide?: boolean, class?: string, onClose?: (value: any) => void,
 *   role?: "dialog"|"alertdialog"}} options body and actions: nodes
 * @returns {{element: HTMLDialogElement, close: (value?: any) => void, closed: Promise<any>}} closed: the value given to
 *   `close`, undefined when dismissed
 */
export function openDialog({ title, body, actions, wide = false, class: more = "", onClose, role }) {
  const heading = uid("dialog-title");
  const names = ["dialog", wide && "wide", more];
  const element = h(
    "dialog",
    { class: names, "aria-labelledby": heading, role: role === "alertdialog" ? role : null },
    h(
      "div",
      { class: "dialog-head" },
      h("h2", { id: heading }, title),
      iconButton("x", t("Close"), { onclick: () => close() }),
    ),
    h("div", { class: "dialog-body" }, body),
    actions && h("div", { class: "dialog-actions" }, actions),
  );
  return openModal(element, onClose);

  function close(value) {
    element.dispatchEvent(new CustomEvent("etabli:close", { detail: value }));
  }
}

/**
 * Open an element as a modal and take it out of the page when it closes. For dialogs that draw themselves.
 * @param {HTMLDialogElement} element @param {(value: any) => void} [onClose]
 */
export function openModal(element, onClose) {
  const before = document.activeElement;
  let value;
  let pressedOutside = false;
  const close = (result) => {
    value = result;
    element.close();
  };
  const closed = new Promise((resolve) => {
    element.addEventListener("close", () => {
      element.remove();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
      onClose?.(value);
      resolve(value);
    });
  });
  element.addEventListener("etabli:close", (event) => close(event.detail));
  // A press that began inside, on selected text for instance, does not close when it ends outside.
  element.addEventListener("pointerdown", (event) => (pressedOutside = event.target === element && isOutside(event)));
  element.addEventListener("click", (event) => {
    if (pressedOutside && event.target === element && isOutside(event)) close();
  });
  element.append(h("div", { class: "visually-hidden", role: "status", dataset: { live: "" } }));
  document.body.append(element);
  element.showModal();
  return { element, close, closed };

  function isOutside({ clientX, clientY }) {
    const box = element.getBoundingClientRect();
    return clientX < box.left || clientX > box.right || clientY < box.top || clientY > box.bottom;
  }
}

/**
 * A yes-or-no question. @param {{title: string, text?: any, confirm: string, cancel?: string, danger?: boolean}} options
 * @returns {Promise<boolean>}
 */
export async function confirmDialog({ title, text, confirm, cancel = t("Cancel"), danger = false }) {
  const no = h("button", { class: "button", type: "button" }, cancel);
  const yes = h("button", { class: ["button", danger ? "danger" : "primary"], type: "button" }, confirm);
  const dialog = openDialog({
    title,
    body: typeof text === "string" ? h("p", {}, text) : text,
    actions: [no, yes],
    role: "alertdialog",
  });
  no.addEventListener("click", () => dialog.close(false));
  yes.addEventListener("click", () => dialog.close(true));
  (danger ? no : yes).focus();
  return (await dialog.closed) === true;
}

/**
 * Ask for one line of text.
 * @param {{title: string, label: string, value?: string, confirm: string, hint?: string, maxLength?: number,
 *   placeholder?: string, check?: (text: string) => string|null}} options check: what is wrong with the text, or null
 * @returns {Promise<string|null>} trimmed; null when dismissed
 */
export async function promptDialog({ title, label, value = "", confirm, hint, maxLength = 200, placeholder, check }) {
  const input = h("input", {
    class: "input", id: uid("prompt"), value, maxlength: maxLength, placeholder, autocomplete: "off", type: "text",
  });
  const fault = h("p", { class: "field-error", id: uid("fault"), role: "alert" });
  input.setAttribute("aria-describedby", fault.id);
  const no = h("button", { class: "button", type: "button" }, t("Cancel"));
  const yes = h("button", { class: "button primary", type: "submit" }, confirm);
  const form = h(
    "form",
    { class: "field", id: uid("form") },
    h("label", { class: "field-label", for: input.id }, label),
    input,
    hint && h("p", { class: "field-hint" }, hint),
    fault,
  );
  yes.setAttribute("form", form.id);
  const dialog = openDialog({ title, body: form, actions: [no, yes] });
  no.addEventListener("click", () => dialog.close(null));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const text = input.value.trim();
    const wrong = text ? (check?.(text) ?? null) : t("Write something first.");
    fault.textContent = wrong ?? "";
    input.setAttribute("aria-invalid", String(wrong !== null));
    if (wrong === null) dialog.close(text);
    else input.focus();
  });
  input.focus();
  input.select();
  return (await dialog.closed) ?? null;
}
