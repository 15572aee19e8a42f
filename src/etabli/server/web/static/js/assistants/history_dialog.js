/**
 * The versions of an assistant: a list, and beside it what a version changed or how it differs from what is written now.
 * Up and Down move in the list.
 */

import { api } from "../core/api.js";
import { openDialog } from "../core/dialog.js";
import { h, replace } from "../core/dom.js";
import { formatDate, t } from "../core/i18n.js";
import { diffView } from "./diff_view.js";
import { kindText } from "./versions.js";

/**
 * @param {{name: string, versions: any[], current: string}} options current: the text in the editor
 * @returns {Promise<number|null>} the version to restore; null: none
 */
export async function chooseVersion({ name, versions, current }) {
  const texts = new Map();
  const textOf = async (number) => {
    if (!number) return "";
    if (!texts.has(number))
      texts.set(number, api.get(`/v1/etabli/assistants/${encodeURIComponent(name)}/versions/${number}`));
    return (await texts.get(number)).yaml;
  };
  let chosen = versions[0];
  let against = "before";

  const detail = h("div", { class: "history-detail" });
  const buttons = versions.map((one) =>
    h(
      "button",
      { type: "button", class: "history-row", onclick: () => choose(one) },
      h(
        "span",
        { class: "row" },
        h("strong", { class: "numbers" }, t("Version {number}", { number: one.number })),
        one === versions[0] && h("span", { class: "badge accent" }, t("newest")),
      ),
      h("span", { class: "small" }, one.note || kindText(one)),
      h("span", { class: "tiny muted" }, formatDate(one.saved_at, "full")),
    ),
  );
  const list = h(
    "div",
    {
      class: "history-list",
      role: "group",
      "aria-label": t("Versions, the newest first"),
      onkeydown: (event) => keys(event),
    },
    buttons,
  );
  const modes = [
    ["before", t("What it changed")],
    ["current", t("Difference to now")],
  ].map(([id, label]) => h("button", { type: "button", dataset: { id }, onclick: () => compareWith(id) }, label));
  const restore = h(
    "button",
    { type: "button", class: "button primary", onclick: () => dialog.close(chosen.number) },
    t("Restore this version"),
  );
  const dialog = openDialog({
    title: t("History"),
    wide: true,
    class: "history-dialog",
    body: h(
      "div",
      { class: "history" },
      list,
      h(
        "div",
        { class: "history-main" },
        h("div", { class: "segmented", role: "group", "aria-label": t("Compare with") }, modes),
        detail,
      ),
    ),
    actions: [restore],
  });
  choose(chosen);
  buttons[0]?.focus();
  return (await dialog.closed) ?? null;

  function keys(event) {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const target = step && buttons[buttons.indexOf(document.activeElement) + step];
    if (!target) return;
    event.preventDefault();
    target.focus();
    target.click();
  }

  function compareWith(id) {
    against = id;
    draw();
  }

  function choose(version) {
    chosen = version;
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String(versions[index] === version)));
    draw();
  }

  async function draw() {
    const version = chosen;
    const mode = against;
    for (const button of modes) button.setAttribute("aria-pressed", String(button.dataset.id === mode));
    restore.disabled = version === versions[0] || version.kind === "deleted";
    replace(detail, h("span", { class: "skeleton" }));
    try {
      const earlier = versions.find((one) => one.number < version.number);
      const mine = await textOf(version.number);
      const other = mode === "before" ? await textOf(earlier?.number) : current;
      if (version !== chosen || mode !== against) return;
      const view =
        mode === "before"
          ? diffView(other, mine, { label: t("What version {number} changed", { number: version.number }) })
          : diffView(mine, other, {
              label: t("From version {number} to what is written now", { number: version.number }),
            });
      replace(detail, view);
    } catch (error) {
      replace(detail, h("p", { class: "field-error" }, error.message));
    }
  }
}
