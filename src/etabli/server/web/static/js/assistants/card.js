/** One assistant in the gallery. */

import { h, icon, iconButton } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { menuButton } from "../core/menu.js";
import { avatar } from "./avatar.js";

/**
 * @param {{name: string, title: string, description: string, collections: string[], version: number, faults: any[],
 *   picture_url: string|null}} one
 * @param {{onDelete: () => void}} options
 * @returns {HTMLElement}
 */
export function assistantCard(one, { onDelete }) {
  const name = encodeURIComponent(one.name);
  const edit = `/assistants/${name}`;
  const broken = one.faults.length > 0;
  const more = menuButton(
    iconButton("ellipsis", t("More for {title}", { title: one.title })),
    () => [
      { label: t("Edit"), icon: "pencil", href: edit },
      { label: t("Duplicate"), icon: "copy", href: `/assistants/new?from=${name}` },
      { label: t("Compare versions"), icon: "columns-2", href: `${edit}/compare`, disabled: broken },
      "-",
      { label: t("Delete"), icon: "trash-2", danger: true, run: onDelete },
    ],
    { label: t("More for {title}", { title: one.title }), align: "end" },
  );
  const talk = h(
    "a",
    { class: "button small", href: `/?assistant=${name}` },
    icon("message-circle", { class: "small" }),
    t("Talk"),
  );
  talk.setAttribute("aria-label", t("Talk to {title}", { title: one.title }));
  const mend = h("a", { class: "button small", href: edit }, t("Mend it"));
  return h(
    "li",
    { class: "card assistant-card", dataset: { name: one.name } },
    h("div", { class: "assistant-card-head" }, avatar(one, { large: true }), more),
    h("h2", {}, h("a", { href: edit, class: "assistant-card-link" }, one.title)),
    h("p", { class: "muted small assistant-card-text" }, broken ? null : one.description || t("No description yet.")),
    broken &&
      h(
        "p",
        { class: "field-error assistant-card-text" },
        icon("triangle-alert", { class: "small" }),
        one.faults[0].message,
      ),
    h(
      "ul",
      { class: "row wrap assistant-card-collections", role: "list", "aria-label": t("Collections") },
      collections(one),
    ),
    h(
      "div",
      { class: "spread assistant-card-foot" },
      h("span", { class: "tiny muted numbers" }, one.version ? t("Version {number}", { number: one.version }) : ""),
      broken ? mend : talk,
    ),
  );
}

function collections({ collections: names }) {
  const shown = names.slice(0, 3);
  const badges = shown.map((name) => h("li", { class: "badge" }, icon("folder", { class: "small" }), name));
  if (names.length > shown.length) badges.push(h("li", { class: "badge" }, `+\u202f${names.length - shown.length}`));
  return badges;
}
