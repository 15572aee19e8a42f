/** <etabli-training>: the adapters with their states, and the trainings that made them. */

import { api, withQuery } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { adaptersTable, emptyTraining, jobsTable, questionsNote } from "../training/lists.js";
import { ADAPTERS, FILES, hasEnded, JOBS, QUESTIONS } from "../training/words.js";

const EVERY_MS = 3000;

class Training extends HTMLElement {
  connectedCallback() {
    this.body = h("div", { class: "stack training-lists" }, h("div", { class: "card" }, h("span", { class: "skeleton" })));
    this.begin = h("a", { class: "button primary", href: "/training/new", hidden: true }, icon("plus"), t("New training"));
    replace(
      this,
      h(
        "div",
        { class: "page training-page" },
        h(
          "div",
          { class: "page-head" },
          h(
            "div",
            {},
            h("h1", {}, t("Training")),
            h("p", {}, t("A model learns a form or a manner from your examples, on this machine. What comes out is examined, then a person decides.")),
          ),
          this.begin,
        ),
        this.body,
      ),
    );
    document.title = `${t("Training")} · Établi`;
    this.#load();
    this.timer = setInterval(() => this.#again(), EVERY_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  /** While something moves, or when somebody comes back to the page. */
  #again() {
    if (document.visibilityState !== "visible" || this.loading) return;
    if (this.jobs?.some((one) => !hasEnded(one.etabli.state))) this.#load();
  }

  async #load() {
    this.loading = true;
    try {
      const [jobs, adapters, files, questions] = await Promise.all([
        api.get(withQuery(JOBS, { limit: 50 })),
        api.get(ADAPTERS),
        api.get(withQuery(FILES, { purpose: "fine-tune", limit: 500 })),
        api.get(QUESTIONS).catch(() => ({ data: [] })), // a file with a fault must not hide the trainings
      ]);
      this.jobs = jobs.data;
      this.#draw(adapters.data, new Map(files.data.map((one) => [one.id, one.filename])), questions.data);
    } catch (error) {
      if (!this.jobs) replace(this.body, h("div", { class: "banner danger" }, icon("triangle-alert"), h("p", {}, error.message)));
    } finally {
      this.loading = false;
    }
  }

  #draw(adapters, files, questions) {
    const key = JSON.stringify([this.jobs, adapters, questions]);
    if (key === this.key) return;
    this.key = key;
    this.begin.hidden = !this.jobs.length && !adapters.length;
    if (this.begin.hidden) return replace(this.body, questionsNote(questions), emptyTraining());
    const focused = this.body.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    replace(
      this.body,
      questionsNote(questions),
      adapters.length > 0 && section(t("Adapters"), adaptersTable(adapters)),
      section(t("Trainings"), this.jobs.length ? jobsTable(this.jobs, files) : h("p", { class: "muted small" }, t("None."))),
    );
    if (focused) [...this.body.querySelectorAll("a")].find((one) => one.getAttribute("href") === focused)?.focus();
  }
}

function section(title, content) {
  return h("section", { class: "stack", style: { gap: "var(--s3)" } }, h("h2", {}, title), content);
}

customElements.define("etabli-training", Training);
