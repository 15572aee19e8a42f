/** Theme and language: kept with the account, so that they follow a person to another browser. */

import { api } from "./api.js";
import { publish, subscribe } from "./channel.js";
import { page } from "./page.js";

const root = document.documentElement;

/** What was chosen: "light", "dark", or null for the system's. */
export function currentTheme() {
  return root.dataset.theme ?? null;
}

/** What is seen: "light" or "dark". */
export function shownTheme() {
  return currentTheme() ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
}

/** @param {"light"|"dark"|null} theme @returns {Promise<void>} rejected when it could not be kept */
export async function setTheme(theme) {
  apply(theme);
  publish("theme", { theme });
  if (page.account) await api.patch("/v1/etabli/me", { settings: { theme } });
}

/** @param {"fr"|"en"} language the page is loaded again in it */
export async function setLanguage(language) {
  await api.patch("/v1/etabli/me", { settings: { language } });
  location.reload();
}

function apply(theme) {
  if (theme) root.dataset.theme = theme;
  else delete root.dataset.theme;
}

subscribe("theme", ({ theme }, { here }) => here || apply(theme));
