/** Asks for the note of a version, with what it changes. Enter or Ctrl-S saves. */

import { openDialog } from "../core/dialog.js";
import { h, uid } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { countChanges, diffLines } from "./diff.js";
import { changesText, diffView } from "./diff_view.js";

/**
 * @param {{before: string, after: string, version: number}} options version: the newest that is saved; 0: none
 * @returns {Promise<string|null>} the note, which may be empty; null when dismissed
 */
export async function askForNote({ before, after, version }) {
  const input = h("input", {
    class: "input",
    id: uid("note"),
    maxlength: 500,
    autocomplete: "off",
    type: "text",
    placeholder: version ? t("Shorter answers, new example…") : t("First version"),
  });
  const form = h(
    "form",
    { class: "field", id: uid("save") },
    h("label", { class: "field-label", for: input.id }, t("What changed? (optional)")),
    input,
    h("p", { class: "field-hint" }, t("The note stands in the history, where every version can be taken up again.")),
  );
  const { added, removed } = countChanges(diffLines(before, after));
  const changes = version
    ? h(
        "details",
        { class: "save-changes" },
        h(
          "summary",
          {},
          t("Since version {number}: {changes}", { number: version, changes: changesText(added, removed) }),
        ),
        diffView(before, after, { label: t("What this version changes") }),
      )
    : null;
  const no = h("button", { class: "button", type: "button" }, t("Cancel"));
  const yes = h(
    "button",
    { class: "button primary", type: "submit", form: form.id },
    t("Save version {number}", { number: version + 1 }),
  );
  const dialog = openDialog({
    title: version ? t("Save a version") : t("Save the assistant"),
    body: [form, changes],
    actions: [no, yes],
  });
  no.addEventListener("click", () => dialog.close(null));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    dialog.close(input.value.trim());
  });
  dialog.element.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "s") return;
    event.preventDefault();
    dialog.close(input.value.trim());
  });
  input.focus();
  return (await dialog.closed) ?? null;
}
