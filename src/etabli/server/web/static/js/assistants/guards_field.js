/**
 * Which guards are on: a switch each, and what happens to what no passage supports. Its value is the whole of `guards`.
 */

import { t } from "../core/i18n.js";
import { DEFAULTS } from "./draft.js";
import { choiceField, groupField, switchField } from "./fields.js";

/** @param {{name: string, label: string, hint?: any, onEdit: (value: object) => void}} options */
export function guardsField({ name, label, hint, onEdit }) {
  let value = DEFAULTS.guards;
  const edit = (key) => (one) => onEdit((value = { ...value, [key]: one }));
  const guard = (key, title, text) => switchField({ name: `${name}.${key}`, label: title, hint: text, onEdit: edit(key) });
  const parts = [
    guard("questions", t("Orders in questions"), t("Requests to reveal or override its instructions are not followed.")),
    guard("passages", t("Orders in documents"), t("Sentences of documents that command a machine are not shown to it.")),
    guard("output", t("What goes out"), t("Holds back its instructions, links that stand in no document, endless repetition.")),
    guard("crisis", t("Distress"), t("Signs of suicidal distress are answered with the numbers that help.")),
    guard("identity", t("Who answers"), t("It says that it is an artificial intelligence, and how to reach a person.")),
    guard("impartial", t("Impartiality"), t("Names and traits of people that no document speaks of are not read.")),
    choiceField({
      name: `${name}.grounded`,
      label: t("What no passage supports"),
      hint: t("Marked shows more, and leaves it to the reader to doubt."),
      choices: [
        ["strict", t("is not shown")],
        ["marked", t("is shown, and marked so")],
      ],
      onEdit: edit("grounded"),
    }),
  ];
  return groupField({
    name,
    label,
    hint,
    style: "guards",
    parts,
    set(wanted) {
      value = { ...DEFAULTS.guards, ...(typeof wanted === "object" ? wanted : null) };
      for (const one of parts) one.set(value[one.name.slice(name.length + 1)]);
    },
  });
}
