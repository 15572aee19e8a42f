/** The adapter of an assistant: none, or one that a person approved. It is not shown where there is none to choose. */

import { h, icon, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { adapterTitle } from "../training/words.js";
import { frame } from "./fields.js";

/** @param {{onEdit: (name: string|null) => void}} options @returns a field, with `load(adapters)` */
export function adapterField({ onEdit }) {
  let known = [];
  let value = null;
  let saved;
  const control = h("select", {
    class: "select",
    onchange: () => {
      value = control.value || null;
      say();
      onEdit(value);
    },
  });
  const words = h("span", {});
  const note = h("div", { class: "banner weak", hidden: true }, icon("shield-alert"), h("p", {}, t("With another adapter its certificate no longer holds: it has to be examined again.")));
  const field = frame({
    name: "adapter",
    label: t("Adapter"),
    hint: h("span", {}, words, " ", h("a", { href: "/training" }, t("All adapters"))),
    control,
  });
  field.element.append(note);

  function draw() {
    const approved = known.filter((one) => one.state === "approved");
    const options = approved.map((one) => h("option", { value: one.name }, t("{name}, on {base}", { name: adapterTitle(one.name), base: one.base })));
    if (value && !approved.some((one) => one.name === value)) options.push(h("option", { value }, t("{name} (not approved)", { name: value })));
    replace(control, h("option", { value: "" }, t("None")), options);
    control.value = value ?? "";
    field.element.hidden = !approved.length && !value;
    say();
  }

  function say() {
    const one = known.find((each) => each.name === value);
    const text = one ? t("Trained on {base}: the assistant has to run on it.", { base: one.base }) : t("What a model learned from examples: a form or a manner.");
    replace(words, text);
    note.hidden = saved === undefined || value === saved;
  }

  draw();
  return {
    ...field,
    set(wanted) {
      const name = typeof wanted === "string" ? wanted : null;
      if (saved === undefined) saved = name;
      if (name === value) return;
      value = name;
      draw();
    },
    load(given) {
      known = given;
      draw();
    },
  };
}
