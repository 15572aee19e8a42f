/** What the check of a file found, as people want it: what can be used, then each rule once, errors before warnings. */

import { stacked } from "../certification/stacked.js";
import { h, icon } from "../core/dom.js";
import { formatList, formatNumber, plural, t } from "../core/i18n.js";
import { contentOf } from "./files.js";

/**
 * @param {any} check of `POST …/check`
 * @param {{onCorrect: () => void, onConvert: () => void}} acts
 * @returns {HTMLElement}
 */
export function reportView(check, { onCorrect, onConvert }) {
  const convertible = check.rules.some((one) => one.mends === "converted");
  const corrigible = check.correctable && check.examples > 0 && check.mended + check.left_out > 0;
  const problems = check.rules.filter((one) => one.severity !== "note");
  const notes = check.rules.filter((one) => one.severity === "note");
  return h(
    "div",
    { class: "stack report", style: { gap: "var(--s3)" } },
    summary(check),
    (convertible || corrigible) &&
      h(
        "div",
        { class: "stack", style: { gap: "var(--s2)" } },
        h("div", { class: "row wrap" }, convertible ? act("wand-sparkles", t("Convert it"), onConvert) : act("wand-sparkles", t("Go on with a corrected copy"), onCorrect)),
        h("p", { class: "muted small" }, convertible ? t("The rows are written anew in the form that training reads; your file stays as it is.") : copyText(check)),
      ),
    problems.length > 0 && h("ul", { class: "stack rules", role: "list" }, problems.map(rule)),
    notes.length > 0 && h("div", { class: "stack muted small", style: { gap: "var(--s1)" } }, notes.map(note)),
  );
}

/** What became of a file that was corrected or converted, and the way to it. @param {any} done @param {string} text */
export function copyBanner(done, text) {
  return h(
    "div",
    { class: "banner" },
    icon("file-plus"),
    h("div", { class: "grow" }, h("p", {}, text), h("p", { class: "small" }, t("It is deleted after 30 days, unless a training needs it: download what you want to keep."))),
    h("a", { class: "button small", href: contentOf(done.file.id), download: done.file.filename }, icon("download", { class: "small" }), t("Download the copy")),
  );
}

function act(image, label, run) {
  return h("button", { type: "button", class: "button", onclick: run }, icon(image, { class: "small" }), label);
}

function summary({ lines, kept, errors, warnings }) {
  const good = lines
    ? plural(kept, "{count} line of {lines} is good as it is.", "{count} lines of {lines} are good as they are.", { lines: formatNumber(lines) })
    : t("The file cannot be read line by line.");
  const counted = [
    errors && plural(errors, "{count} error to mend before it can be learned", "{count} errors to mend before it can be learned"),
    warnings && plural(warnings, "{count} thing to look at", "{count} things to look at"),
  ].filter(Boolean);
  const kind = errors ? "danger" : warnings ? "weak" : "verified";
  return h(
    "div",
    { class: `banner ${kind}` },
    icon(errors ? "circle-x" : warnings ? "triangle-alert" : "circle-check"),
    h("div", {}, h("p", { class: "strong" }, good), counted.length > 0 && h("p", {}, `${formatList(counted)}.`)),
  );
}

function copyText({ kept, mended, left_out: left }) {
  return t("It keeps {kept} lines, mends {mended} without guessing and leaves {left} out. Your file stays as it is.", {
    kept: formatNumber(kept),
    mended: formatNumber(mended),
    left: formatNumber(left),
  });
}

function rule(one, place) {
  const error = one.severity === "error";
  return h(
    "li",
    {},
    h(
      "details",
      { class: "card rule", dataset: { rule: one.rule }, open: error && place < 3 },
      h(
        "summary",
        {},
        icon("chevron-right", { class: "small fold" }),
        h("span", { class: ["badge", error ? "danger" : "weak"] }, error ? t("to mend") : t("to look at")),
        h("span", { class: "grow" }, one.places[0].found),
        h("span", { class: "badge numbers" }, plural(one.count, "{count} time", "{count} times")),
      ),
      h(
        "div",
        { class: "stack rule-body", style: { gap: "var(--s2)" } },
        h("p", { class: "small" }, h("span", { class: "muted" }, t("Expected:")), " ", one.expected),
        h("p", { class: "small" }, h("span", { class: "muted" }, t("What to do:")), " ", mending(one)),
        places(one),
      ),
    ),
  );
}

/** The screens have buttons where the command line has options. */
function mending(one) {
  if (one.mends === "converted") return t("Have it converted with the button above.");
  if (one.mends === "corrected") return t("The corrected copy takes care of this.");
  return one.fix;
}

function places(one) {
  const [first] = one.places;
  if (first.line === null && one.places.length === 1) return null;
  const heads = [t("Line"), t("Place"), t("What was found")];
  const table = h(
    "table",
    { class: "table" },
    h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col" }, text)))),
    h(
      "tbody",
      {},
      one.places.map((each) =>
        h(
          "tr",
          {},
          h("th", { scope: "row", class: "numbers" }, each.line === null ? each.file : t("{file}, line {line}", { file: each.file, line: formatNumber(each.line) })),
          h("td", {}, each.place && h("code", {}, each.place)),
          h("td", { class: "found" }, each.found),
        ),
      ),
    ),
  );
  const more = one.count - one.places.length;
  return [
    h("div", { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("The first places") }, stacked(table)),
    more > 0 && h("p", { class: "muted small" }, plural(more, "and {count} other place", "and {count} other places")),
  ];
}

function note(one) {
  return h("p", { class: "note" }, icon("info", { class: "small" }), h("span", {}, one.expected, " ", one.places[0].found));
}
