/** What stands where there is no document to list: why, and what to do next. */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";

/** @param {() => void} create */
export function noCollection(create) {
  return state(
    "library",
    t("Begin with a collection"),
    t("A collection holds the documents of one subject or service. Assistants answer from collections, with the passage they rely on."),
    [button("folder-plus", t("New collection"), create, true)],
  );
}

/** @param {import("./adding.js").Adding} adding */
export function noDocument(adding) {
  return state(
    "upload",
    t("Drop files here"),
    t("Or choose them: PDF, Word, Excel, PowerPoint, OpenDocument, e-mails, web pages, text and scanned pages. They stay on this machine."),
    [
      button("file-plus", t("Add files"), () => adding.chooseFiles(), true),
      button("folder-up", t("Add a folder"), () => adding.chooseFolder()),
    ],
  );
}

/** @param {() => void} showAll */
export function noMatch(showAll) {
  return state("list-filter", t("No document is in this state"), "", [button(null, t("Show all"), showAll)]);
}

/** @param {Error} error @param {() => void} again */
export function notLoaded(error, again) {
  return state("triangle-alert", t("The documents could not be loaded"), error.message ?? "", [button(null, t("Try again"), again)]);
}

function state(name, title, text, buttons) {
  return h("div", { class: "empty" }, icon(name), h("h2", {}, title), text && h("p", {}, text), h("div", { class: "row wrap" }, buttons));
}

function button(name, label, run, primary = false) {
  return h("button", { class: ["button", primary && "primary"], type: "button", onclick: run }, name && icon(name), label);
}
