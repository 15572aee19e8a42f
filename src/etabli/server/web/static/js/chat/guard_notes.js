/** What the guards did for an answer, as a part of “How this answer was made”. */

import { h } from "../core/dom.js";
import { plural, t } from "../core/i18n.js";
import { guardName } from "./author.js";

/**
 * @param {{guard: string, [key: string]: any}[]} notes of the trace, in order
 * @returns {HTMLElement|null}
 */
export function guardNotes(notes) {
  if (!notes.length) return null;
  const groups = new Map();
  for (const note of notes) groups.set(note.guard, [...(groups.get(note.guard) ?? []), note]);
  return h(
    "section",
    { class: "guard-notes" },
    h("h3", null, t("What the guards did")),
    h(
      "dl",
      null,
      [...groups].map(([guard, list]) => [
        h("dt", null, guardName(guard)),
        h("dd", null, h("p", null, done(guard, list)), pieces(list)),
      ]),
    ),
  );
}

function done(guard, notes) {
  const count = notes.length;
  switch (guard) {
    case "crisis":
    case "identity":
      return t("The product answered in the model’s place.");
    case "contact":
      return notes[0].answered ? t("The product answered in the model’s place.") : t("How to reach a person was added.");
    case "instructions":
      return notes[0].answered
        ? t("The question was not followed, and not sent to the model: the product answered.")
        : t("These sentences of the question were not followed and not sent to the model:");
    case "impartial":
      return t("The documents found do not speak of this, so that the question was searched and read without it:");
    case "passages":
      return plural(
        count,
        "{count} sentence of the documents gives orders to a machine; the model did not see it:",
        "{count} sentences of the documents give orders to a machine; the model did not see them:",
      );
    case "links":
      return t("Addresses that stand in no document were taken out:");
    case "leak":
      return t("The answer was cut where it began to tell the instructions:");
    case "repetition":
      return t("The answer was cut where it began to repeat itself:");
    case "grounding":
      return plural(
        count,
        "{count} sentence of the model was left out, because no passage supports it:",
        "{count} sentences of the model were left out, because no passage supports them:",
      );
    default:
      return t("It left something out.");
  }
}

function pieces(notes) {
  const rows = notes.flatMap((note) => {
    const texts = note.left_out ?? note.removed ?? (note.text ? [note.text] : []);
    const where = [note.document, note.page && t("p. {page}", { page: note.page })].filter(Boolean).join(", ");
    return texts.map((text) => h("li", null, h("q", { dir: "auto" }, text), where && h("span", { class: "muted" }, where)));
  });
  return rows.length > 0 && h("ul", { role: "list" }, rows);
}
