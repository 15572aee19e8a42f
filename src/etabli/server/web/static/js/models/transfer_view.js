/** What is done with a model now: stage, bytes, speed, the time that is left; or why it stopped. */

import { h, icon, replace } from "../core/dom.js";
import { formatBytes, formatDuration, formatPercent, t } from "../core/i18n.js";

const RUNNING = new Set(["waiting", "downloading", "checking", "verifying", "cancelling"]);

/** @param {{stage: string}|null} state */
export function isRunning(state) {
  return state !== null && RUNNING.has(state.stage);
}

export class TransferView {
  constructor() {
    this.title = h("span", { class: "grow" });
    this.share = h("span", { class: "numbers" });
    this.bar = h("progress", { class: "progress", max: 1 });
    this.detail = h("p", { class: "tiny muted numbers" });
    this.error = h("div", { class: "transfer-error" });
    this.element = h(
      "div",
      { class: "transfer" },
      h("div", { class: "spread small" }, this.title, this.share),
      this.bar,
      this.detail,
      this.error,
    );
  }

  /** @param {{stage: string, done_bytes: number, total_bytes: number|null, bytes_per_s: number, error: string|null}|null} state */
  show(state) {
    this.element.hidden = state === null;
    if (state === null) return;
    const { stage, done_bytes: done, total_bytes: total, bytes_per_s: speed, error } = state;
    const moving = isRunning(state);
    replace(this.title, stageText(stage));
    const known = total !== null && total > 0;
    replace(this.share, known && stage !== "checking" ? formatPercent(done / total) : "");
    this.bar.hidden = !moving && !(known && done > 0 && stage !== "failed");
    if (known && stage !== "checking" && stage !== "waiting") this.bar.value = done / total;
    else this.bar.removeAttribute("value");
    this.bar.setAttribute("aria-label", stageText(stage));
    replace(this.detail, figures({ done, total, speed: moving ? speed : 0 }));
    replace(this.error, error ? [icon("triangle-alert", { class: "small" }), errorText(error)] : null);
  }
}

function stageText(stage) {
  return (
    {
      waiting: t("Getting ready…"),
      downloading: t("Downloading"),
      checking: t("Checking that every byte is right…"),
      verifying: t("Reading every byte again"),
      cancelling: t("Stopping…"),
      stopped: t("Stopped. What came so far is kept."),
      failed: t("It did not work"),
    }[stage] ?? stage
  );
}

function figures({ done, total, speed }) {
  const said = [];
  if (total) said.push(t("{done} of {total}", { done: formatBytes(done), total: formatBytes(total) }));
  if (speed > 0) {
    said.push(t("{speed} per second", { speed: formatBytes(speed) }));
    if (total && total > done)
      said.push(t("{time} left", { time: formatDuration(Math.ceil((total - done) / speed) * 1000) }));
  }
  return said.join(" · ");
}

/** Sentences of the server can have several lines: ways out as a list. */
function errorText(text) {
  const parts = h("div", { class: "grow small" });
  let list = null;
  for (const line of text.split("\n")) {
    const item = /^\s+-\s+(.*)$/.exec(line);
    if (item) {
      if (!list) parts.append((list = h("ul", {})));
      list.append(h("li", {}, item[1]));
    } else if (line.trim()) {
      list = null;
      parts.append(h("p", {}, line));
    }
  }
  return parts;
}
