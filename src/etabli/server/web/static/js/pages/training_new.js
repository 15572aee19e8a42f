/** <etabli-training_new>: a training is prepared: examples, what is put aside, settings, estimate. Then it begins. */

import { api } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { formatNumber, plural, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { toastError } from "../core/toast.js";
import { estimateView, refusal } from "../training/estimate_view.js";
import { FileField } from "../training/file_field.js";
import { checkExamples, convertExamples, correctExamples, splitExamples } from "../training/files.js";
import { HeldOutField, SHARE } from "../training/held_out_field.js";
import { origins } from "../training/origins.js";
import { copyBanner, reportView } from "../training/report_view.js";
import { SettingsForm } from "../training/settings_form.js";
import { JOBS, jobPage, PREFLIGHT } from "../training/words.js";

const NOTHING_CHANGES = new Set(["suffix", "assistant"]);

class TrainingNew extends HTMLElement {
  connectedCallback() {
    this.file = null;
    this.turn = 0;
    this.examples = new FileField({
      label: t("Choose the examples"),
      hint: t("JSON lines, one example a line; or drop the file here. It stays on this machine."),
      onFile: (file) => this.#take(file),
    });
    this.copy = h("div", {});
    this.report = h("div", { "aria-live": "polite" });
    this.heldOut = new HeldOutField({ onChange: () => this.#changed() });
    this.settings = new SettingsForm({ onChange: (what) => this.#edited(what) });
    this.estimate = h("div", { class: "stack", style: { gap: "var(--s3)" }, "aria-live": "polite" });
    this.steps = [
      step(t("Put aside to measure with"), this.heldOut.element),
      step(t("What it learns"), this.settings.element),
      step(t("What it takes"), this.estimate),
    ];
    for (const one of this.steps) one.hidden = true;
    replace(
      this,
      h(
        "div",
        { class: "page narrow training-page" },
        h(
          "div",
          { class: "page-head" },
          h("div", {}, h("p", { class: "small" }, h("a", { href: "/training" }, t("Training"))), h("h1", {}, t("New training"))),
        ),
        step(t("Examples"), this.examples.element, this.copy, this.report, origins()),
        this.steps,
      ),
    );
    document.title = `${t("New training")} · Établi`;
    this.#fill();
  }

  async #fill() {
    try {
      const [shelf, assistants] = await Promise.all([api.get("/v1/etabli/models"), api.get("/v1/etabli/assistants")]);
      this.settings.load(shelf, assistants.data.filter((one) => !one.faults.length));
    } catch (error) {
      toastError(error);
    }
  }

  /** A file is there: look at it. */
  #take(file) {
    replace(this.copy);
    this.file = file;
    this.settings.method = this.settings.proposed = null;
    this.#look();
  }

  async #look() {
    const turn = (this.turn += 1);
    this.#forget();
    this.examples.wait(t("Looking at every line…"));
    replace(this.report);
    try {
      const check = await checkExamples(this.file.id, { ...this.settings.look });
      if (turn !== this.turn) return;
      this.examples.show(this.file);
      this.#show(check);
    } catch (error) {
      if (turn !== this.turn) return;
      this.examples.show(this.file);
      replace(this.report, refusal(error.message));
      for (const one of this.steps) one.hidden = true;
    }
  }

  #show(check) {
    this.check = check;
    this.settings.propose(check.method);
    replace(this.report, reportView(check, { onCorrect: () => this.#mend(correctExamples), onConvert: () => this.#mend(convertExamples) }));
    for (const one of this.steps) one.hidden = check.errors > 0;
    if (!check.errors) this.#offer();
  }

  /** Go on with a copy that the server makes. @param {typeof correctExamples} make */
  async #mend(make) {
    try {
      const done = await make(this.file.id, { ...this.settings.look, validation_file: this.pair?.held ?? null });
      const said =
        done.rows === undefined
          ? t("The corrected copy has {kept} lines as they were and {mended} mended ones; {left} are left out.", { kept: formatNumber(done.kept), mended: formatNumber(done.mended), left: formatNumber(done.left_out) })
          : plural(done.rows, "{count} row was converted; {left} could not be.", "{count} rows were converted; {left} could not be.", { left: formatNumber(done.left_out) });
      this.file = done.file;
      replace(this.copy, copyBanner(done, said));
      announce(said);
      await this.#look();
    } catch (error) {
      toastError(error);
    }
  }

  #edited(what) {
    if (NOTHING_CHANGES.has(what)) return;
    if (what === "method") return void this.#look();
    this.#changed();
  }

  /** Something else would be trained: what was estimated does not hold any more. */
  #changed() {
    this.turn += 1;
    if (this.check && !this.check.errors) this.#offer();
  }

  #forget() {
    this.check = null;
    this.pair = null;
    replace(this.estimate);
  }

  #offer() {
    this.ready = null;
    replace(this.estimate, h("p", { class: "muted small" }, t("Before anything begins you see what it takes.")), h("div", { class: "row wrap" }, this.#button("gauge", t("Estimate"), () => this.#estimate(false), "primary")));
  }

  #button(image, label, run, kind = "") {
    return h("button", { type: "button", class: `button ${kind}`.trim(), onclick: run }, icon(image, { class: "small" }), label);
  }

  async #estimate(calibrate) {
    const turn = (this.turn += 1);
    const missing = this.heldOut.missing;
    if (missing) return replace(this.estimate, refusal(missing), h("div", { class: "row" }, this.#button("gauge", t("Estimate"), () => this.#estimate(false))));
    const words = calibrate ? t("A few real steps are timed; that takes a minute or two.") : t("The examples are counted…");
    replace(this.estimate, h("p", { class: "row small", role: "status" }, h("span", { class: "spinner" }), words));
    try {
      const files = await this.#files();
      if (turn !== this.turn || files === null) return;
      const request = { ...this.settings.request, ...files };
      const { estimate } = await api.post(PREFLIGHT, { ...request, calibrate });
      if (turn !== this.turn) return;
      this.ready = request;
      this.#estimated(estimate, calibrate);
    } catch (error) {
      if (turn !== this.turn) return;
      replace(this.estimate, refusal(error.message), h("div", { class: "row" }, this.#button("gauge", t("Estimate again"), () => this.#estimate(false))));
    }
  }

  #estimated(estimate, calibrate) {
    const start = this.#button("play", t("Begin"), () => this.#start(start), "primary");
    const time = !calibrate && this.#button("clock", t("Measure the time"), () => this.#estimate(true));
    replace(
      this.estimate,
      estimateView(estimate),
      h("p", { class: "muted small" }, t("It gives way to answers, can be paused, and survives a restart. Nothing answers with it before you approve it.")),
      h("div", { class: "row wrap" }, start, time),
    );
    announce(t("The estimate is here."));
    start.focus();
  }

  /** The two files that are trained with, looked at together; null where they cannot be. */
  async #files() {
    const { kind, file } = this.heldOut;
    if (kind === "none") return { training_file: this.file.id, validation_file: null };
    const key = `${this.file.id} ${kind} ${file?.id ?? ""}`;
    if (this.pair?.key !== key) {
      const parts = kind === "share" ? await splitExamples(this.file.id, SHARE) : { training: this.file, held_out: file };
      this.pair = { key, training: parts.training.id, held: parts.held_out.id };
    }
    const check = await checkExamples(this.pair.training, { ...this.settings.look, validation_file: this.pair.held });
    if (check.errors) {
      replace(this.estimate, refusal(t("With what is put aside, something has to be mended first:")), reportView(check, { onCorrect: () => this.#mendPair(), onConvert: () => {} }));
      return null;
    }
    return { training_file: this.pair.training, validation_file: this.pair.held };
  }

  /** Take what is in both files out of the one that is learned. */
  async #mendPair() {
    try {
      const done = await correctExamples(this.pair.training, { ...this.settings.look, validation_file: this.pair.held });
      this.pair.training = done.file.id;
      await this.#estimate(false);
    } catch (error) {
      toastError(error);
    }
  }

  async #start(button) {
    button.disabled = true;
    const { suffix, metadata, etabli } = this.settings.request;
    try {
      const job = await api.post(JOBS, { ...this.ready, suffix, metadata, etabli });
      location.assign(jobPage(job.id));
    } catch (error) {
      button.disabled = false;
      toastError(error);
    }
  }
}

function step(title, ...content) {
  return h("section", { class: "stack training-step" }, h("h2", {}, title), content);
}

customElements.define("etabli-training_new", TrainingNew);
