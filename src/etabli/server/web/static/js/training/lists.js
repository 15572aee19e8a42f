/** The adapters and the trainings, as tables. */

import { stacked } from "../certification/stacked.js";
import { about } from "../certification/words.js";
import { h, icon } from "../core/dom.js";
import { formatDate, formatNumber, formatPercent, plural, t } from "../core/i18n.js";
import { progressBar } from "./job_progress.js";
import { adapterParts, adapterTitle, adapterWord, badge, jobPage, stateWord } from "./words.js";

/** @param {any[]} adapters @returns {HTMLElement} */
export function adaptersTable(adapters) {
  const heads = [t("Adapter"), t("Base"), t("State"), t("Gain"), t("Everyday tasks"), t("When")];
  return frame(t("Adapters"), heads, adapters.map(adapterRow));
}

function adapterRow(one) {
  const gains = one.figures.comparison?.gains ?? [];
  const held = gains.find((each) => each.kind === "held_out");
  const daily = gains.find((each) => each.kind === "everyday");
  const change = (gain) => gain && t("{before} → {after}", { before: formatPercent(gain.before / gain.n), after: formatPercent(gain.after / gain.n) });
  return h(
    "tr",
    { dataset: { adapter: one.name } },
    h("th", { scope: "row" }, h("a", { href: jobPage(one.job) }, adapterTitle(one.name))),
    h("td", {}, one.base),
    h(
      "td",
      {},
      badge(one.state, adapterWord(one.state)),
      one.state === "approved" && !one.loaded && h("p", { class: "tiny muted" }, t("not loaded")),
    ),
    h("td", { class: "numbers" }, change(held)),
    h("td", { class: "numbers" }, change(daily), one.figures.comparison?.forgot && [" ", h("span", { class: "badge danger" }, t("forgot"))]),
    h("td", { class: "numbers" }, formatDate(one.created_at, "auto")),
  );
}

/** @param {any[]} jobs @param {Map<string, string>} files names of files by id @returns {HTMLElement} */
export function jobsTable(jobs, files) {
  const heads = [t("Training"), t("Base"), t("State"), t("Progress"), t("Begun")];
  return frame(
    t("Trainings"),
    heads,
    jobs.map((one) => jobRow(one, files)),
  );
}

/** What people call a job. @param {any} job @param {Map<string, string>} [files] */
export function jobTitle(job, files) {
  if (job.fine_tuned_model) return adapterParts(job.fine_tuned_model).suffix || adapterTitle(job.fine_tuned_model);
  return job.metadata?.name || files?.get(job.training_file) || job.id;
}

function jobRow(job, files) {
  const { state, step, total_steps: total } = job.etabli;
  const left = job.estimated_finish ? job.estimated_finish - Date.now() / 1000 : 0;
  const moving = !["succeeded", "failed", "cancelled"].includes(state);
  return h(
    "tr",
    { dataset: { job: job.id } },
    h("th", { scope: "row" }, h("a", { href: jobPage(job.id) }, jobTitle(job, files))),
    h("td", {}, job.model),
    h("td", {}, badge(state, stateWord(state))),
    h(
      "td",
      { class: "numbers job-progress" },
      moving
        ? h(
            "div",
            { class: "family-progress" },
            h("span", {}, total ? `${formatNumber(step)} / ${formatNumber(total)}` : "–", left > 0 && h("span", { class: "muted tiny" }, ` · ${t("about {time} left", { time: about(left) })}`)),
            progressBar(state, step, total),
          )
        : total && formatNumber(step) + ` / ${formatNumber(total)}`,
    ),
    h("td", { class: "numbers" }, formatDate(job.created_at, "auto")),
  );
}

function frame(label, heads, rows) {
  const table = h(
    "table",
    { class: "table" },
    h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows),
  );
  return h("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": label }, stacked(table));
}

/** Where questions wait for a person. @param {any[]} waiting of `GET …/questions` */
export function questionsNote(waiting) {
  return waiting
    .filter((one) => one.proposed > 0)
    .map((one) =>
      h(
        "div",
        { class: "banner" },
        icon("list-checks"),
        h("p", { class: "grow" }, plural(one.proposed, "{count} question was proposed for {title}, and nobody looked at it yet.", "{count} questions were proposed for {title}, and nobody looked at them yet.", { title: one.title })),
        h("a", { class: "button small", href: `/training/questions/${encodeURIComponent(one.assistant)}` }, t("Look through")),
      ),
    );
}

/** What an adapter is for, for those who have none. */
export function emptyTraining() {
  return h(
    "div",
    { class: "empty training-empty" },
    icon("graduation-cap"),
    h("h2", {}, t("Nothing is trained yet")),
    h("p", {}, t("An adapter teaches a model a form or a manner: how a slip is filled in, how letters are answered, which words your house uses."), " ", t("It does not teach facts: what your organisation knows belongs into documents, where it can be cited and changed."), " ", t("Some hundred good examples are enough; you see what was gained and what it cost before anybody is answered with it.")),
    h("a", { class: "button primary", href: "/training/new" }, icon("plus"), t("New training")),
    h("p", { class: "small" }, t("The guide:"), " ", h("code", {}, "docs/guides/train.md")),
  );
}
