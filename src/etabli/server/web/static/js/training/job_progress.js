/** How far a job is: its state in a sentence, its steps, the time that is left, and what can be done with it. */

import { fact } from "../certification/result_view.js";
import { about } from "../certification/words.js";
import { h, icon } from "../core/dom.js";
import { formatDate, formatNumber, t } from "../core/i18n.js";
import { methodWords, stateText } from "./words.js";

/** @param {any} job in OpenAI's shape @param {string|null} asked `pause` or `cancel`, where somebody just asked */
export function progressView(job, asked) {
  const { state, step, total_steps: total, checkpoint_step: kept, wanted, progress } = job.etabli;
  const awaited = wanted ?? asked;
  const moving = state === "running" || state === "paused" || state === "queued";
  return [
    job.error && h("div", { class: "banner danger" }, icon("triangle-alert"), h("p", {}, job.error.message)),
    awaited && h("div", { class: "banner" }, icon("clock"), h("p", {}, awaited === "pause" ? t("It writes a checkpoint and pauses in a moment.") : t("It is being cancelled."))),
    h(
      "div",
      { class: "card stack", style: { gap: "var(--s2)" } },
      h(
        "div",
        { class: "spread wrap-narrow" },
        h("span", { class: "strong numbers" }, total ? t("Step {step} of {total}", { step: formatNumber(step), total: formatNumber(total) }) : t("No step yet")),
        state === "running" && h("span", { class: "muted small" }, leftText(job)),
        progress && h("span", { class: "muted small numbers", dataset: { part: "examination" } }, examinationText(progress)),
      ),
      progress ? h("progress", { class: "progress", max: progress.total, value: progress.done, "aria-label": t("Progress") }) : progressBar(state, step, total),
      h("p", { class: "muted small" }, stateText(state), moving && kept > 0 && [" ", t("The last checkpoint is at step {step}.", { step: formatNumber(kept) })]),
    ),
  ];
}

/** The bar alone, also for lists. @param {string} state @param {number} step @param {number|null} total */
export function progressBar(state, step, total) {
  const props = { class: "progress", max: Math.max(1, total ?? 1), "aria-label": t("Progress") };
  if (state === "examining" || state === "validating") return h("progress", { ...props, "aria-label": stateText(state) });
  return h("progress", { ...props, value: total ? Math.min(step, total) : 0 });
}

/** Facts that do not change. @param {any} job @param {any} preflight what the process estimated; null before */
export function factsView(job, preflight, file) {
  const { n_epochs: epochs, batch_size: batch, learning_rate_multiplier: pace } = job.hyperparameters;
  const watts = preflight?.watt_hours;
  return h(
    "dl",
    { class: "facts" },
    fact(t("Base"), job.model),
    fact(t("Examples"), file ?? job.training_file),
    fact(t("What they show"), methodWords(job.method.type)?.name ?? job.method.type),
    fact(t("Begun"), formatDate(job.created_at, "full")),
    job.finished_at && fact(t("Finished"), formatDate(job.finished_at, "full")),
    job.etabli.assistant && fact(t("For"), job.etabli.assistant),
    fact(t("Passes, examples a step, pace"), `${formatNumber(epochs)} · ${formatNumber(batch)} · ${formatNumber(pace)}`),
    watts != null && fact(t("Energy, estimated"), `${formatNumber(watts, { maximumSignificantDigits: 2 })}\u00a0Wh`),
  );
}

/** How far the examination is. @param {{part: string, done: number, total: number}} progress */
function examinationText({ part, done, total }) {
  const values = { done: formatNumber(done), total: formatNumber(total) };
  return part === "probes" ? t("{done} of {total} probes", values) : t("{done} of {total} answers", values);
}

/** The time that is left. @param {any} job */
function leftText(job) {
  if (!job.estimated_finish) return t("The time is being measured…");
  const seconds = job.estimated_finish - Date.now() / 1000;
  return seconds > 0 ? t("about {time} left", { time: about(seconds) }) : t("almost there");
}
