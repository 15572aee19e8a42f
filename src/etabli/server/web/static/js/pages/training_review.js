/**
 * <etabli-training_review>: questions that a model proposed, one after the other. Keys: k keeps, d drops, e edits, z takes
 * the last decision back.
 */

import { api } from "../core/api.js";
import { openDialog } from "../core/dialog.js";
import { h, icon, isTyping, replace, uid } from "../core/dom.js";
import { formatNumber, plural, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { page } from "../core/page.js";
import { toastError } from "../core/toast.js";
import { QUESTIONS } from "../training/words.js";

class TrainingReview extends HTMLElement {
  #rows = [];
  #before = [];
  #busy = false;

  connectedCallback() {
    this.assistant = page.parameters.assistant;
    this.path = `${QUESTIONS}/${encodeURIComponent(this.assistant)}`;
    this.heading = h("h1", {}, t("Questions to look through"));
    this.left = h("p", { class: "muted", role: "status" });
    this.place = h("div", { class: "stack" });
    replace(
      this,
      h(
        "div",
        { class: "page narrow training-page reading-page" },
        h("div", { class: "page-head" }, h("div", {}, h("p", { class: "small" }, h("a", { href: "/training" }, t("Training"))), this.heading, this.left)),
        this.place,
      ),
    );
    document.title = `${t("Questions to look through")} · Établi`;
    this.listener = (event) => this.#key(event);
    document.addEventListener("keydown", this.listener);
    this.#load();
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.listener);
  }

  async #load() {
    try {
      const found = await api.get(this.path);
      this.counts = found;
      this.#rows = found.data;
      replace(this.heading, t("Questions to look through"), " · ", found.title);
      this.#show();
    } catch (error) {
      replace(this.place, h("div", { class: "banner danger" }, icon("triangle-alert"), h("p", {}, error.message)));
    }
  }

  #show() {
    const [row] = this.#rows;
    this.left.textContent = row ? plural(this.counts.proposed, "{count} question left", "{count} questions left") : "";
    if (!row) return this.counts.proposed ? void this.#load() : this.#done();
    this.question = h("h2", { tabindex: "-1" }, row.question);
    const where = row.page === null ? row.source : t("{source}, page {page}", { source: row.source, page: row.page });
    replace(
      this.place,
      h(
        "div",
        { class: "card stack", style: { gap: "var(--s3)" }, dataset: { question: row.id } },
        this.question,
        row.answerable
          ? [
              h("div", {}, h("p", { class: "muted small" }, t("Answer")), h("p", { class: "strong" }, row.answer ?? "–")),
              row.quote && h("blockquote", { class: "quote" }, h("p", { class: "muted small" }, t("The answer, as it stands in the document")), h("p", {}, row.quote), h("p", { class: "muted small" }, where)),
            ]
          : h("p", { class: "row" }, icon("info", { class: "small" }), t("No document answers this: the assistant learns to say so.")),
        row.found === false && h("div", { class: "banner weak" }, icon("triangle-alert"), h("p", {}, t("The search does not find this document among the first: a hard question, or a vague one."))),
      ),
      h("p", { class: "strong", id: "asked" }, t("Is it worth learning?")),
      h(
        "div",
        { class: "row wrap reading-keys", role: "group", "aria-labelledby": "asked" },
        this.#button("k", t("Keep"), "primary", () => this.#decide("kept")),
        this.#button("d", t("Drop"), "", () => this.#decide("dropped")),
        this.#button("e", t("Edit"), "", () => this.#edit()),
        this.#back(),
      ),
    );
    this.question.focus({ preventScroll: true });
    this.scrollTop = 0;
  }

  #done() {
    replace(
      this.place,
      h(
        "div",
        { class: "empty" },
        icon("circle-check"),
        h("h2", {}, t("All of them are looked through")),
        h("p", {}, t("{kept} kept, {dropped} dropped. To write them as examples:", { kept: formatNumber(this.counts.kept), dropped: formatNumber(this.counts.dropped) })),
        h("p", {}, h("code", {}, `etabli data generate ${this.assistant} exemples.jsonl`)),
        h("div", { class: "row wrap" }, h("a", { class: "button primary", href: "/training" }, t("To the trainings")), this.#back()),
      ),
    );
    this.place.querySelector("a").focus();
  }

  #button(key, label, kind, run) {
    return h("button", { type: "button", class: ["button", kind], onclick: run }, label, h("kbd", { class: "kbd" }, key));
  }

  #back() {
    return h(
      "button",
      { type: "button", class: "button quiet", disabled: this.#before.length === 0, onclick: () => this.#undo() },
      icon("undo-2", { class: "small" }),
      t("Take back"),
      h("kbd", { class: "kbd" }, "z"),
    );
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (key === "z" && this.#before.length) this.#undo();
    else if (!this.#rows.length) return;
    else if (key === "k") this.#decide("kept");
    else if (key === "d") this.#decide("dropped");
    else if (key === "e") this.#edit();
    else return;
    event.preventDefault();
  }

  async #decide(state, words = {}) {
    const [row] = this.#rows;
    if (this.#busy || !row) return;
    this.#busy = true;
    try {
      this.counts = await api.post(`${this.path}/${encodeURIComponent(row.id)}`, { state, ...words });
      this.#before.push(this.counts.question);
      this.#rows.shift();
      announce(state === "kept" ? t("kept") : t("dropped"));
      this.#show();
    } catch (error) {
      toastError(error);
    }
    this.#busy = false;
  }

  async #undo() {
    if (this.#busy) return;
    this.#busy = true;
    const last = this.#before.at(-1);
    try {
      this.counts = await api.post(`${this.path}/${encodeURIComponent(last.id)}`, { state: "proposed" });
      this.#before.pop();
      this.#rows.unshift(this.counts.question);
      announce(t("Decide again."));
      this.#show();
    } catch (error) {
      toastError(error);
    }
    this.#busy = false;
  }

  #edit() {
    const [row] = this.#rows;
    const area = (label, value) => {
      const control = h("textarea", { class: "textarea", id: uid("words"), maxlength: 4000, required: true, value });
      return { control, element: h("div", { class: "field" }, h("label", { class: "field-label", for: control.id }, label), control) };
    };
    const question = area(t("Question"), row.question);
    const answer = row.answerable ? area(t("Answer"), row.answer ?? "") : null;
    const form = h("form", { class: "stack", id: uid("form") }, question.element, answer?.element);
    const dialog = openDialog({ title: t("Edit the question"), body: form, actions: [h("button", { class: "button primary", type: "submit", form: form.id }, t("Keep it so"))] });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      dialog.close();
      const changed = answer && answer.control.value.trim() ? { answer: answer.control.value.trim() } : {};
      this.#decide("kept", { question: question.control.value.trim(), ...changed });
    });
    question.control.focus();
  }
}

customElements.define("etabli-training_review", TrainingReview);
