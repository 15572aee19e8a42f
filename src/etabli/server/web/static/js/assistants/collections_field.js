/** The collections that an assistant answers from: boxes to tick, with how many documents each has. */

import { h, replace } from "../core/dom.js";
import { plural, t } from "../core/i18n.js";
import { frame } from "./fields.js";

/** @param {{onEdit: (names: string[]) => void}} options @returns a field, with `load(collections)` */
export function collectionsField({ onEdit }) {
  let known = null;
  let chosen = [];
  const list = h("ul", { class: "check-list", role: "list" });
  const control = h("div", {}, list);
  const field = frame({
    name: "collections",
    label: t("Collections"),
    hint: t(
      "It answers from these documents, and names its sources. Without any, it answers from what the model knows.",
    ),
    control,
    group: true,
  });

  function draw() {
    if (known === null) return replace(list, h("li", { class: "skeleton check-row" }));
    const missing = chosen.filter((name) => !known.some((one) => one.name === name));
    const rows = [...known.map((one) => row(one)), ...missing.map((name) => row({ name, missing: true }))];
    const none = h(
      "li",
      { class: "muted small" },
      t("There are no documents yet."),
      " ",
      h("a", { href: "/documents" }, t("Add documents")),
    );
    return replace(list, rows.length ? rows : none);
  }

  function row({ name, documents, waiting, failed, missing }) {
    const box = h("input", {
      type: "checkbox",
      checked: chosen.includes(name),
      onchange: () => toggle(name, box.checked),
    });
    return h(
      "li",
      {},
      h(
        "label",
        { class: "check check-row" },
        box,
        h("span", { class: "grow" }, name),
        h(
          "span",
          { class: ["tiny numbers", missing ? "field-warning" : "muted"] },
          detail({ documents, waiting, failed, missing }),
        ),
      ),
    );
  }

  function toggle(name, on) {
    chosen = on ? [...chosen, name] : chosen.filter((one) => one !== name);
    onEdit(chosen);
  }

  function set(value) {
    const wanted = Array.isArray(value) ? value.filter((one) => typeof one === "string") : [];
    if (JSON.stringify(wanted) === JSON.stringify(chosen)) return;
    chosen = wanted;
    const boxes = [...list.querySelectorAll("input")];
    if (boxes.length && wanted.every((name) => known?.some((one) => one.name === name))) {
      known.forEach((one, index) => boxes[index] && (boxes[index].checked = wanted.includes(one.name)));
      for (const extra of [...list.children].slice(known.length)) extra.remove();
    } else {
      draw();
    }
  }

  draw();
  return {
    ...field,
    set,
    load(collections) {
      known = collections;
      draw();
    },
  };
}

function detail({ documents, waiting, failed, missing }) {
  if (missing) return t("not there yet");
  const said = [plural(documents, "{count} document", "{count} documents")];
  if (waiting) said.push(plural(waiting, "{count} being read", "{count} being read"));
  if (failed) said.push(plural(failed, "{count} in error", "{count} in error"));
  return said.join(", ");
}
