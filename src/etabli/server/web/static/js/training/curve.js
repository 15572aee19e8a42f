/**
 * The loss by step: a line for what is learned, points for what was put aside. Drawn for the width that there is; the same
 * figures stand in a table below it, and under the pointer.
 */

import { stacked } from "../certification/stacked.js";
import { h, replace } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";
import { formatLoss } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 260;
const EDGE = { top: 12, right: 14, bottom: 42, left: 56 };
const MOST_ROWS = 60;

export class Curve {
  #points = [];

  constructor() {
    this.picture = h("div", { class: "curve-picture" });
    this.reading = h("p", { class: "muted small numbers curve-reading" });
    this.legend = h("ul", { class: "row wrap curve-legend small", role: "list" });
    this.table = h("div", {});
    this.element = h(
      "section",
      { class: "card stack", "aria-labelledby": "curve-title", style: { gap: "var(--s3)" } },
      h("div", { class: "spread wrap-narrow" }, h("h2", { id: "curve-title" }, t("Loss")), this.legend),
      this.picture,
      this.reading,
      h("details", { class: "curve-table" }, h("summary", { class: "small" }, t("The figures as a table")), this.table),
    );
    this.picture.addEventListener("pointermove", (event) => this.#read(event));
    this.picture.addEventListener("pointerleave", () => this.#say(this.#points.at(-1)));
    new ResizeObserver(() => this.#draw()).observe(this.picture);
  }

  /** @param {any[]} points by step: step, train_loss, valid_loss, full_valid_loss */
  show(points) {
    this.#points = points.filter((one) => one.train_loss != null || validOf(one) != null);
    this.element.hidden = this.#points.length === 0;
    this.#draw();
    this.#say(this.#points.at(-1));
    this.#tabulate();
  }

  #draw() {
    const width = Math.round(this.picture.clientWidth);
    if (width < 50 || !this.#points.length) return;
    const points = this.#points;
    const losses = points.flatMap((one) => [one.train_loss, validOf(one)]).filter((one) => one != null);
    const [low, high, ticks] = scale(Math.min(...losses), Math.max(...losses));
    const first = points[0].step;
    const last = Math.max(points.at(-1).step, first + 1);
    this.x = (step) => EDGE.left + ((step - first) / (last - first)) * (width - EDGE.left - EDGE.right);
    const y = (loss) => HEIGHT - EDGE.bottom - ((loss - low) / (high - low)) * (HEIGHT - EDGE.top - EDGE.bottom);
    const train = points.filter((one) => one.train_loss != null);
    const valid = points.filter((one) => validOf(one) != null);
    const svg = shape("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": this.#label(train, valid) });
    for (const tick of ticks) {
      svg.append(shape("line", { x1: EDGE.left, x2: width - EDGE.right, y1: y(tick), y2: y(tick), class: "curve-grid" }));
      svg.append(words(formatNumber(tick, { maximumFractionDigits: 2 }), { x: EDGE.left - 8, y: y(tick) + 4, class: "curve-text end" }));
    }
    for (const step of wholeTicks(first, last, width < 480 ? 3 : 6))
      svg.append(words(formatNumber(step), { x: this.x(step), y: HEIGHT - EDGE.bottom + 18, class: "curve-text middle" }));
    svg.append(words(t("Step"), { x: (EDGE.left + width - EDGE.right) / 2, y: HEIGHT - 6, class: "curve-text middle axis" }));
    svg.append(words(t("Loss"), { x: 14, y: (HEIGHT - EDGE.bottom) / 2, class: "curve-text middle axis", transform: `rotate(-90 14 ${(HEIGHT - EDGE.bottom) / 2})` }));
    const path = train.map((one, place) => `${place ? "L" : "M"}${this.x(one.step).toFixed(1)} ${y(one.train_loss).toFixed(1)}`).join("");
    svg.append(shape("path", { d: path, class: "curve-train" }));
    if (train.length === 1) svg.append(shape("circle", { cx: this.x(train[0].step), cy: y(train[0].train_loss), r: 3, class: "curve-dot" }));
    const between = valid.map((one, place) => `${place ? "L" : "M"}${this.x(one.step).toFixed(1)} ${y(validOf(one)).toFixed(1)}`).join("");
    svg.append(shape("path", { d: between, class: "curve-between" }));
    for (const one of valid) svg.append(shape("circle", { cx: this.x(one.step), cy: y(validOf(one)), r: 4.5, class: "curve-valid" }));
    replace(this.picture, svg);
    replace(this.legend, sample("train", t("learned examples")), valid.length > 0 && sample("valid", t("examples put aside")));
  }

  #label(train, valid) {
    const line = train.length
      ? t("Loss on learned examples: {first} at step {from}, {last} at step {to}.", { first: formatLoss(train[0].train_loss), from: train[0].step, last: formatLoss(train.at(-1).train_loss), to: train.at(-1).step })
      : "";
    const dots = valid.length
      ? t("On examples put aside: {first} at step {from}, {last} at step {to}.", { first: formatLoss(validOf(valid[0])), from: valid[0].step, last: formatLoss(validOf(valid.at(-1))), to: valid.at(-1).step })
      : "";
    return `${line} ${dots}`.trim();
  }

  #read(event) {
    if (!this.x || !this.#points.length) return;
    const at = event.clientX - this.picture.getBoundingClientRect().left;
    this.#say(this.#points.reduce((best, one) => (Math.abs(this.x(one.step) - at) < Math.abs(this.x(best.step) - at) ? one : best)));
  }

  #say(point) {
    if (!point) return replace(this.reading);
    const valid = validOf(point);
    const values = { step: formatNumber(point.step), train: point.train_loss == null ? "–" : formatLoss(point.train_loss), valid: valid == null ? "" : formatLoss(valid) };
    replace(this.reading, valid == null ? t("Step {step}: {train}", values) : t("Step {step}: {train} learned, {valid} put aside", values));
  }

  /** Not every step of a long training: so many, evenly, and all that were measured on what was put aside. */
  #tabulate() {
    const every = Math.ceil(this.#points.length / MOST_ROWS);
    const rows = this.#points.filter((one, place) => place % every === 0 || place === this.#points.length - 1 || validOf(one) != null);
    const heads = [t("Step"), t("Learned examples"), t("Examples put aside")];
    const cell = (value) => h("td", { class: "end numbers" }, value == null ? "" : formatLoss(value));
    replace(
      this.table,
      h(
        "div",
        { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("Loss by step") },
        stacked(
          h(
            "table",
            { class: "table" },
            h("thead", {}, h("tr", {}, heads.map((text, place) => h("th", { scope: "col", class: place && "end" }, text)))),
            h("tbody", {}, rows.map((one) => h("tr", {}, h("th", { scope: "row", class: "numbers" }, formatNumber(one.step)), cell(one.train_loss), cell(validOf(one))))),
          ),
        ),
      ),
      every > 1 && h("p", { class: "muted small" }, t("One step of {count} is shown.", { count: formatNumber(every) })),
    );
  }
}

/** The loss on what was put aside, wherever it was measured. */
function validOf(point) {
  return point.full_valid_loss ?? point.valid_loss ?? null;
}

/** A range of round numbers around the values, and its ticks. */
function scale(least, most) {
  const span = Math.max(most - least, 1e-3, most * 0.05);
  const rough = span / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough);
  const low = Math.max(0, Math.floor(least / step) * step);
  const high = Math.max(Math.ceil(most / step) * step, low + step);
  const ticks = Array.from({ length: Math.round((high - low) / step) + 1 }, (_, place) => low + place * step);
  return [low, high, ticks];
}

function wholeTicks(first, last, count) {
  const step = Math.max(1, Math.ceil((last - first) / count));
  const ticks = [];
  for (let at = first; at <= last; at += step) ticks.push(at);
  return ticks;
}

function shape(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  return element;
}

function words(text, attributes) {
  const element = shape("text", attributes);
  element.textContent = text;
  return element;
}

function sample(kind, text) {
  return h("li", { class: "row" }, h("span", { class: `curve-sample ${kind}`, "aria-hidden": "true" }), text);
}
