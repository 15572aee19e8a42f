/** Gives an adapter to an assistant: a new version of it, with this adapter. */

import { withTopKey } from "../assistants/yaml_text.js";
import { api } from "../core/api.js";
import { publish } from "../core/channel.js";
import { openDialog } from "../core/dialog.js";
import { h, icon, uid } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { toast, toastError } from "../core/toast.js";
import { adapterTitle } from "./words.js";

const ALL = "/v1/etabli/assistants";

/** @param {{name: string, base: string}} adapter @param {{proposed?: string|null}} [options] proposed: an assistant's name */
export async function giveDialog(adapter, { proposed } = {}) {
  let assistants;
  try {
    assistants = (await api.get(ALL)).data.filter((one) => !one.faults.length);
  } catch (error) {
    return toastError(error);
  }
  const fits = (one) => one.model === null || one.model === adapter.base;
  const select = h(
    "select",
    { class: "select", id: uid("assistant") },
    assistants.map((one) => h("option", { value: one.name, disabled: !fits(one) }, fits(one) ? one.title : t("{title} (runs on {model})", { title: one.title, model: one.model }))),
  );
  const first = assistants.find((one) => one.name === proposed && fits(one)) ?? assistants.find(fits);
  select.value = first?.name ?? "";
  const give = h("button", { type: "button", class: "button primary", disabled: !first, onclick: save }, t("Give"));
  const dialog = openDialog({
    title: t("Give {name} to an assistant", { name: adapterTitle(adapter.name) }),
    body: h(
      "div",
      { class: "stack", style: { gap: "var(--s3)" } },
      h("div", { class: "field" }, h("label", { class: "field-label", for: select.id }, t("Assistant")), select),
      h("div", { class: "banner weak" }, icon("shield-alert"), h("p", {}, t("With another adapter it is another assistant: its certificate no longer holds, and it has to be examined again. What an adapter learned may change what it refuses."))),
    ),
    actions: [give],
  });
  select.focus();

  async function save() {
    const { value: name } = select;
    give.disabled = true;
    try {
      const detail = await api.get(`${ALL}/${encodeURIComponent(name)}`);
      const note = t("Adapter {name}", { name: adapterTitle(adapter.name) });
      const saved = await api.put(`${ALL}/${encodeURIComponent(name)}`, { yaml: withAdapter(detail.yaml, adapter.name), note, based_on: detail.version });
      publish("assistants", { name });
      dialog.close();
      toast(t("{title} has it from version {number} on.", { title: saved.specification?.title ?? name, number: saved.version }), {
        action: t("Examine it"),
        onAction: () => location.assign(`/certification?assistant=${encodeURIComponent(name)}`),
      });
    } catch (error) {
      give.disabled = false;
      toastError(error);
    }
  }
}

/** The text of an assistant with this adapter. @param {string} yaml @param {string} name */
function withAdapter(yaml, name) {
  const text = withTopKey(yaml, "adapter", name);
  if (text !== null) return text;
  return `${yaml}${yaml.endsWith("\n") || !yaml ? "" : "\n"}adapter: ${JSON.stringify(name)}\n`;
}
