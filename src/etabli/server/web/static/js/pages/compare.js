/**
 * <etabli-compare>: two versions, or two assistants, on the same question. Enter asks both, one after the other; Escape
 * stops. ?left=rh@2&right=rh@3&question=… chooses.
 */

import { Contender } from "../assistants/contender.js";
import { diffView } from "../assistants/diff_view.js";
import { makeVote } from "../assistants/vote.js";
import { api } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { page } from "../core/page.js";
import { recall } from "../core/storage.js";
import { toastError } from "../core/toast.js";

class Compare extends HTMLElement {
  async connectedCallback() {
    this.name = page.parameters.name;
    try {
      const [all, detail] = await Promise.all([
        api.get("/v1/etabli/assistants"),
        api.get(`/v1/etabli/assistants/${encodeURIComponent(this.name)}`),
      ]);
      this.#draw(
        all.data.filter((one) => !one.faults.length),
        detail,
      );
    } catch (error) {
      const back = h("a", { class: "button", href: "/assistants" }, t("All assistants"));
      replace(
        this,
        h(
          "div",
          { class: "empty" },
          icon("columns-2"),
          h("h1", {}, t("It could not be loaded")),
          h("p", {}, error.message),
          back,
        ),
      );
    }
  }

  #draw(assistants, detail) {
    const query = new URLSearchParams(location.search);
    const live = detail.versions.filter((one) => one.kind !== "deleted");
    const newest = `${this.name}@${live[0]?.number ?? 0}`;
    const hasDraft = recall(`builder.${this.name}`) !== null;
    const before = hasDraft ? newest : `${this.name}@${live[1]?.number ?? live[0]?.number ?? 0}`;
    const after = hasDraft ? `${this.name}@draft` : newest;
    const onChange = () => this.#changed();
    this.left = new Contender({ label: t("Left"), assistants, choice: query.get("left") ?? before, onChange });
    this.right = new Contender({ label: t("Right"), assistants, choice: query.get("right") ?? after, onChange });
    this.question = h("textarea", {
      class: "textarea compare-question",
      rows: "2",
      "aria-label": t("Question"),
      placeholder: t("The question that both get…"),
      value: query.get("question") ?? "",
      onkeydown: (event) => this.#keys(event),
      oninput: () => this.#enable(),
    });
    this.go = h("button", { type: "submit", class: "button primary" }, t("Ask both"));
    this.stop = h(
      "button",
      { type: "button", class: "button", hidden: true, onclick: () => this.controller?.abort() },
      icon("square", { class: "small" }),
      t("Stop"),
    );
    this.vote = h("div", {});
    this.difference = h("div", { class: "compare-difference" });
    const form = h(
      "form",
      { class: "compare-form", onsubmit: (event) => this.#submit(event) },
      this.question,
      h(
        "div",
        { class: "spread compare-go" },
        h(
          "p",
          { class: "muted small" },
          t(
            "First the left one, then the right one: together they would slow each other down, and their times would mean nothing.",
          ),
        ),
        h("div", { class: "row" }, this.stop, this.go),
      ),
    );
    const questions = (detail.specification?.first_questions ?? [])
      .slice(0, 4)
      .map((one) =>
        h(
          "button",
          { type: "button", class: "chip", onclick: () => this.#take(one) },
          h("span", { class: "truncate" }, one),
        ),
      );
    replace(
      this,
      h(
        "div",
        { class: "page compare-page" },
        h(
          "div",
          { class: "page-head" },
          h(
            "div",
            {},
            h("h1", {}, t("Compare")),
            h("p", { class: "muted" }, t("The same question to two versions, or to two assistants.")),
          ),
        ),
        form,
        questions.length ? h("div", { class: "row wrap" }, questions) : null,
        h("div", { class: "contenders" }, this.left.element, this.right.element),
        this.vote,
        this.difference,
      ),
    );
    this.#bar(detail);
    this.#enable();
  }

  #bar(detail) {
    const title = detail.specification?.title ?? this.name;
    document.title = `${t("Compare")} · ${title} · Établi`;
    replace(
      document.getElementById("topbar-title"),
      h("a", { class: "crumb", href: "/assistants" }, t("Assistants")),
      icon("chevron-right", { class: "small" }),
      h("a", { class: "crumb truncate", href: `/assistants/${encodeURIComponent(this.name)}` }, title),
    );
  }

  #take(question) {
    this.question.value = question;
    this.#enable();
    this.question.focus();
  }

  #keys(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.#submit(event);
    else if (event.key === "Escape" && this.controller) this.controller.abort();
  }

  #enable() {
    this.go.disabled = this.question.value.trim() === "" || Boolean(this.controller);
    this.stop.hidden = !this.controller;
    for (const side of [this.left, this.right]) side.lock(Boolean(this.controller));
  }

  async #submit(event) {
    event.preventDefault();
    const question = this.question.value.trim();
    if (!question || this.controller) return;
    this.controller = new AbortController();
    this.#enable();
    replace(this.vote);
    try {
      await Promise.all([this.left.ready, this.right.ready]);
      this.#remember();
      this.right.queue();
      await this.left.ask(question, this.controller.signal);
      announce(t("The left one has answered."));
      await this.right.ask(question, this.controller.signal);
      announce(t("Both have answered."));
      if (this.left.told && this.right.told) replace(this.vote, makeVote(this.left, this.right));
    } catch (error) {
      if (error.name !== "AbortError") toastError(error);
      else if (!this.right.told) this.right.clear();
    }
    this.controller = null;
    this.#enable();
  }

  /** The choice into the address, so that it can be kept and sent to others. */
  #remember() {
    const query = new URLSearchParams({
      left: this.left.choice,
      right: this.right.choice,
      question: this.question.value.trim(),
    });
    history.replaceState(null, "", `${location.pathname}?${query}`);
  }

  async #changed() {
    if (!this.left?.which.value || !this.right?.which.value) return;
    replace(this.vote);
    const key = `${this.left.choice} ${this.right.choice}`;
    this.shown = key;
    if (this.left.choice === this.right.choice) {
      const sentence = t("Both sides are the same now. Choose another version, or another assistant, on one of them.");
      return void replace(this.difference, h("p", { class: "muted small" }, sentence));
    }
    try {
      const [before, after] = await Promise.all([this.left.text(), this.right.text()]);
      if (this.shown !== key) return;
      const label = t("From {left} to {right}", { left: this.left.title, right: this.right.title });
      replace(
        this.difference,
        h("details", {}, h("summary", {}, t("What is different between them")), diffView(before, after, { label })),
      );
    } catch (error) {
      toastError(error);
    }
  }
}

customElements.define("etabli-compare", Compare);
