/** What kinds of documents are called, and the icon of each. */

import { t } from "../core/i18n.js";

const OFFICE = "application/vnd.openxmlformats-officedocument.";
const OPEN = "application/vnd.oasis.opendocument.";

const ICONS = {
  "application/pdf": "file-text",
  [`${OFFICE}wordprocessingml.document`]: "file-text",
  [`${OFFICE}spreadsheetml.sheet`]: "file-spreadsheet",
  [`${OFFICE}presentationml.presentation`]: "presentation",
  [`${OPEN}text`]: "file-text",
  [`${OPEN}spreadsheet`]: "file-spreadsheet",
  [`${OPEN}presentation`]: "presentation",
  "application/epub+zip": "book-open",
  "application/rtf": "file-text",
  "application/xml": "code",
  "text/html": "globe",
  "text/markdown": "scroll-text",
  "text/plain": "scroll-text",
  "text/csv": "table",
  "message/rfc822": "mail",
};
const SLIDES = new Set([`${OFFICE}presentationml.presentation`, `${OPEN}presentation`]);
const SHEETS = new Set([`${OFFICE}spreadsheetml.sheet`, `${OPEN}spreadsheet`]);

/** Name of the icon of a media type. @param {string|null} mediaType */
export function kindIcon(mediaType) {
  if (mediaType?.startsWith("image/")) return "image";
  return ICONS[mediaType] ?? "file";
}

/** A media type in words. @param {string|null} mediaType */
export function kindName(mediaType) {
  const names = {
    "application/pdf": "PDF",
    [`${OFFICE}wordprocessingml.document`]: "Word",
    [`${OFFICE}spreadsheetml.sheet`]: "Excel",
    [`${OFFICE}presentationml.presentation`]: "PowerPoint",
    [`${OPEN}text`]: "OpenDocument",
    [`${OPEN}spreadsheet`]: t("OpenDocument spreadsheet"),
    [`${OPEN}presentation`]: t("OpenDocument slides"),
    "application/epub+zip": "EPUB",
    "application/rtf": "RTF",
    "application/xml": "XML",
    "text/html": t("Web page"),
    "text/markdown": "Markdown",
    "text/plain": t("Text"),
    "text/csv": "CSV",
    "message/rfc822": t("E-mail"),
  };
  if (mediaType?.startsWith("image/")) return t("Image");
  return names[mediaType] ?? t("File");
}

/** “Page 3”, “Slide 3” or “Sheet 3”. @param {string|null} mediaType @param {number} number */
export function placeName(mediaType, number) {
  if (SLIDES.has(mediaType)) return t("Slide {number}", { number });
  if (SHEETS.has(mediaType)) return t("Sheet {number}", { number });
  return t("Page {number}", { number });
}

/** The last step of a document's name, which has the folders before it. @param {string} name */
export function baseName(name) {
  return name.slice(name.lastIndexOf("/") + 1);
}

/** The folders of a document's name; "" when it has none. @param {string} name */
export function folderOf(name) {
  return name.slice(0, Math.max(0, name.lastIndexOf("/")));
}
