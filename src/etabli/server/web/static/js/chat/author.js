/**
 * Who wrote an answer, where that was not the model alone: a quiet line under it. Hovering or focusing it tells what that
 * means, and so does a press, for fingers.
 */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";

/** What people call a guard. @param {string} guard */
export function guardName(guard) {
  return (
    {
      crisis: t("distress"),
      contact: t("wish for a person"),
      identity: t("who answers"),
      instructions: t("orders to the assistant"),
      passages: t("orders in documents"),
      links: t("foreign links"),
      leak: t("leak of the instructions"),
      repetition: t("endless repetition"),
      impartial: t("people the documents do not know"),
      grounding: t("what no passage supports"),
    }[guard] ?? guard
  );
}

/** @param {any} turn @returns {HTMLElement|null} null where the model wrote it and no guard touched it */
export function authorMark({ guarded = null, written_by: author = "model" }) {
  if (author !== "product" && !guarded) return null;
  const label = author === "product" ? t("Answered by the product, without the model") : t("A guard left something out");
  const meaning = author === "product" ? written(guarded) : leftOut(guarded);
  return h(
    "details",
    { class: "author-mark", dataset: { guard: guarded ?? "" } },
    h(
      "summary",
      { dataset: { tip: meaning } },
      icon("mark", { class: "small" }),
      h("span", null, label, guarded && h("span", { class: "author-guard" }, ` · ${guardName(guarded)}`)),
    ),
    h("p", null, meaning),
  );
}

/** Why the product wrote it itself. */
function written(guard) {
  return (
    {
      crisis: t("The question shows signs of distress: the numbers that help are always the same, whatever a model would say."),
      contact: t("The question is about reaching a person: the assistant’s file says how."),
      identity: t("The question is about who answers: the product says that itself, so that it is always true."),
      instructions: t("The question gives orders to the assistant or asks for its instructions: they are not followed."),
    }[guard] ?? t("No word of it is the model’s own: it says what was found, or that nothing was.")
  );
}

/** What a guard took out of an answer of the model. */
function leftOut(guard) {
  return (
    {
      crisis: t("The question shows signs of distress."),
      contact: t("How to reach a person was added to the answer."),
      identity: t("What the question asks about who answers was answered by the product."),
      instructions: t("The orders in the question were neither followed nor sent to the model; the rest was answered."),
      links: t("Addresses that stand in no document were taken out."),
      leak: t("The answer was cut where it began to tell the assistant’s instructions."),
      repetition: t("The answer was cut where it began to repeat itself."),
      grounding: t("Sentences that no passage supports were left out."),
    }[guard] ?? t("A rule of the assistant left something out of the question or the answer.")
  );
}
