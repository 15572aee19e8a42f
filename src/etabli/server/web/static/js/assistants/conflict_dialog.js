/** Somebody saved meanwhile: shows their text beside yours and lets one choose. */

import { openDialog } from "../core/dialog.js";
import { h } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { diffView } from "./diff_view.js";
import { versionLine } from "./versions.js";

/**
 * @param {{yours: string, theirs: {yaml: string, versions: any[], version: number}}} options
 * @returns {Promise<"mine"|"theirs"|null>} null: neither, now
 */
export async function askWhichText({ yours, theirs }) {
  const newest = theirs.versions[0];
  const later = h("button", { class: "button", type: "button" }, t("Go on editing"));
  const take = h("button", { class: "button", type: "button" }, t("Take theirs"));
  const keep = h("button", { class: "button primary", type: "button" }, t("Keep mine"));
  const dialog = openDialog({
    title: t("Somebody saved version {number} meanwhile", { number: theirs.version }),
    wide: true,
    body: h(
      "div",
      { class: "stack" },
      newest && h("p", { class: "muted small" }, versionLine(newest)),
      h("p", {}, t("Below is what yours would change in theirs: lines with − are theirs, lines with + are yours.")),
      diffView(theirs.yaml, yours, { label: t("From their version to yours") }),
      h(
        "ul",
        { class: "conflict-choices small" },
        h("li", {}, t("“Keep mine” makes yours the newest version; theirs stays in the history.")),
        h("li", {}, t("“Take theirs” throws away what you wrote here.")),
        h("li", {}, t("“Go on editing” saves nothing: you can put both together by hand.")),
      ),
    ),
    actions: [later, take, keep],
  });
  later.addEventListener("click", () => dialog.close(null));
  take.addEventListener("click", () => dialog.close("theirs"));
  keep.addEventListener("click", () => dialog.close("mine"));
  keep.focus();
  return (await dialog.closed) ?? null;
}
