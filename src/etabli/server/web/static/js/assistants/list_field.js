/**
 * A list that is added to, taken from and put in order: first questions (one text a row), examples (two).
 * Alt+Up and Alt+Down in a row move it; Enter in the last line adds one. Rows left empty do not count.
 */

import { h, iconButton, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { frame } from "./fields.js";

/**
 * @param {{name: string, label: string, hint?: any, add: string, row: string, parts: {key: string|null, label: string,
 *   placeholder?: string, long?: boolean}[], onEdit: (value: any[]) => void}} options
 *   add: of the button; row: what one is called, with {number}; parts: key null: the entry is the text itself
 */
export function listField({ name, label, hint, add, row: rowName, parts, onEdit }) {
  let rows = [];
  const list = h("ol", { class: "list-rows", role: "list" });
  const button = h(
    "button",
    { type: "button", class: "button small list-add", onclick: () => addRow({ focus: true }) },
    add,
  );
  const control = h("div", { class: "list-field" }, list, button);
  const field = frame({ name, label, hint, control, group: true });

  function addRow({ values = {}, focus = false, after = rows.length } = {}) {
    const one = makeRow(values);
    rows.splice(after, 0, one);
    list.insertBefore(one.element, list.children[after] ?? null);
    number();
    if (focus) one.controls[0].focus();
    return one;
  }

  function makeRow(values) {
    const faults = parts.map(() => h("p", { class: "field-error", hidden: true }));
    const controls = parts.map((part) => {
      const control = h(part.long ? "textarea" : "input", {
        class: part.long ? "textarea list-long" : "input",
        placeholder: part.placeholder,
        oninput: () => edited(),
        autocomplete: "off",
        type: part.long ? null : "text",
      });
      control.value = values[part.key ?? ""] ?? "";
      return control;
    });
    const up = iconButton("arrow-up", t("Move up"), { class: "small", onclick: () => move(one, -1, up) });
    const down = iconButton("arrow-down", t("Move down"), { class: "small", onclick: () => move(one, 1, down) });
    const remove = iconButton("x", t("Remove"), { class: "small", onclick: () => removeRow(one) });
    const place = h("span", { class: "list-number numbers muted", "aria-hidden": "true" });
    const element = h(
      "li",
      { class: "list-row" },
      place,
      h(
        "div",
        { class: "grow stack list-controls" },
        controls.map((control, index) => [control, faults[index]]),
      ),
      h("div", { class: "list-buttons" }, up, down, remove),
    );
    const one = { element, controls, faults, up, down, remove, place };
    element.addEventListener("keydown", (event) => keys(event, one));
    return one;
  }

  function keys(event, one) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.altKey && step) {
      event.preventDefault();
      move(one, step, event.target);
    } else if (event.key === "Enter" && event.target instanceof HTMLInputElement && !event.isComposing) {
      event.preventDefault();
      if (event.target.value.trim()) addRow({ focus: true, after: rows.indexOf(one) + 1 });
    }
  }

  function move(one, step, focus) {
    const from = rows.indexOf(one);
    const to = from + step;
    if (to < 0 || to >= rows.length) return;
    rows.splice(from, 1);
    rows.splice(to, 0, one);
    list.insertBefore(one.element, rows[to + 1]?.element ?? null);
    number();
    (focus.disabled ? one.controls[0] : focus).focus();
    announce(t("Now at place {number}.", { number: to + 1 }));
    edited();
  }

  function removeRow(one) {
    const place = rows.indexOf(one);
    rows.splice(place, 1);
    one.element.remove();
    number();
    (rows[place]?.controls[0] ?? rows[place - 1]?.controls[0] ?? button).focus();
    edited();
  }

  function number() {
    rows.forEach((one, index) => {
      const name = rowName.replace("{number}", String(index + 1));
      replace(one.place, String(index + 1));
      one.up.disabled = index === 0;
      one.down.disabled = index === rows.length - 1;
      one.controls.forEach((control, part) => {
        control.setAttribute("aria-label", parts.length > 1 ? `${name}\u00a0— ${parts[part].label}` : name);
      });
      for (const [which, label] of [
        ["up", t("Move up")],
        ["down", t("Move down")],
        ["remove", t("Remove")],
      ]) {
        one[which].setAttribute("aria-label", `${label}\u00a0— ${name}`);
      }
    });
  }

  const isFilled = (one) => one.controls.some((control) => control.value.trim() !== "");
  const valueOf = (one) => {
    if (parts[0].key === null) return one.controls[0].value;
    return Object.fromEntries(parts.map((part, index) => [part.key, one.controls[index].value]));
  };
  const read = () => rows.filter(isFilled).map(valueOf);
  const edited = () => onEdit(read());

  function set(value) {
    const wanted = Array.isArray(value) ? value : [];
    if (JSON.stringify(wanted) === JSON.stringify(read())) return;
    rows = [];
    replace(list);
    for (const entry of wanted) addRow({ values: parts[0].key === null ? { "": entry } : entry });
  }

  function show(faults, warnings) {
    const filled = rows.filter(isFilled);
    for (const one of rows) one.faults.forEach((fault) => (fault.hidden = true));
    const rest = faults.filter((one) => {
      const [, index, key] = one.field?.split(".") ?? [];
      const row = filled[Number(index)];
      const part =
        row &&
        Math.max(
          0,
          parts.findIndex((each) => each.key === key),
        );
      if (!row) return true;
      replace(row.faults[part], one.message).hidden = false;
      return false;
    });
    for (const one of rows) {
      one.controls.forEach((control, index) => control.setAttribute("aria-invalid", String(!one.faults[index].hidden)));
    }
    field.show(rest, warnings);
  }

  return { ...field, set, show, focus: () => (rows[0]?.controls[0] ?? button).focus() };
}
