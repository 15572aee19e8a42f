/**
 * Makes DOM nodes. Text only ever becomes text: there is no way from a string to markup here, and attributes that
 * could run something are refused.
 */

const SVG = "http://www.w3.org/2000/svg";
const SPRITE = new URL("../../icons/sprite.svg", import.meta.url).pathname;
const FORBIDDEN_TAGS = new Set(["script", "style", "iframe", "object", "embed", "base", "link", "meta", "frame"]);
const ADDRESSES = new Set(["href", "src", "action", "formaction", "poster"]);
const SAFE_SCHEMES = new Set(["http:", "https:", "mailto:", "tel:", "blob:"]);
const PROPERTIES = new Set([
  "value", "checked", "selected", "disabled", "indeterminate", "hidden", "open", "readOnly", "multiple", "files",
  "scrollTop", "autofocus", "required", "textContent", "returnValue", "inert", "tabIndex", "max", "min",
]);
let counter = 0;

/**
 * Make an element: `h("button", {class: "button primary", onclick: save}, icon("save"), t("Save"))`.
 * @param {string} tag name of an HTML element or custom element
 * @param {Object<string, any>|null} [props] attributes; `on…` functions are listeners; `class` takes a string or a list;
 *   `dataset` and `style` take objects (styles are set one by one, as the security policy wants); null, undefined and
 *   false leave an attribute out.
 * @param {...any} children nodes, strings, numbers, lists of them; null, undefined and false are left out
 * @returns {HTMLElement}
 */
export function h(tag, props, ...children) {
  if (FORBIDDEN_TAGS.has(tag.toLowerCase())) throw new TypeError(`<${tag}> is not made by scripts`);
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props ?? {})) setProp(element, name, value);
  element.append(...flat(children));
  return element;
}

/** Set one property of `h` on an element that is there already. @param {Element} element @param {string} name */
export function setProp(element, name, value) {
  if (name.startsWith("on")) {
    if (typeof value === "function") element.addEventListener(name.slice(2).toLowerCase(), value);
    else if (value != null && value !== false) throw new TypeError(`${name} must be a function`);
  } else if (name === "class") {
    const names = Array.isArray(value) ? value.filter(Boolean).join(" ") : value;
    if (names) element.setAttribute("class", names);
  } else if (name === "dataset") {
    for (const [key, item] of Object.entries(value ?? {})) if (item != null) element.dataset[key] = String(item);
  } else if (name === "style") {
    for (const [key, item] of Object.entries(value ?? {})) element.style.setProperty(key, String(item));
  } else if (name === "srcdoc" || name === "ping") {
    throw new TypeError(`${name} is not set by scripts`);
  } else if (ADDRESSES.has(name.toLowerCase())) {
    if (value != null && value !== false && isSafeAddress(String(value))) element.setAttribute(name, String(value));
  } else if (PROPERTIES.has(name) && name in element) {
    if (value != null) element[name] = value;
  } else if (value === true) {
    element.setAttribute(name, "");
  } else if (value != null && value !== false) {
    element.setAttribute(name, String(value));
  }
}

/** Whether an address leads to a page or a picture, and runs nothing. @param {string} address */
export function isSafeAddress(address) {
  try {
    return SAFE_SCHEMES.has(new URL(address, location.href).protocol);
  } catch {
    return false;
  }
}

/** Children in their place: everything that was in `node` goes. @param {Element} node @param {...any} children */
export function replace(node, ...children) {
  node.replaceChildren(...flat(children));
  return node;
}

/** Several nodes as one. @param {...any} children @returns {DocumentFragment} */
export function fragment(...children) {
  const result = document.createDocumentFragment();
  result.append(...flat(children));
  return result;
}

/**
 * An icon of the sprite; decorative, so hidden from screen readers.
 * @param {string} name @param {{class?: string}} [options]
 * @returns {SVGSVGElement}
 */
export function icon(name, options = {}) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon ${options.class ?? ""}`.trim());
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${SPRITE}#${name}`);
  svg.append(use);
  return svg;
}

/**
 * A button that shows only an icon; its label is read out and shown as a tooltip.
 * @param {string} name of the icon @param {string} label @param {Object<string, any>} [props] more, as for `h`
 * @returns {HTMLButtonElement}
 */
export function iconButton(name, label, props = {}) {
  const { class: more = "", ...rest } = props;
  const shown = { type: "button", "aria-label": label, dataset: { tip: label }, ...rest };
  return h("button", { ...shown, class: `icon-button ${more}`.trim() }, icon(name));
}

/** The modal dialog that lies over everything, or null. @returns {HTMLDialogElement|null} */
export function topDialog() {
  return [...document.querySelectorAll("dialog:modal")].at(-1) ?? null;
}

/** Text for screen readers only. @param {string} text */
export function hiddenText(text) {
  return h("span", { class: "visually-hidden" }, text);
}

/** An id that no other element of the page has. @param {string} [prefix] */
export function uid(prefix = "id") {
  counter += 1;
  return `${prefix}-${counter}`;
}

/** Whether keys typed now are text for a field. @param {EventTarget|null} target */
export function isTyping(target) {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement) return true;
  if (target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type);
}

function flat(children) {
  return children.flat(Infinity).filter((child) => child != null && child !== false && child !== true && child !== "");
}
