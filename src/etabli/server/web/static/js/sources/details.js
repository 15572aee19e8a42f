/** What is known of a document: where it is filed, what it is, which state of it this is, what was left out. */

import { h } from "../core/dom.js";
import { formatDate, formatNumber, t } from "../core/i18n.js";
import { kindName } from "./kinds.js";

/** The content of the details popover. @param {import("./source.js").Source} source */
export function drawDetails(source) {
  const { version } = source;
  const languages = { fr: t("French"), en: t("English") };
  const rows = [
    [t("File"), version.name],
    version.title && [t("Title"), version.title],
    version.collection && [t("Collection"), version.collection],
    [t("Kind"), kindName(version.media_type)],
    version.page_count && [t("Pages"), formatNumber(version.page_count)],
    languages[version.language] && [t("Language"), languages[version.language]],
    [t("Read on"), formatDate(version.created_at, "full")],
    version.sha256 && [t("Fingerprint (SHA-256)"), h("code", {}, version.sha256)],
  ];
  return h(
    "div",
    { class: "source-details", tabindex: "-1" },
    h("dl", {}, rows.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))),
    version.notes?.length > 0 && [
      h("p", { class: "strong" }, t("What was left out when it was read")),
      h("ul", {}, version.notes.map((note) => h("li", {}, note))),
    ],
  );
}
