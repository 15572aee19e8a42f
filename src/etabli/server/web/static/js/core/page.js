/**
 * What the server said with the page: language, theme, account, French sentences, and what this page is about.
 *
 *   page.name        "chat", "documents", "source", "assistants", "builder", "compare", "models", "shared"
 *   page.parameters  of its address, such as {id: "conv_…"} or {document_id: 3, version_id: 7}; see web/pages.py
 *   page.language    "fr" or "en";  page.theme  "light", "dark" or null (the system's)
 *   page.account     {id, name} or null;  page.version  of the program;  page.messages  English → French
 *   page.later       module → the addresses of all that it needs; see core/later.js
 */

const element = document.getElementById("page-data");

/** @type {{name: string, parameters: Object<string, any>, language: "fr"|"en", theme: "light"|"dark"|null,
 *   account: {id: number, name: string}|null, version: string, messages: Object<string, string>, later: Object<string, string[]>}} */
export const page = Object.freeze({
  name: "",
  parameters: {},
  language: "en",
  theme: null,
  account: null,
  version: "",
  messages: {},
  later: {},
  ...JSON.parse(element?.textContent || "{}"),
});
