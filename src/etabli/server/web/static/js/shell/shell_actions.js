/** What the keys and the palette can do on every page. The palette and the help are loaded when first asked for. */

import { subscribe } from "../core/channel.js";
import { language, t } from "../core/i18n.js";
import { provide, register } from "../core/shortcuts.js";
import { setLanguage, setTheme, shownTheme } from "../core/theme.js";
import { toastError } from "../core/toast.js";

/** Show what can be done, to choose by typing. */
export async function showPalette() {
  const { openPalette } = await import("./palette.js");
  openPalette();
}

/** Show the keys. */
export async function showKeys() {
  const { openKeys } = await import("./keys.js");
  openKeys();
}

/** To a new conversation; without loading a page where the chat is the page. */
export function newConversation() {
  const event = new CustomEvent("etabli:new-conversation", { cancelable: true });
  if (document.dispatchEvent(event)) location.assign("/");
}

/** To a conversation, likewise. @param {string} id */
export function openConversation(id) {
  const event = new CustomEvent("etabli:open-conversation", { cancelable: true, detail: { id } });
  if (document.dispatchEvent(event)) location.assign(`/c/${encodeURIComponent(id)}`);
}

/**
 * Register what every page can do.
 * @param {{sidebar: {toggle: () => void, search: () => void}, signOut: () => void,
 *   conversations: import("./conversations.js").Conversations}} parts
 */
export function registerShell({ sidebar, conversations, signOut }) {
  const go = (path) => () => location.assign(path);
  const pages = t("Pages");
  const look = t("Display");
  register({ id: "palette", title: t("Search and commands"), keys: "mod+k", hidden: true, run: showPalette });
  register({ id: "new", title: t("New conversation"), keys: "mod+shift+o", icon: "square-pen", run: newConversation });
  register({ id: "find", title: t("Search conversations"), keys: "s", icon: "search", run: sidebar.search });
  register({ id: "documents", title: t("Documents"), keys: "g d", icon: "files", group: pages, run: go("/documents") });
  register({ id: "assistants", title: t("Assistants"), keys: "g a", icon: "bot", group: pages, run: go("/assistants") });
  register({ id: "training", title: t("Training"), keys: "g t", icon: "graduation-cap", group: pages, run: go("/training") });
  register({ id: "models", title: t("Models"), keys: "g m", icon: "cpu", group: pages, run: go("/models") });
  const last = { last: true, group: look };
  register({ ...last, id: "sidebar", title: t("Show or hide the sidebar"), keys: "mod+b", icon: "panel-left", run: sidebar.toggle });
  register({
    ...last, id: "theme-dark", title: t("Dark theme"), icon: "moon", when: () => shownTheme() === "light",
    run: () => setTheme("dark").catch(toastError),
  });
  register({
    ...last, id: "theme-light", title: t("Light theme"), icon: "sun", when: () => shownTheme() === "dark",
    run: () => setTheme("light").catch(toastError),
  });
  register({
    ...last, id: "language", title: language === "fr" ? "English" : "Français", icon: "languages",
    run: () => setLanguage(language === "fr" ? "en" : "fr").catch(toastError),
  });
  register({ last: true, id: "keys", title: t("Keyboard shortcuts"), keys: "?", icon: "keyboard", run: showKeys });
  register({ last: true, id: "sign-out", title: t("Sign out"), icon: "log-out", run: signOut });
  provide(async (query, signal) => {
    const found = query ? await conversations.search(query, signal, 6) : conversations.list.slice(0, 5);
    return found.map(({ id, title }) => ({
      id, title, icon: "message-square", detail: t("Conversation"), run: () => openConversation(id),
    }));
  });
  subscribe("signed-out", (_, { here }) => here || location.assign("/sign-in"));
}
