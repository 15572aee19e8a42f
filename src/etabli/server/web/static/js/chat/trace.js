/** “How this answer was made”, in the panel at the right. It is loaded by shell/beside.js, which says how to ask for it. */

import { api } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { formatDuration, formatNumber, formatPercent, plural, t } from "../core/i18n.js";
import { loadSheet } from "../core/sheet.js";
import { openPanel } from "../shell/panel.js";
import { guardNotes } from "./guard_notes.js";
import { supportLegend } from "../sources/support.js";

/** @param {string} id of the response */
export async function showTrace(id) {
  await loadSheet("trace");
  const body = h(
    "div",
    { class: "trace" },
    h("p", { class: "row muted" }, h("span", { class: "spinner" }), t("Loading…")),
  );
  openPanel({ title: t("How this answer was made"), content: body });
  try {
    replace(body, sections(await api.get(`/v1/etabli/responses/${encodeURIComponent(id)}/trace`)));
  } catch (error) {
    replace(body, h("div", { class: "banner danger" }, icon("circle-alert"), h("span", null, error.message)));
  }
}

function sections(trace) {
  const found = distinct(trace.passages ?? []);
  return [
    story(trace, found),
    guardNotes(trace.guards ?? []),
    times(trace.times_ms ?? {}),
    passages(found),
    marks(found),
    numbers(trace),
    energy(trace.energy),
    sent(trace.messages ?? []),
  ];
}

/** Passages that follow each other are one source, with one number: each source once, where its best passage stood. */
function distinct(passages) {
  const seen = new Set();
  return passages.filter(({ number }) => number == null || (!seen.has(number) && seen.add(number)));
}

/** What happened, as one would tell it. */
function story({ question, rewritten, search = {}, assistant, model, written_by: author, messages = [] }, found) {
  const product = author === "product";
  const documents = new Set(found.map((one) => one.document)).size;
  const used = found.filter((one) => one.sent).length;
  const lines = [
    rewritten &&
      question &&
      t("Your question depends on what was said before, so it was put as: “{question}”.", { question }),
    found.length > 0 &&
      plural(
        found.length,
        "The search found {count} passage in {documents}.",
        "The search found {count} passages in {documents}.",
        {
          documents: plural(documents, "{count} document", "{count} documents"),
        },
      ),
    found.length > 0 &&
      (used
        ? plural(used, "{count} passage was given to the model.", "{count} passages were given to the model.")
        : t("None resembled an answer enough to be given to the model.")),
    search.probability != null &&
      t("Estimated chance that they hold the answer: {percent}.", { percent: formatPercent(search.probability) }),
    product &&
      (messages.length
        ? t("The product wrote the answer itself: no word of it is the model’s own.")
        : t("The product wrote the answer itself: no model was asked.")),
    !product && found.length === 0 && t("No document was searched: the model answered from what it knows."),
    !product && model && t("Written by {model}.", { model: [assistant, model].filter(Boolean).join(" · ") }),
  ];
  return h(
    "section",
    { class: "trace-story" },
    lines.filter(Boolean).map((line) => h("p", null, line)),
  );
}

/** The stages one after the other, as bars on one axis. */
function times(values) {
  const total = values.total ?? 0;
  const known = ["rewriting", "searching", "reading"].filter((name) => values[name] != null);
  const before = known.reduce((sum, name) => sum + values[name], 0);
  const rows = known.map((name) => [nameOf(name), values[name]]);
  const checked = values.verifying ?? 0;
  if (values.first_token != null) {
    rows.push([t("The model reads"), Math.max(0, values.first_token - before)]);
    rows.push([t("The model writes"), Math.max(0, total - values.first_token - checked)]);
  }
  if (checked) rows.push([nameOf("verifying"), checked]);
  if (!total || !rows.length) return null;
  let from = 0;
  const drawn = rows.map(([name, took]) => {
    const start = from;
    from += took;
    const style = { "--from": start / total, "--part": Math.max(took / total, 0.004) };
    return h(
      "div",
      { class: "time-row" },
      h("dt", null, name),
      h(
        "dd",
        null,
        h("span", { class: "time-bar", style, "aria-hidden": "true" }),
        h("span", { class: "numbers" }, formatDuration(took)),
      ),
    );
  });
  return section(t("Time: {time}", { time: formatDuration(total) }), h("dl", { class: "times" }, drawn));
}

function nameOf(stage) {
  return {
    rewriting: t("Understanding the question"),
    searching: t("Search"),
    reading: t("Choosing passages"),
    verifying: t("Comparing with the sources"),
  }[stage];
}

function passages(list) {
  if (!list.length) return null;
  const most = Math.max(...list.map((one) => one.score ?? 0), 1e-9);
  const rows = list.map((one) =>
    h(
      "li",
      { class: ["passage", one.sent && "sent"] },
      h("span", { class: "cited-number" }, one.number ?? "–"),
      h(
        "span",
        { class: "grow truncate" },
        one.title || one.document,
        one.page && h("span", { class: "muted" }, ` ${t("p. {page}", { page: one.page })}`),
      ),
      h("span", { class: "score", style: { "--part": Math.max(0, (one.score ?? 0) / most) }, "aria-hidden": "true" }),
      h(
        "span",
        { class: "numbers muted tiny" },
        formatNumber(one.score ?? 0, { maximumFractionDigits: 2, minimumFractionDigits: 2 }),
      ),
      one.sent && h("span", { class: "visually-hidden" }, t("given to the model")),
    ),
  );
  return section(
    t("Passages found"),
    h("ol", { class: "passages", role: "list" }, rows),
    h(
      "p",
      { class: "muted small" },
      t("The score only ranks the passages of this question. Those with a number were given to the model."),
    ),
  );
}

/** What the marks at the sources say, and what they do not. */
function marks(found) {
  if (!found.some((one) => one.sent)) return null;
  return section(
    t("What the marks mean"),
    h("p", { class: "muted small" }, t("A program compared every sentence with its source, word for word. It does not know what is right.")),
    supportLegend(),
  );
}

function numbers({ usage, tokens_per_s: speed }) {
  if (!usage) return null;
  const read = usage.input_tokens ?? usage.prompt_tokens;
  const written = usage.output_tokens ?? usage.completion_tokens;
  const cached = usage.input_tokens_details?.cached_tokens ?? 0;
  const pairs = [
    [t("Read"), plural(read, "{count} token", "{count} tokens")],
    cached > 0 && [t("of which known from before"), plural(cached, "{count} token", "{count} tokens")],
    [t("Written"), plural(written, "{count} token", "{count} tokens")],
    speed && [
      t("Speed"),
      t("{number} tokens per second", { number: formatNumber(speed, { maximumFractionDigits: 1 }) }),
    ],
  ].filter(Boolean);
  const rows = pairs.map(([name, value]) =>
    h("div", { class: "spread" }, h("dt", { class: "muted" }, name), h("dd", { class: "numbers" }, value)),
  );
  return section(
    t("Tokens"),
    h("dl", { class: "facts" }, rows),
    h("p", { class: "muted small" }, t("A token is a piece of a word; this is how models count text.")),
  );
}

function energy(value) {
  if (!value || value.joules == null)
    return value?.explanation ? section(t("Energy"), h("p", { class: "muted small" }, value.explanation)) : null;
  const hours = value.joules / 3600;
  const shown =
    hours >= 0.1
      ? `${formatNumber(hours, { maximumFractionDigits: 2 })} Wh`
      : `${formatNumber(hours * 1000, { maximumFractionDigits: 1 })} mWh`;
  const method = value.method === "measured" ? t("measured") : t("estimated");
  return section(
    t("Energy"),
    h(
      "p",
      { class: "row" },
      icon("leaf", { class: "small" }),
      h("span", { class: "strong numbers" }, `${formatNumber(value.joules, { maximumFractionDigits: 0 })} J`),
      h("span", { class: "muted numbers" }, `(${shown})`),
      h("span", { class: "badge" }, method),
    ),
    h("p", { class: "muted small" }, value.explanation),
  );
}

function sent(messages) {
  if (!messages.length) return null;
  const names = { system: t("Instructions"), user: t("Question"), assistant: t("Answer"), tool: t("Tool") };
  return h(
    "details",
    { class: "trace-sent" },
    h("summary", null, t("What was sent to the model, word for word")),
    messages.map((one) =>
      h(
        "div",
        { class: "sent-message" },
        h("p", { class: "small strong" }, names[one.role] ?? one.role),
        h(
          "pre",
          { tabindex: "0" },
          typeof one.content === "string" ? one.content : JSON.stringify(one.content, null, 2),
        ),
      ),
    ),
  );
}

function section(title, ...content) {
  return h("section", null, h("h3", null, title), content);
}
