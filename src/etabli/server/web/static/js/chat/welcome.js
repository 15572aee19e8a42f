/** The page before the first question: who answers, and four questions to begin with. */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";

/**
 * @param {import("./assistants.js").Assistant|null} assistant null while it is not known
 * @param {{onQuestion: (text: string) => void}} options told which question was chosen
 */
export function welcome(assistant, { onQuestion }) {
  if (assistant === null) return h("div", { class: "welcome" });
  const title = assistant.title || assistant.name;
  const questions = (assistant.first_questions ?? []).slice(0, 4);
  return h(
    "div",
    { class: "welcome" },
    avatar(assistant, title),
    h("h2", { class: "welcome-title" }, title),
    assistant.description && h("p", { class: "welcome-text" }, assistant.description),
    questions.length > 0 &&
      h(
        "ul",
        { class: "first-questions", role: "list", "aria-label": t("Questions to begin with") },
        questions.map((text) =>
          h(
            "li",
            null,
            h(
              "button",
              { class: "first-question", type: "button", onclick: () => onQuestion(text) },
              h("span", { class: "grow", dir: "auto" }, text),
              icon("arrow-up", { class: "small" }),
            ),
          ),
        ),
      ),
  );
}

/** When there is no assistant at all. */
export function noAssistant() {
  return h(
    "div",
    { class: "empty" },
    icon("bot"),
    h("h2", null, t("There is no assistant yet")),
    h("p", null, t("An assistant says who answers, from which documents and how. Make one to begin.")),
    h("a", { class: "button primary", href: "/assistants/new" }, t("Make an assistant")),
  );
}

function avatar(assistant, title) {
  if (assistant.picture_url) return h("img", { class: "avatar large", src: assistant.picture_url, alt: "" });
  return h("span", { class: "avatar large", "aria-hidden": "true" }, [...title][0]?.toUpperCase() ?? "É");
}
