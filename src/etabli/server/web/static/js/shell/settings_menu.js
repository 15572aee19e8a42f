/** The menu at the foot of the sidebar: theme, language, keys, signing out. */

import { api } from "../core/api.js";
import { publish } from "../core/channel.js";
import { language, t } from "../core/i18n.js";
import { forgetAll } from "../core/storage.js";
import { currentTheme, setLanguage, setTheme } from "../core/theme.js";
import { toastError } from "../core/toast.js";
import { showKeys } from "./shell_actions.js";

/** @returns {import("../core/menu.js").MenuItem[]} */
export function settingsMenu() {
  const theme = currentTheme();
  const choose = (value) => () => setTheme(value).catch(toastError);
  const speak = (value) => () => language !== value && setLanguage(value).catch(toastError);
  return [
    { title: t("Theme") },
    { label: t("As the system"), icon: "monitor", checked: theme === null, run: choose(null) },
    { label: t("Light"), icon: "sun", checked: theme === "light", run: choose("light") },
    { label: t("Dark"), icon: "moon", checked: theme === "dark", run: choose("dark") },
    "-",
    { title: t("Language") },
    { label: "Français", icon: "languages", checked: language === "fr", run: speak("fr") },
    { label: "English", icon: "languages", checked: language === "en", run: speak("en") },
    "-",
    { label: t("Keyboard shortcuts"), icon: "keyboard", keys: "?", run: showKeys },
    { label: t("Sign out"), icon: "log-out", run: signOut },
  ];
}

/** End the session of this browser, in all its tabs, and forget what it remembered. */
export async function signOut() {
  try {
    await api.post("/sign-out");
  } catch (error) {
    if (error.status !== 401) return toastError(error);
  }
  forgetAll();
  publish("signed-out");
  location.assign("/sign-in");
}
