/** What becomes of an adapter: a person approves or refuses it, gives it to an assistant, takes it out of service. */

import { api } from "../core/api.js";
import { confirmDialog, promptDialog } from "../core/dialog.js";
import { h, icon, replace } from "../core/dom.js";
import { formatDate, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { page } from "../core/page.js";
import { toastError } from "../core/toast.js";
import { giveDialog } from "./give_dialog.js";
import { ADAPTERS, adapterTitle, adapterWord, badge } from "./words.js";

export class Decision {
  adapter = null;

  /** @param {{onDecided: (adapter: any) => void}} options */
  constructor({ onDecided }) {
    this.onDecided = onDecided;
    this.element = h("section", { class: "card stack decision", "aria-labelledby": "decision-title", hidden: true });
  }

  /** @param {any} adapter as the API gives it @param {{forgot: boolean, harmed: boolean, assistant: string|null}} job */
  show(adapter, job) {
    this.adapter = adapter;
    this.job = job;
    this.element.hidden = false;
    const focused = this.element.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    replace(
      this.element,
      h("div", { class: "spread wrap-narrow" }, h("h2", { id: "decision-title", tabindex: "-1" }, title(adapter.state)), badge(adapter.state, adapterWord(adapter.state))),
      h("p", {}, this.#meaning()),
      adapter.state === "approved" && this.#loading(),
      adapter.reason && h("p", { class: "small" }, h("span", { class: "muted" }, t("Reason:")), " ", adapter.reason),
      adapter.decided_at && h("p", { class: "muted small" }, t("Decided by {name}, {date}.", { name: whose(adapter.decided_by), date: formatDate(adapter.decided_at, "full") })),
      h("div", { class: "row wrap" }, this.#actions()),
      h("p", { class: "muted tiny adapter-name" }, h("code", {}, adapter.name)),
    );
    if (focused) (this.element.querySelector(`[data-act="${focused}"]`) ?? this.element.querySelector("h2")).focus();
  }

  #meaning() {
    const { state, base } = this.adapter;
    return {
      trained: t("Approved, the adapter is loaded and can be given to assistants that run on {base}; nobody’s answers change before. Refused, it can never answer.", { base }),
      approved: t("It answers under its own name, and for the assistants that have it. It can be taken out of service at any time."),
      refused: t("It can never answer. Train another with other examples."),
      retired: t("It does not answer any more. Assistants that have it say so until they get another one, or none."),
    }[state];
  }

  #loading() {
    const { loaded, not_loaded: why } = this.adapter;
    if (loaded) return h("p", { class: "row small" }, icon("circle-check", { class: "small" }), t("The engine holds it now."));
    return h("div", { class: "banner weak" }, icon("triangle-alert"), h("p", {}, why ? t("The engine does not hold it: {reason}", { reason: why }) : t("The engine does not hold it yet.")));
  }

  #actions() {
    const button = (act, image, label, kind = "") =>
      h("button", { type: "button", class: `button ${kind}`.trim(), dataset: { act }, onclick: () => this.#do(act) }, icon(image, { class: "small" }), label);
    const { state } = this.adapter;
    if (state === "trained") return [button("approve", "check", t("Approve"), "primary"), button("refuse", "x", t("Refuse"))];
    if (state === "approved") return [button("give", "bot", t("Give to an assistant…"), "primary"), button("retire", "power", t("Take out of service"))];
    if (state === "retired") return [button("approve", "check", t("Approve again"), "primary")];
    return [];
  }

  async #do(act) {
    const { name } = this.adapter;
    if (act === "give") return giveDialog(this.adapter, { proposed: this.job.assistant });
    const body = await this.#asked(act);
    if (body === null) return;
    for (const one of this.element.querySelectorAll("button")) one.disabled = true;
    try {
      const adapter = await api.post(`${ADAPTERS}/${encodeURIComponent(name)}/${act}`, body);
      this.show(adapter, this.job);
      announce(adapterWord(adapter.state));
      this.element.querySelector("h2").focus();
      this.onDecided(adapter);
    } catch (error) {
      toastError(error);
      this.show(this.adapter, this.job);
    }
  }

  /** The body of a decision; null when it is taken back. */
  async #asked(act) {
    const name = adapterTitle(this.adapter.name);
    if (act === "approve") {
      if (!this.job.forgot && !this.job.harmed) return undefined;
      const yes = await confirmDialog({
        title: t("Approve {name} all the same?", { name }),
        text: this.job.harmed
          ? t("More of certification’s probes are violated with it than without. Look at them first.")
          : t("More everyday tasks went from right to wrong than should. Look at them first: for an assistant that only does one thing it may not matter."),
        confirm: t("Approve"),
      });
      return yes ? undefined : null;
    }
    const reason = await promptDialog({
      title: act === "refuse" ? t("Refuse {name}?", { name }) : t("Take {name} out of service?", { name }),
      label: t("Reason"),
      hint: act === "refuse" ? t("It stands beside the adapter. A refusal is for good.") : t("It stands beside the adapter. It can be approved again."),
      confirm: act === "refuse" ? t("Refuse") : t("Take out of service"),
      maxLength: 500,
    });
    return reason === null ? null : { reason };
  }
}

function title(state) {
  return state === "trained" ? t("Your decision") : t("The adapter");
}

/** Who decided. @param {string|null} by such as `account:1` */
function whose(by) {
  const id = by?.startsWith("account:") ? Number(by.slice(8)) : null;
  return id !== null && id === page.account?.id ? page.account.name : (by ?? "–");
}
