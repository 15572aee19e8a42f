/**
 * Fields of the form: label, hint, control, and what is wrong with it, tied together for screen readers.
 *
 * Every field is {name, element, set(value), show(faults, warnings), focus()}; it calls `onEdit(value)`.
 */

import { h, replace, uid } from "../core/dom.js";

/**
 * The frame of a field. @param {{name: string, label: string, hint?: any, control: HTMLElement, group?: boolean}} options
 *   group: several controls in one, such as a list of boxes
 */
export function frame({ name, label, hint, control, group = false }) {
  const hintElement = hint ? h("p", { class: "field-hint", id: uid("hint") }, hint) : null;
  const fault = h("div", { class: "field-faults", id: uid("fault") });
  const described = [hintElement?.id, fault.id].filter(Boolean).join(" ");
  control.setAttribute("aria-describedby", described);
  control.id ||= uid(name);
  const heading = group
    ? h("legend", { class: "field-label" }, label)
    : h("label", { class: "field-label", for: control.id }, label);
  const children = [heading, hintElement, control, fault];
  const element = h(group ? "fieldset" : "div", { class: "field", dataset: { field: name } }, children);

  function show(faults, warnings = []) {
    if (!group) control.setAttribute("aria-invalid", String(faults.length > 0));
    replace(
      fault,
      faults.map((one) => h("p", { class: "field-error" }, one.message)),
      faults.length ? null : warnings.map((one) => h("p", { class: "field-warning" }, one.message)),
    );
  }
  return { name, element, fault, show, focus: () => focusFirst(control) };
}

/**
 * One line of text. @param {{name: string, label: string, hint?: any, onEdit: (value: string) => void,
 *   placeholder?: string, mono?: boolean, maxLength?: number}} options
 */
export function textField({ name, label, hint, onEdit, placeholder, mono, maxLength }) {
  const control = h("input", {
    class: ["input", mono && "mono"],
    type: "text",
    placeholder,
    maxlength: maxLength,
    autocomplete: "off",
    spellcheck: mono ? "false" : null,
    oninput: () => onEdit(control.value),
  });
  return withValue(frame({ name, label, hint, control }), control);
}

/** Several lines. @param {{name: string, label: string, hint?: any, onEdit: Function, rows?: number}} options */
export function longField({ name, label, hint, onEdit, placeholder, class: kind = "" }) {
  const control = h("textarea", {
    class: `textarea ${kind}`.trim(),
    placeholder,
    oninput: () => onEdit(control.value),
  });
  return withValue(frame({ name, label, hint, control }), control);
}

/**
 * A number. Empty means the default, which is the placeholder.
 * @param {{name: string, label: string, hint?: any, onEdit: (value: any) => void, min: number, max: number, step?: number,
 *   empty: any, placeholder?: string}} options empty: the value for nothing
 */
export function numberField({ name, label, hint, onEdit, min, max, step = 1, empty, placeholder }) {
  const read = () => {
    if (control.value === "") return control.validity.badInput ? "?" : empty;
    const value = Number(control.value);
    return step === 1 && !Number.isInteger(value) ? control.value : value;
  };
  const control = h("input", {
    class: "input numbers",
    type: "number",
    step: step === 1 ? "1" : "any",
    inputmode: step === 1 ? "numeric" : "decimal",
    placeholder,
    oninput: () => onEdit(read()),
  });
  control.min = String(min);
  if (max !== undefined) control.max = String(max);
  const field = frame({ name, label, hint, control });
  const set = (value) => {
    if (read() !== value) control.value = value === null || value === undefined ? "" : String(value);
  };
  return { ...field, set };
}

/** A choice among few. @param {{name: string, label: string, hint?: any, onEdit: Function, choices: [any, string][]}} options */
export function choiceField({ name, label, hint, onEdit, choices }) {
  const control = h("select", { class: "select", onchange: () => onEdit(control.value) });
  control.append(...choices.map(([value, text]) => h("option", { value }, text)));
  return withValue(frame({ name, label, hint, control }), control);
}

/** Yes or no. @param {{name: string, label: string, hint?: any, onEdit: (value: boolean) => void}} options */
export function switchField({ name, label, hint, onEdit }) {
  const control = h("input", {
    class: "switch",
    type: "checkbox",
    role: "switch",
    id: uid(name),
    onchange: () => onEdit(control.checked),
  });
  const hintElement = hint ? h("p", { class: "field-hint", id: uid("hint") }, hint) : null;
  const fault = h("div", { class: "field-faults", id: uid("fault") });
  control.setAttribute("aria-describedby", [hintElement?.id, fault.id].filter(Boolean).join(" "));
  const words = h(
    "div",
    { class: "grow" },
    h("label", { class: "field-label", for: control.id }, label),
    hintElement,
    fault,
  );
  const element = h("div", { class: "switch-field", dataset: { field: name } }, control, words);
  return {
    name,
    element,
    set: (value) => void (control.checked = value === true),
    show: (faults) =>
      replace(
        fault,
        faults.map((one) => h("p", { class: "field-error" }, one.message)),
      ),
    focus: () => control.focus(),
  };
}

function withValue(field, control) {
  const set = (value) => {
    const text = value ?? "";
    if (control.value !== text) control.value = text;
  };
  return { ...field, control, set };
}

function focusFirst(control) {
  const target = control.matches("input, textarea, select, button")
    ? control
    : control.querySelector("input, textarea, button");
  target?.focus();
}

/**
 * A field of several, whose faults stand at the part that they name.
 * @param {{name: string, label: string, hint?: any, style: string, parts: any[], set: (wanted: any) => void}} options
 */
export function groupField({ name, label, hint, style, parts, set }) {
  const control = h(
    "div",
    { class: style },
    parts.map((one) => one.element),
  );
  const field = frame({ name, label, hint, control, group: true });
  return {
    ...field,
    set,
    show(faults, warnings) {
      for (const one of parts) one.show(faults.filter((fault) => fault.field === one.name));
      const known = new Set(parts.map((one) => one.name));
      field.show(
        faults.filter((fault) => !known.has(fault.field)),
        warnings,
      );
    },
    focus: () => parts[0].focus(),
  };
}
