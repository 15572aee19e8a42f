/** What an address elsewhere needs of a person: where it is, its key, what it is told, questions with their answers. */

import { api } from "../core/api.js";
import { openDialog } from "../core/dialog.js";
import { h, replace, uid } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { tierChoice } from "./tiers.js";
import { CAMPAIGNS } from "./words.js";

const MOST_BYTES = 10_000_000;

/** Leads to the page of the new campaign. */
export function endpointDialog() {
  const address = field(t("Address"), {
    type: "url",
    placeholder: "https://…/v1",
    hint: t("Of an OpenAI-compatible service. Its host must be listed as outbound in etabli.toml."),
    oninput: () => tell(),
  });
  const model = field(t("Model"), { hint: t("Its name at that address.") });
  const key = keyField(t("Empty if it needs none."));
  const instructions = longField(t("Instructions"), t("Its system message, where you know it: then their leak is tried too."));
  const questions = fileField();
  const tier = tierChoice();
  const leaves = h("p", { class: "banner weak", role: "status" });
  const fault = h("p", { class: "field-error", role: "alert" });
  const draw = h("button", { type: "submit", class: "button primary" }, t("Show the plan"));
  const form = h(
    "form",
    { class: "stack", id: uid("form"), style: { "--gap": "var(--s4)" }, onsubmit: make, novalidate: true, autocomplete: "off" },
    address.element,
    leaves,
    model.element,
    key.element,
    instructions.element,
    questions.element,
    tier.element,
    fault,
  );
  draw.setAttribute("form", form.id);
  tell();
  const dialog = openDialog({ title: t("Examine an address"), body: form, actions: [draw] });
  address.control.focus();
  return dialog;

  /** Where everything goes, before anything does. */
  function tell() {
    const host = hostOf(address.control.value);
    replace(leaves, host ? destination(host) : t("The probes, your instructions and your questions leave this machine for that address."));
  }

  async function make(event) {
    event.preventDefault();
    const missing = [address, model].find((one) => !one.control.value.trim());
    if (missing) return refuse(t("Write something first."), missing);
    draw.disabled = true;
    try {
      const target = {
        base_url: address.control.value.trim(),
        model: model.control.value.trim(),
        api_key: key.control.value || null,
        instructions: instructions.control.value,
        questions: await questions.text(),
      };
      const campaign = await api.post(CAMPAIGNS, { target, tier: tier.value() });
      key.control.value = "";
      location.assign(`/certification/campaigns/${encodeURIComponent(campaign.id)}`);
    } catch (error) {
      const named = { "target.base_url": address, "target.model": model, "target.questions": questions }[error.param];
      refuse(error.message, named);
      draw.disabled = false;
    }
  }

  function refuse(message, one) {
    for (const each of [address, model, questions]) each.control.setAttribute("aria-invalid", String(each === one));
    fault.textContent = message;
    one?.control.focus();
  }
}

/**
 * Ask for the key of an address again, to go on with a campaign.
 * @param {{address: string}} campaign @returns {Promise<string|null>} null when dismissed; empty for none
 */
export async function keyDialog({ address }) {
  const key = keyField(t("Empty if it needs none."));
  const go = h("button", { type: "submit", class: "button primary" }, t("Go on"));
  const form = h(
    "form",
    { class: "stack", id: uid("form"), style: { "--gap": "var(--s3)" }, autocomplete: "off" },
    h("p", {}, destination(hostOf(address) ?? address)),
    key.element,
  );
  go.setAttribute("form", form.id);
  const dialog = openDialog({ title: t("Key of {address}", { address }), body: form, actions: [go] });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close(key.control.value);
    key.control.value = "";
  });
  key.control.focus();
  return (await dialog.closed) ?? null;
}

/** What happens to what is sent, in a sentence. @param {string} host */
export function destination(host) {
  return ["localhost", "127.0.0.1", "[::1]"].includes(host)
    ? t("Everything stays on this machine: the address is its own.")
    : t("The probes, your instructions and your questions leave this machine for {host}.", { host });
}

/** @param {string} text @returns {string|null} null while it is no address */
function hostOf(text) {
  try {
    return new URL(text.trim()).hostname || null;
  } catch {
    return null;
  }
}

function field(label, { hint, type = "text", ...more }) {
  const control = h("input", { class: "input", id: uid("field"), type, autocomplete: "off", spellcheck: "false", ...more });
  return framed(label, control, hint);
}

function longField(label, hint) {
  const control = h("textarea", { class: "textarea", id: uid("field"), rows: 3, maxlength: 100_000 });
  return framed(label, control, hint);
}

/** One that shows nothing and that no browser keeps. */
function keyField(hint) {
  const control = h("input", {
    class: "input", id: uid("field"), type: "password", autocomplete: "new-password", spellcheck: "false", maxlength: 4096,
  });
  return framed(t("Key"), control, [t("Kept in the server’s memory until it stops; never written down, shown or logged."), " ", hint]);
}

function fileField() {
  const control = h("input", { class: "input", id: uid("field"), type: "file", accept: ".jsonl,.ndjson,.json,text/plain" });
  const hint = t("One JSON object a line, with its answer. Without a file, the quality of its answers is not measured.");
  const text = async () => {
    const file = control.files[0];
    if (!file) return "";
    if (file.size > MOST_BYTES) throw Object.assign(new Error(t("The file is larger than 10 MB.")), { param: "target.questions" });
    return file.text();
  };
  return { ...framed(t("Questions file"), control, hint), text };
}

function framed(label, control, hint) {
  const said = h("p", { class: "field-hint", id: uid("hint") }, hint);
  control.setAttribute("aria-describedby", said.id);
  const element = h("div", { class: "field" }, h("label", { class: "field-label", for: control.id }, label), control, said);
  return { element, control };
}
