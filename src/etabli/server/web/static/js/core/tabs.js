/**
 * Tabs by the ARIA pattern: arrows, Home and End move; what is selected is shown.
 *
 *   const tabs = makeTabs(t("Views"), [{id: "form", label: t("Form"), panel: node}, …], {selected: "form", onChange});
 *   parent.append(tabs.list, ...tabs.panels);  tabs.select("yaml");
 */

import { h, uid } from "./dom.js";

/**
 * @param {string} label of the list, for screen readers
 * @param {{id: string, label: string, panel: HTMLElement}[]} items panels get role, id and `hidden`
 * @param {{selected?: string, onChange?: (id: string) => void, class?: string}} [options]
 */
export function makeTabs(label, items, { selected = items[0].id, onChange, class: kind = "tabs" } = {}) {
  const list = h("div", { class: kind, role: "tablist", "aria-label": label });
  const tabs = items.map(({ id, label: name, panel }) => {
    panel.id ||= uid("tabpanel");
    panel.setAttribute("role", "tabpanel");
    const tab = h("button", {
      class: "tab", role: "tab", type: "button", id: uid("tab"), "aria-controls": panel.id, dataset: { id },
      onclick: () => select(id, { told: true }),
    }, name);
    panel.setAttribute("aria-labelledby", tab.id);
    return tab;
  });
  list.append(...tabs);
  list.addEventListener("keydown", (event) => {
    const now = tabs.indexOf(document.activeElement);
    const last = tabs.length - 1;
    const target = {
      ArrowRight: now === last ? 0 : now + 1, ArrowLeft: now <= 0 ? last : now - 1, Home: 0, End: last,
    }[event.key];
    if (now < 0 || target === undefined) return;
    event.preventDefault();
    select(items[target].id, { told: true });
    tabs[target].focus();
  });
  select(selected);
  return { list, panels: items.map((item) => item.panel), select, selected: () => selected };

  function select(id, { told = false } = {}) {
    selected = id;
    items.forEach((item, place) => {
      const on = item.id === id;
      tabs[place].setAttribute("aria-selected", String(on));
      tabs[place].tabIndex = on ? 0 : -1;
      item.panel.hidden = !on;
    });
    if (told) onChange?.(id);
  }
}
