/** Versions in words. */

import { formatDate, t } from "../core/i18n.js";

/** “Saved”, “Changed in the file”… @param {{kind: string, restored_from: number|null}} version */
export function kindText({ kind, restored_from: from }) {
  if (kind === "file") return t("Changed in its file");
  if (kind === "deleted") return t("Deleted");
  if (kind === "restored") return from ? t("Restored from version {number}", { number: from }) : t("Restored");
  return t("Saved");
}

/** One line on one version. @param {{number: number, kind: string, note: string, restored_from: number|null,
 *   saved_at: string}} version */
export function versionLine(version) {
  const said = [
    t("Version {number}", { number: version.number }),
    kindText(version),
    formatDate(version.saved_at, "full"),
  ];
  return [...said, version.note].filter(Boolean).join(" · ");
}
