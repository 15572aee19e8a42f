/**
 * One model: what it is, whether it fits, what can be done with it. `update` draws new values into the same nodes, so that
 * the focus stays where it is while bytes come in.
 */

import { h, icon, replace } from "../core/dom.js";
import { formatBytes, formatDate, formatList, formatNumber, language, locale, t } from "../core/i18n.js";
import { memoryBar } from "./memory_bar.js";
import { isRunning, TransferView } from "./transfer_view.js";

export class ModelCard {
  /** @param {string} name @param {Object<string, (model: any) => void>} actions pull, cancel, verify, remove */
  constructor(name, actions) {
    this.actions = actions;
    this.head = h("div", { class: "model-head" });
    this.facts = h("dl", { class: "model-facts small" });
    this.fit = h("div", { class: "model-fit" });
    this.transfer = new TransferView();
    const button = (action, kind, label) =>
      h(
        "button",
        {
          type: "button",
          class: `button small ${kind}`.trim(),
          dataset: { action },
          onclick: () => this.actions[action](this.model),
        },
        label,
      );
    this.pull = button("pull", "primary", "");
    this.cancel = button("cancel", "", t("Stop"));
    this.verify = button("verify", "", t("Verify"));
    this.remove = button("remove", "quiet", t("Delete"));
    this.checked = h("span", { class: "tiny muted model-checked" });
    this.element = h(
      "li",
      { class: "card model-card", dataset: { name } },
      this.head,
      this.fit,
      this.facts,
      this.transfer.element,
      h(
        "div",
        { class: "spread model-foot" },
        this.checked,
        h("div", { class: "row wrap" }, this.remove, this.verify, this.cancel, this.pull),
      ),
    );
  }

  /** @param {any} model @param {{machine: any, busy: boolean}} around busy: something is done with some model */
  update(model, { machine, busy }) {
    const key = JSON.stringify([model, machine, busy]);
    if (key === this.key) return;
    this.key = key;
    this.model = model;
    this.#drawHead();
    this.#drawFit(machine);
    this.#drawFacts();
    this.transfer.show(model.state);
    this.#drawButtons(busy);
  }

  #drawHead() {
    const { title, publisher, active, installed, note, name } = this.model;
    const badge = active
      ? h("span", { class: "badge verified" }, icon("zap", { class: "small" }), t("answers now"))
      : installed && h("span", { class: "badge accent" }, icon("check", { class: "small" }), t("installed"));
    const by = [publisher, title === name ? null : name].filter(Boolean).join(" · ");
    replace(
      this.head,
      h("div", { class: "grow" }, h("h3", {}, title), h("p", { class: "tiny muted model-by" }, by)),
      badge,
    );
    if (note) this.head.append(h("p", { class: "small muted model-note" }, note));
  }

  #drawFit(machine) {
    const { can_run: fit, memory_bytes: needed } = this.model;
    const name = { comfortable: "circle-check", tight: "triangle-alert", no: "circle-x", unknown: "circle-help" }[
      fit.level
    ];
    replace(
      this.fit,
      h(
        "p",
        { class: `model-verdict small ${fit.level}` },
        icon(name, { class: "small" }),
        h("span", {}, fit.sentence),
      ),
      needed &&
        memoryBar({ needed, total: machine.memory_bytes, available: machine.memory_available, level: fit.level }),
    );
  }

  #drawFacts() {
    const {
      size_bytes: size,
      parameters,
      licence,
      languages,
      context_tokens: context,
      installed,
      sources,
    } = this.model;
    const facts = [
      [t("Size"), formatBytes(size)],
      parameters && [t("Parameters"), inThousands(parameters)],
      context && [t("Reads at once"), t("{count} tokens", { count: formatNumber(context) })],
      languages.length && [t("Languages"), languageNames(languages)],
      !installed && sources.length && [t("Comes from"), formatList(sources)],
      [t("Licence"), licenceText(licence)],
    ];
    replace(
      this.facts,
      facts.filter(Boolean).map(([term, value]) => h("div", {}, h("dt", {}, term), h("dd", {}, value))),
    );
  }

  #drawButtons(busy) {
    const { installed, active, state, title, verified_at: at, can_run: fit } = this.model;
    const running = isRunning(state);
    const begun = state !== null && !running && !installed;
    this.pull.hidden = installed || running || (!fit.ok && !begun);
    this.pull.disabled = busy;
    replace(this.pull, icon("download", { class: "small" }), begun ? t("Go on") : t("Download"));
    this.cancel.hidden = !running;
    this.cancel.disabled = state?.stage === "cancelling";
    this.verify.hidden = !installed || running;
    this.verify.disabled = busy;
    this.remove.hidden = !installed || running || active;
    for (const button of [this.pull, this.cancel, this.verify, this.remove]) {
      button.setAttribute("aria-label", `${button.textContent.trim()}\u00a0— ${title}`);
    }
    replace(
      this.checked,
      installed && at
        ? [
            icon("shield-check", { class: "small" }),
            t("Every byte compared on {date}", { date: formatDate(at, "full") }),
          ]
        : null,
    );
  }
}

function licenceText({ name, commercial, words, url }) {
  const sign = { yes: "verified", conditions: "weak", no: "unsupported" }[commercial];
  const link = url ? h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, name) : name;
  return [link, words && h("span", { class: ["licence-words tiny", sign] }, words)];
}

/** “1.2 billion” of parameters. */
function inThousands(count) {
  return formatNumber(count, { notation: "compact", compactDisplay: "long", maximumFractionDigits: 1 });
}

function languageNames(codes) {
  const names = new Intl.DisplayNames(locale, { type: "language" });
  const order = [...codes].sort((one, other) => Number(other === language) - Number(one === language));
  const shown = order.slice(0, 4).map((code) => names.of(code));
  return order.length > shown.length
    ? t("{names} and {count} more", { names: shown.join(", "), count: order.length - shown.length })
    : shown.join(", ");
}
