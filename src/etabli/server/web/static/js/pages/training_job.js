/** <etabli-training_job>: one training, while it learns and after: curve, gate, gain, damage, answers, decision. */

import { api, withQuery } from "../core/api.js";
import { confirmDialog } from "../core/dialog.js";
import { h, icon, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { page } from "../core/page.js";
import { toastError } from "../core/toast.js";
import { Curve } from "../training/curve.js";
import { Decision } from "../training/decision.js";
import { eventsView } from "../training/events_view.js";
import { factsView, progressView } from "../training/job_progress.js";
import { PairsView } from "../training/pairs_view.js";
import { probesView } from "../training/probes_view.js";
import { damageView, gainView, gateView } from "../training/verdict_view.js";
import { adapterParts, ADAPTERS, badge, FIGURES, FILES, JOBS, stateWord } from "../training/words.js";

const AGAIN_MS = 2000;
const EVERY_MS = 1500;
const MOST_EVENTS = 1000;
const STILL = new Set(["paused", "succeeded", "failed", "cancelled"]);

class TrainingJob extends HTMLElement {
  connectedCallback() {
    this.id_ = page.parameters.id;
    this.path = `${JOBS}/${encodeURIComponent(this.id_)}`;
    this.head = h("div", { class: "page-head" }, h("div", {}, h("h1", {}, t("Training"))));
    this.progress = h("div", { class: "stack" });
    this.curve = new Curve();
    this.curve.element.hidden = true;
    this.verdict = h("div", { class: "stack verdict" });
    this.decision = new Decision({ onDecided: () => this.#refresh() });
    this.pairs = h("div", {});
    this.facts = h("div", {});
    this.events = h("div", {});
    replace(
      this,
      h(
        "div",
        { class: "page training-page training-job" },
        this.head,
        this.progress,
        this.verdict,
        this.decision.element,
        this.curve.element,
        this.pairs,
        this.facts,
        this.events,
      ),
    );
    this.#load();
  }

  disconnectedCallback() {
    this.following?.abort();
    clearTimeout(this.timer);
  }

  async #load() {
    try {
      await this.#refresh();
    } catch (error) {
      return replace(this.progress, h("div", { class: "banner danger" }, icon("triangle-alert"), h("p", {}, error.message)));
    }
    if (!STILL.has(this.job.etabli.state)) this.#follow();
  }

  /** All figures anew. */
  async #refresh() {
    const [entry, events] = await Promise.all([
      api.get(`${FIGURES}/${encodeURIComponent(this.id_)}`),
      api.get(withQuery(`${FIGURES}/${encodeURIComponent(this.id_)}/events`, { limit: MOST_EVENTS })),
    ]);
    this.entry = entry;
    this.filename ??= await api.get(`${FILES}/${encodeURIComponent(entry.job.training_file)}`).then(
      (file) => file.filename,
      () => entry.job.training_file,
    );
    this.#show(entry.job);
    this.curve.show(entry.curve);
    replace(this.facts, h("section", { class: "stack", "aria-labelledby": "facts-title", style: { gap: "var(--s3)" } }, h("h2", { id: "facts-title" }, t("In short")), factsView(entry.job, entry.preflight, this.filename)));
    const open = this.events.querySelector("details")?.open ?? STILL.has(entry.job.etabli.state) === false;
    replace(this.events, eventsView(events.data, open));
    this.#examined(entry);
    if (entry.job.etabli.adapter_state) await this.#decide(entry);
  }

  /** The state and its buttons, as they are told while it learns. */
  #show(job) {
    const before = this.job?.etabli.state;
    const { state } = job.etabli;
    this.job = job;
    if (before && before !== state) {
      this.asked = null;
      announce(stateWord(state));
    }
    document.title = `${this.#title()} · ${t("Training")} · Établi`;
    const focused = this.head.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    replace(this.head, this.#heading(), h("div", { class: "row wrap" }, this.#actions()));
    if (focused) (this.head.querySelector(`[data-act="${focused}"]`) ?? this.head.querySelector("button"))?.focus();
    if (state === "succeeded") replace(this.progress);
    else replace(this.progress, progressView(job, this.asked));
  }

  #title() {
    const { suffix, id } = adapterParts(this.entry.adapter);
    return suffix || id;
  }

  #heading() {
    const { state } = this.job.etabli;
    return h(
      "div",
      {},
      h("p", { class: "small" }, h("a", { href: "/training" }, t("Training"))),
      h("h1", {}, this.#title()),
      h("p", { class: "row wrap muted small" }, badge(state, stateWord(state)), h("code", { class: "adapter-name" }, this.entry.adapter)),
    );
  }

  #actions() {
    const { state } = this.job.etabli;
    const button = (act, image, label, kind = "") =>
      h("button", { type: "button", class: `button ${kind}`.trim(), dataset: { act }, disabled: this.asked === act, onclick: () => this.#do(act) }, icon(image, { class: "small" }), label);
    const pause = button("pause", "pause", t("Pause"));
    const resume = button("resume", "play", t("Go on"), "primary");
    const cancel = button("cancel", "circle-stop", t("Cancel the training"));
    return (
      {
        validating: [cancel],
        queued: [pause, cancel],
        running: [pause, cancel],
        paused: [resume, cancel],
        examining: [cancel],
        failed: [resume],
      }[state] ?? [h("a", { class: "button", href: "/training/new" }, icon("plus", { class: "small" }), t("New training"))]
    );
  }

  async #do(act) {
    if (act === "cancel" && !(await this.#sure())) return;
    for (const one of this.head.querySelectorAll("button")) one.disabled = true;
    try {
      const job = await api.post(`${this.path}/${act}`);
      this.asked = job.etabli.state === "running" || job.etabli.state === "examining" ? (act === "resume" ? null : act) : null;
      this.#show(job);
      this.#follow();
    } catch (error) {
      toastError(error);
      this.#show(this.job);
    }
  }

  #sure() {
    return confirmDialog({
      title: t("Cancel this training?"),
      text: t("What it learned is lost. To stop for a while, pause it."),
      confirm: t("Cancel the training"),
      cancel: t("Let it learn"),
      danger: true,
    });
  }

  async #follow() {
    this.following?.abort();
    this.following = new AbortController();
    const { signal } = this.following;
    while (!signal.aborted) {
      try {
        for await (const job of api.stream(`${FIGURES}/${encodeURIComponent(this.id_)}/watch`, { signal })) {
          this.#show(job);
          this.#refreshSoon();
        }
        break;
      } catch (error) {
        if (error.name === "AbortError") return;
        if (error.status === 404) return toastError(error);
        await new Promise((go) => setTimeout(go, AGAIN_MS));
      }
    }
    clearTimeout(this.timer);
    this.timer = null;
    if (!signal.aborted) await this.#refresh().catch(toastError);
  }

  /** The curve and the events follow, but not more often than eyes do. */
  #refreshSoon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      this.#refresh().catch(() => {});
    }, EVERY_MS);
  }

  #examined({ gate, comparison, job }) {
    const key = JSON.stringify([gate, comparison?.gains, comparison?.probes, job.etabli.state]);
    if (key === this.examinedKey) return;
    this.examinedKey = key;
    const view = comparison?.pairs?.length ? new PairsView(comparison.pairs) : null;
    const show = (outcome, group) => view?.show(outcome, group);
    const compared = Boolean(comparison?.gains.length);
    const held = comparison?.gains.find((one) => one.kind === "held_out");
    replace(
      this.verdict,
      gate && gateView(gate),
      held && gainView(held, show),
      compared && !held && h("div", { class: "banner" }, icon("info"), h("p", {}, t("Nothing was put aside, so nobody can say what was gained."))),
      compared && damageView(comparison.gains, comparison.forgot, show),
      comparison?.probes && probesView(comparison.probes),
      job.etabli.state === "succeeded" && !compared && h("div", { class: "banner weak" }, icon("triangle-alert"), h("p", {}, t("The answers before and after were not compared: decide with care."))),
    );
    replace(this.pairs, view?.element);
  }

  async #decide({ adapter, comparison, job }) {
    if (job.etabli.state === "running" || job.etabli.state === "examining") return;
    try {
      const entry = await api.get(`${ADAPTERS}/${encodeURIComponent(adapter)}`);
      this.decision.show(entry, { forgot: Boolean(comparison?.forgot), harmed: Boolean(comparison?.probes?.harmed), assistant: job.etabli.assistant });
    } catch (error) {
      if (error.status !== 404) throw error;
    }
  }
}

customElements.define("etabli-training_job", TrainingJob);
