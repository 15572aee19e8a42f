/**
 * The three parts of the builder: beside each other where there is room, else one at a time under tabs.
 * data-layout on the element: "tabs", "two" (form; text above the chat) or "three".
 */

import { h } from "../core/dom.js";
import { makeTabs } from "../core/tabs.js";

const TWO_FROM = 900;
const THREE_FROM = 1500;

/**
 * @param {string} label of the tabs
 * @param {{id: string, label: string, element: HTMLElement}[]} parts
 * @returns {{element: HTMLElement, show: (id: string) => void}}
 */
export function makePanes(label, parts) {
  const panels = parts.map(({ id, element }) => h("div", { class: `builder-pane builder-pane-${id}` }, element));
  const tabs = makeTabs(
    label,
    parts.map((part, index) => ({ ...part, panel: panels[index] })),
  );
  const element = h("div", { class: "builder-panes" }, tabs.list, panels);
  let layout = "";

  function arrange(width) {
    const wanted = width < TWO_FROM ? "tabs" : width < THREE_FROM ? "two" : "three";
    if (wanted === layout) return;
    layout = element.dataset.layout = wanted;
    const alone = wanted === "tabs";
    tabs.list.hidden = !alone;
    for (const panel of panels) {
      if (alone) panel.setAttribute("role", "tabpanel");
      else panel.removeAttribute("role");
      if (!alone) panel.hidden = false;
    }
    if (alone) tabs.select(tabs.selected());
  }

  arrange(innerWidth);
  new ResizeObserver(([entry]) => arrange(entry.contentRect.width)).observe(element);
  return { element, show: (id) => layout === "tabs" && tabs.select(id) };
}
