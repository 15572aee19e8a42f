/**
 * Menus and popovers, placed beside a button, in the top layer. A menu follows the ARIA pattern: arrows, Home, End, first
 * letters, Enter, Escape (which gives the focus back), Tab closes.
 */

import { h, icon, uid } from "./dom.js";

const GAP = 6;
const EDGE = 8;
let open = null;

/**
 * @typedef {{label: string, icon?: string, run?: () => void, href?: string, danger?: boolean, disabled?: boolean,
 *   checked?: boolean, keys?: string, download?: boolean, mark?: Node}|"-"|{title: string}} MenuItem "-": a line; checked
 *   given: a choice among others; mark: beside the label
 */

/**
 * Open a menu at a button; a second call closes it.
 * @param {HTMLElement} anchor @param {MenuItem[]} items
 * @param {{label?: string, align?: "start"|"end", onClose?: () => void}} [options] label: for screen readers
 */
export function openMenu(anchor, items, { label, align = "start", onClose } = {}) {
  if (open?.anchor === anchor) return open.close();
  const buttons = [];
  const element = h("div", { class: "popover menu", role: "menu", "aria-label": label ?? anchor.textContent.trim() });
  for (const item of items) element.append(drawItem(item, buttons));
  element.addEventListener("keydown", (event) => moveInMenu(event, buttons));
  const shown = openPopover(anchor, element, { align, onClose, haspopup: "menu" });
  (buttons.find((one) => one.getAttribute("aria-checked") === "true") ?? buttons[0])?.focus();
  return shown;

  function drawItem(item, list) {
    if (item === "-") return h("div", { class: "menu-line", role: "separator" });
    if (item.title) return h("div", { class: "menu-title", role: "presentation" }, item.title);
    const choice = item.checked !== undefined;
    const button = h(
      item.href ? "a" : "button",
      {
        class: ["menu-item", item.danger && "danger"],
        role: choice ? "menuitemradio" : "menuitem",
        "aria-checked": choice ? String(item.checked) : null,
        "aria-disabled": item.disabled ? "true" : null,
        type: item.href ? null : "button",
        href: item.href,
        download: item.download,
        tabindex: "-1",
        onclick: (event) => {
          if (item.disabled) return event.preventDefault();
          open?.close();
          item.run?.();
        },
        onpointermove: () => document.activeElement !== button && button.focus({ preventScroll: true }),
      },
      item.icon && icon(item.icon),
      h("span", { class: "grow" }, item.label),
      item.mark,
      item.keys && h("span", { class: "kbd", "aria-hidden": "true" }, item.keys),
      choice && item.checked && icon("check", { class: "check-mark small" }),
    );
    list.push(button);
    return button;
  }
}

/**
 * Show any content beside an element until Escape, a click elsewhere, or `close`.
 * @param {HTMLElement} anchor @param {HTMLElement} element gets the class `popover` if it has not
 * @param {{align?: "start"|"end", onClose?: () => void, haspopup?: string, focus?: boolean}} [options] focus: give the
 *   focus back to the anchor at the end (yes unless said)
 * @returns {{element: HTMLElement, close: () => void, place: () => void}}
 */
export function openPopover(anchor, element, { align = "start", onClose, haspopup = "dialog", focus = true } = {}) {
  open?.close();
  element.classList.add("popover");
  element.id ||= uid("popover");
  element.setAttribute("popover", "manual");
  // Inside a modal dialog everything else of the page is inert; elsewhere it belongs to the landmark of its button.
  (anchor.closest("dialog, main, aside, [role=navigation]") ?? document.body).append(element);
  anchor.setAttribute("aria-expanded", "true");
  anchor.setAttribute("aria-haspopup", haspopup);
  anchor.setAttribute("aria-controls", element.id);
  element.showPopover();
  const place = () => placeBeside(anchor, element, align);
  place();
  // What comes later, such as a seal beside a choice, may make it grow.
  const grown = new ResizeObserver(() => requestAnimationFrame(() => open === state && place()));
  grown.observe(element);

  const state = { anchor, element, close, place };
  const outside = (event) => {
    if (!element.contains(event.target) && !anchor.contains(event.target)) close({ back: false });
  };
  const keys = (event) => {
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close();
    } else if (event.key === "Tab" && haspopup === "menu") {
      close();
    }
  };
  document.addEventListener("pointerdown", outside, true);
  document.addEventListener("keydown", keys, true);
  addEventListener("resize", place);
  addEventListener("scroll", place, true);
  open = state;
  return state;

  function close({ back = focus } = {}) {
    if (open !== state) return;
    open = null;
    document.removeEventListener("pointerdown", outside, true);
    document.removeEventListener("keydown", keys, true);
    removeEventListener("resize", place);
    removeEventListener("scroll", place, true);
    grown.disconnect();
    const hadFocus = element.contains(document.activeElement);
    element.remove();
    anchor.setAttribute("aria-expanded", "false");
    anchor.removeAttribute("aria-controls");
    if (back && (hadFocus || haspopup === "menu") && anchor.isConnected) anchor.focus({ preventScroll: true });
    onClose?.();
  }
}

/**
 * Put a fixed element below (or, where there is no room, above) another, inside the window.
 * @param {Element} anchor @param {HTMLElement} element @param {"start"|"end"|"center"} [align]
 */
export function placeBeside(anchor, element, align = "start") {
  const box = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = element;
  const below = innerHeight - box.bottom - GAP - EDGE;
  const above = box.top - GAP - EDGE;
  const top = height <= below || below >= above ? box.bottom + GAP : box.top - GAP - height;
  const wanted = { start: box.left, end: box.right - width, center: (box.left + box.right - width) / 2 }[align];
  element.style.setProperty("left", `${clamp(wanted, EDGE, innerWidth - width - EDGE)}px`);
  element.style.setProperty("top", `${clamp(top, EDGE, innerHeight - height - EDGE)}px`);
}

/** Make a button open a menu. @param {HTMLElement} button @param {() => MenuItem[]} items made at each opening */
export function menuButton(button, items, options = {}) {
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => openMenu(button, items(), options));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    openMenu(button, items(), options);
  });
  return button;
}

function moveInMenu(event, buttons) {
  const now = buttons.indexOf(document.activeElement);
  const last = buttons.length - 1;
  const target = {
    ArrowDown: now === last ? 0 : now + 1,
    ArrowUp: now <= 0 ? last : now - 1,
    Home: 0,
    End: last,
  }[event.key];
  if (target !== undefined) {
    event.preventDefault();
    buttons[target]?.focus();
  } else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
    const letter = event.key.toLowerCase();
    const order = [...buttons.slice(now + 1), ...buttons.slice(0, now + 1)];
    order.find((one) => one.textContent.trim().toLowerCase().startsWith(letter))?.focus();
  }
}

function clamp(value, low, high) {
  return Math.max(low, Math.min(value, high));
}
