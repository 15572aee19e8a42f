/** What can be done with a conversation of the list: rename, pin, export, delete with undo. */

import { confirmDialog, promptDialog } from "../core/dialog.js";
import { t } from "../core/i18n.js";
import { toast, toastError } from "../core/toast.js";

/**
 * The menu of one conversation.
 * @param {import("./conversations.js").Conversations} store @param {import("./conversations.js").Conversation} entry
 * @param {{onDeleted: (id: string) => void}} hooks
 * @returns {import("../core/menu.js").MenuItem[]}
 */
export function conversationMenu(store, entry, hooks) {
  const path = `/v1/etabli/conversations/${encodeURIComponent(entry.id)}/export?format=`;
  return [
    { label: t("Rename"), icon: "pencil", keys: "F2", run: () => rename(store, entry) },
    entry.pinned
      ? { label: t("Unpin"), icon: "pin-off", run: () => pin(store, entry, false) }
      : { label: t("Pin"), icon: "pin", run: () => pin(store, entry, true) },
    "-",
    { title: t("Export") },
    { label: "Markdown", icon: "file-text", href: `${path}markdown`, download: true },
    { label: "PDF", icon: "file", href: `${path}pdf`, download: true },
    { label: "JSON", icon: "braces", href: `${path}json`, download: true },
    "-",
    { label: t("Delete"), icon: "trash-2", danger: true, run: () => remove(store, entry, hooks) },
  ];
}

/** Ask for another title. */
export async function rename(store, entry) {
  const title = await promptDialog({
    title: t("Rename the conversation"), label: t("Title"), value: entry.title, confirm: t("Rename"), maxLength: 120,
  });
  if (title !== null && title !== entry.title) await store.change(entry.id, { title }).catch(toastError);
}

async function pin(store, entry, pinned) {
  await store.change(entry.id, { pinned }).catch(toastError);
}

/** Delete, and offer to take it back; an answer that is being written is stopped, so that is asked first. */
export async function remove(store, entry, { onDeleted }) {
  const sure =
    !entry.running ||
    (await confirmDialog({
      title: t("Delete while an answer is being written?"),
      text: t("The answer is stopped. You can take the deletion back for 30 days."),
      confirm: t("Delete"),
      danger: true,
    }));
  if (!sure) return;
  try {
    await store.delete(entry.id);
  } catch (error) {
    return toastError(error);
  }
  onDeleted(entry.id);
  toast(t("“{title}” is deleted.", { title: entry.title }), {
    action: t("Undo"),
    onAction: () => store.restore(entry.id).catch(toastError),
  });
}
