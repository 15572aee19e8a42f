/** What can be done with documents and collections: questions first, and a way back after. */

import { h } from "../core/dom.js";
import { confirmDialog, openDialog, promptDialog } from "../core/dialog.js";
import { plural, t } from "../core/i18n.js";
import { toast, toastError } from "../core/toast.js";
import { baseName } from "../sources/kinds.js";
import { openSource } from "../shell/beside.js";

/** @param {import("./shelf.js").Shelf} shelf */
export function makeActions(shelf) {
  const attempt = (work) => work().catch(toastError);

  /** Show a document in the panel, or say why it cannot be shown. */
  function open(entry) {
    if (entry.stage === "failed") return explain(entry);
    if (entry.version_id === null) return void toast(t("This document is not read yet. It can be opened in a moment."));
    openSource({ document_id: entry.id, version_id: entry.version_id, name: entry.name, title: entry.title, url: entry.url });
  }

  function remove(entry) {
    if (!entry) return;
    const name = baseName(entry.name);
    attempt(async () => {
      await shelf.remove(entry);
      toast(t("“{name}” was deleted.", { name }), {
        action: t("Undo"),
        onAction: () => attempt(() => shelf.restore(entry)),
      });
    });
  }

  function readAgain(entry) {
    attempt(async () => {
      await shelf.readAgain(entry);
      toast(t("“{name}” is being read again.", { name: baseName(entry.name) }));
    });
  }

  /** Why a document could not be read, and what can be done. */
  function explain(entry) {
    const again = h("button", { class: "button", type: "button" }, t("Read again"));
    const away = h("button", { class: "button", type: "button" }, t("Delete"));
    const dialog = openDialog({
      title: baseName(entry.name),
      body: h(
        "div",
        { class: "stack" },
        h("p", {}, entry.message ?? t("It could not be read.")),
        h("p", { class: "muted" }, t("A corrected file of the same name takes its place when you add it.")),
      ),
      actions: [away, again],
    });
    again.addEventListener("click", () => {
      dialog.close();
      readAgain(entry);
    });
    away.addEventListener("click", () => {
      dialog.close();
      remove(entry);
    });
    again.focus();
  }

  /** The items of a document's menu. */
  function items(entry) {
    const file = entry.version_id !== null && `/v1/etabli/documents/${entry.id}/versions/${entry.version_id}/file`;
    return [
      { label: entry.stage === "failed" ? t("Why it could not be read") : t("Open"), icon: "eye", run: () => open(entry) },
      entry.url && { label: t("Open in a new tab"), icon: "external-link", run: () => globalThis.open(entry.url, "_blank", "noopener") },
      file && { label: t("Download the original"), icon: "download", href: file, download: true },
      { label: t("Read again"), icon: "refresh-cw", run: () => readAgain(entry) },
      "-",
      { label: t("Delete"), icon: "trash-2", danger: true, run: () => remove(entry) },
    ].filter(Boolean);
  }

  async function create() {
    const name = await promptDialog({
      title: t("New collection"),
      label: t("Name"),
      confirm: t("Create"),
      hint: t("Assistants answer from whole collections: one for each subject or service works well."),
      check: (text) => taken(text),
    });
    if (name === null) return null;
    try {
      const made = await shelf.createCollection(name);
      await shelf.choose(made.id);
      return made;
    } catch (error) {
      toastError(error);
      return null;
    }
  }

  async function rename(collection) {
    const name = await promptDialog({
      title: t("Rename the collection"),
      label: t("Name"),
      value: collection.name,
      confirm: t("Rename"),
      check: (text) => taken(text, collection.id),
    });
    if (name !== null && name !== collection.name) attempt(() => shelf.renameCollection(collection.id, name));
  }

  async function removeCollection(collection) {
    const { name } = collection;
    const sure =
      collection.documents === 0 ||
      (await confirmDialog({
        title: t("Delete “{name}”?", { name }),
        text: plural(
          collection.documents,
          "Its document is no longer found by anyone. What was cited from it stays readable.",
          "Its {count} documents are no longer found by anyone. What was cited from them stays readable.",
        ),
        confirm: t("Delete"),
        danger: true,
      }));
    if (!sure) return;
    attempt(async () => {
      await shelf.removeCollection(collection.id);
      toast(t("“{name}” was deleted.", { name }), {
        action: t("Undo"),
        onAction: () => attempt(() => shelf.restoreCollection(collection.id)),
      });
    });
  }

  function taken(text, except = null) {
    const same = shelf.collections?.some((one) => one.id !== except && one.name.toLowerCase() === text.toLowerCase());
    return same ? t("Another collection has this name.") : null;
  }

  return { open, remove, readAgain, items, collections: { create, rename, remove: removeCollection } };
}
