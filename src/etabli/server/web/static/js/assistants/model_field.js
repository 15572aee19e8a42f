/** The model of an assistant: the one that answers now, or one that is installed. */

import { h, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { frame } from "./fields.js";

/** @param {{onEdit: (name: string|null) => void}} options @returns a field, with `load(shelf)` */
export function modelField({ onEdit }) {
  let shelf = null;
  let value = null;
  const control = h("select", {
    class: "select",
    onchange: () => {
      value = control.value || null;
      say();
      onEdit(value);
    },
  });
  const words = h("span", {});
  const field = frame({
    name: "model",
    label: t("Model"),
    hint: h("span", {}, words, " ", h("a", { href: "/models" }, t("All models"))),
    control,
  });

  function draw() {
    const installed = shelf?.data.filter((one) => one.installed) ?? [];
    const options = installed.map((one) => h("option", { value: one.name }, one.title || one.name));
    if (value && !installed.some((one) => one.name === value)) {
      const name = shelf ? t("{name} (not installed)", { name: value }) : value;
      options.push(h("option", { value }, name));
    }
    const usual = shelf
      ? t("The one that answers now ({name})", { name: shelf.active })
      : t("The one that answers now");
    replace(control, h("option", { value: "" }, usual), options);
    control.value = value ?? "";
    say();
  }

  function say() {
    const one = shelf?.data.find((each) => each.name === (value ?? shelf.active));
    const fallback = value ? t("It is not on this machine yet.") : t("It changes with the model of the installation.");
    replace(words, value && one ? one.can_run.sentence : fallback);
  }

  draw();
  return {
    ...field,
    set(wanted) {
      const name = typeof wanted === "string" ? wanted : null;
      if (name === value) return;
      value = name;
      draw();
    },
    load(given) {
      shelf = given;
      draw();
    },
  };
}
