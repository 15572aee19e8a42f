/** The bar above a conversation: its title (a press renames it), sharing, and a menu with what else can be done. */

import { api } from "../core/api.js";
import { publish } from "../core/channel.js";
import { copyText, showDone } from "../core/clipboard.js";
import { openDialog, promptDialog } from "../core/dialog.js";
import { h, icon, iconButton, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { menuButton } from "../core/menu.js";
import { toast, toastError } from "../core/toast.js";

/**
 * @param {any} conversation a Conversation
 * @param {{onDeleted: () => void, seal: HTMLElement}} options
 * @returns {{draw: () => void, rename: () => void, share: () => void}}
 */
export function chatHeader(conversation, { onDeleted, seal }) {
  const place = document.getElementById("topbar-title");
  const actions = document.getElementById("topbar-actions");
  const menu = iconButton("ellipsis", t("More about this conversation"));
  menuButton(menu, items, { label: t("Conversation"), align: "end" });
  const share = h(
    "button",
    { class: "button quiet small share-button", type: "button", onclick: shareIt, "aria-label": t("Share") },
    icon("share-2", { class: "small" }),
    h("span", { class: "wide-only" }, t("Share")),
  );
  return { draw, rename, share: shareIt };

  function draw() {
    const begun = conversation.id !== null && conversation.entry !== null;
    const title = conversation.title ?? t("New conversation");
    document.title = `${title} · Établi`;
    const button =
      begun &&
      h(
        "button",
        {
          class: "title-button",
          type: "button",
          dataset: { tip: t("Rename") },
          onclick: rename,
          "aria-label": t("Rename “{title}”", { title }),
        },
        h("span", { class: "truncate" }, title),
      );
    replace(place, button);
    replace(actions, seal, begun && [share, menu]);
  }

  async function rename() {
    if (conversation.id === null) return;
    const title = await promptDialog({
      title: t("Rename the conversation"),
      label: t("Title"),
      value: conversation.title ?? "",
      confirm: t("Rename"),
    });
    if (title) await conversation.rename(title).catch(toastError);
  }

  function items() {
    const exported = (format) =>
      `/v1/etabli/conversations/${encodeURIComponent(conversation.id)}/export?format=${format}`;
    return [
      { label: t("Rename"), icon: "pencil", run: rename },
      { label: t("Share"), icon: "share-2", run: shareIt },
      "-",
      { title: t("Export") },
      { label: "Markdown", icon: "file-text", href: exported("markdown"), download: true },
      { label: "PDF", icon: "file", href: exported("pdf"), download: true },
      { label: "JSON", icon: "braces", href: exported("json"), download: true },
      "-",
      { label: t("Delete"), icon: "trash-2", danger: true, run: remove },
    ];
  }

  async function remove() {
    const { id, title } = conversation;
    try {
      await api.del(`/v1/etabli/conversations/${encodeURIComponent(id)}`);
    } catch (error) {
      return toastError(error);
    }
    publish("conversation", { id, change: "deleted" });
    onDeleted();
    toast(t("“{title}” is deleted.", { title: title ?? t("New conversation") }), {
      action: t("Undo"),
      onAction: async () => {
        try {
          await api.post(`/v1/etabli/conversations/${encodeURIComponent(id)}/restore`);
          publish("conversation", { id, change: "restored" });
        } catch (error) {
          toastError(error);
        }
      },
    });
  }

  async function shareIt() {
    const { id } = conversation;
    if (id === null) return;
    let url;
    try {
      url = (await api.post(`/v1/etabli/conversations/${encodeURIComponent(id)}/share`)).url;
    } catch (error) {
      return toastError(error);
    }
    const field = h("input", {
      class: "input",
      readOnly: true,
      value: new URL(url, location.href).href,
      "aria-label": t("Link"),
      type: "text",
    });
    const copy = h(
      "button",
      {
        class: "button primary",
        type: "button",
        onclick: async () => (await copyText(field.value)) && showDone(copy, t("Copied")),
      },
      icon("copy", { class: "small" }),
      t("Copy the link"),
    );
    const stop = h("button", { class: "button", type: "button" }, t("Stop sharing"));
    const dialog = openDialog({
      title: t("Share this conversation"),
      body: h(
        "div",
        { class: "stack", style: { "--gap": "var(--s3)" } },
        h(
          "p",
          null,
          t(
            "People of this installation who are signed in can read it as it is now. What comes later is not in it; to share that too, share again.",
          ),
        ),
        field,
      ),
      actions: [stop, copy],
    });
    field.select();
    stop.addEventListener("click", async () => {
      try {
        await api.del(`/v1/etabli/conversations/${encodeURIComponent(id)}/share`);
        dialog.close();
        toast(t("It is not shared any more."));
      } catch (error) {
        toastError(error);
      }
    });
  }
}
