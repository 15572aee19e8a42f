/** The help of the keyboard: every command that has keys, by group. */

import { h } from "../core/dom.js";
import { openDialog } from "../core/dialog.js";
import { t } from "../core/i18n.js";
import { available, keyNames } from "../core/shortcuts.js";

let open = false;

/** Open it. */
export function openKeys() {
  if (open) return;
  const groups = new Map();
  for (const command of available()) {
    if (!command.keys) continue;
    const name = command.group ?? t("Everywhere");
    groups.set(name, [...(groups.get(name) ?? []), command]);
  }
  const body = [...groups].map(([name, commands]) =>
    h(
      "section",
      {},
      h("h3", { class: "keys-group" }, name),
      h(
        "dl",
        { class: "keys-list" },
        commands.map(({ title, keys }) => [
          h("dt", {}, title),
          h("dd", {}, keyNames(keys).map((key) => h("kbd", { class: "kbd" }, key))),
        ]),
      ),
    ),
  );
  open = true;
  openDialog({ title: t("Keyboard shortcuts"), body: h("div", { class: "stack" }, body), onClose: () => (open = false) });
}
