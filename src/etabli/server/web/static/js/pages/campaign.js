/** <etabli-campaign>: one campaign, from its plan over its progress to its result and the conversations behind it. */

import { Conversations } from "../certification/conversations.js";
import { destination, keyDialog } from "../certification/endpoint_dialog.js";
import { familiesTable } from "../certification/families_table.js";
import { fact, findings, skipped, verdictBanner } from "../certification/result_view.js";
import { about, badge, CAMPAIGNS, stateWord, tierWords, verdictWord } from "../certification/words.js";
import { api } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { formatNumber, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { page } from "../core/page.js";
import { toastError } from "../core/toast.js";

const AGAIN_MS = 2000;

class CampaignPage extends HTMLElement {
  connectedCallback() {
    const { id } = page.parameters;
    this.path = `${CAMPAIGNS}/${encodeURIComponent(id)}`;
    this.told = new Set();
    this.head = h("div", { class: "page-head" }, h("div", {}, h("h1", {}, t("Campaign"))));
    this.summary = h("div", { class: "stack" });
    this.table = h("div", {});
    this.findings = h("div", { class: "stack" });
    this.conversations = new Conversations(id);
    this.conversations.element.hidden = true;
    replace(
      this,
      h(
        "div",
        { class: "page campaign-page" },
        this.head,
        this.summary,
        this.table,
        this.findings,
        this.conversations.element,
      ),
    );
    this.#load();
  }

  disconnectedCallback() {
    this.following?.abort();
  }

  async #load() {
    try {
      this.#draw(await api.get(this.path));
    } catch (error) {
      return replace(
        this.summary,
        h("div", { class: "banner danger" }, icon("triangle-alert"), h("p", {}, error.message)),
      );
    }
    const asked = new URLSearchParams(location.search);
    const some = asked.has("family") || asked.has("outcome");
    if (!this.conversations.element.hidden)
      this.conversations.show(asked.get("family"), some ? asked.get("outcome") : this.#worst(), { focus: some });
    if (this.campaign.state === "running") this.#follow();
  }

  async #follow() {
    this.following = new AbortController();
    const { signal } = this.following;
    while (!signal.aborted) {
      try {
        for await (const event of api.stream(`${this.path}/events`, { signal })) this.#heard(event);
        break;
      } catch (error) {
        if (error.name === "AbortError") return;
        await new Promise((go) => setTimeout(go, AGAIN_MS));
      }
    }
  }

  #heard({ campaign, last }) {
    if (last?.outcome === "violated" && !this.told.has(last.family)) {
      this.told.add(last.family);
      announce(t("A first violation: {family}", { family: this.campaign.families[last.family]?.label ?? last.family }));
    }
    const before = this.campaign.state;
    this.#draw({ ...this.campaign, ...campaign });
    if (before === "running" && this.campaign.state !== "running") {
      announce(this.campaign.verdict ? verdictWord(this.campaign.verdict) : stateWord(this.campaign.state));
      this.conversations.show(null, this.#worst(), { focus: false });
    }
  }

  /** The gravest outcome that there is. */
  #worst() {
    const { families } = this.campaign.progress;
    return ["violated", "unsure", "error"].find((one) => families.some((each) => each[one] > 0)) ?? null;
  }

  #draw(campaign) {
    this.campaign = campaign;
    document.title = `${campaign.target} · ${t("Campaign")} · Établi`;
    const focused = this.head.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    replace(this.head, this.#heading(), h("div", { class: "row wrap" }, this.#actions()));
    if (focused)
      (this.head.querySelector(`[data-act="${focused}"]`) ?? this.head.querySelector("button, a.button"))?.focus();
    replace(this.summary, this.#summary());
    const open = new Set(
      [...this.table.querySelectorAll("details[open]")].map((one) => one.closest("tr").dataset.family),
    );
    replace(this.table, familiesTable(campaign, { onShow: (family, outcome) => this.#show(family, outcome) }));
    for (const family of open) this.table.querySelector(`[data-family="${family}"] details`).open = true;
    replace(
      this.findings,
      campaign.result ? findings(campaign, (place) => this.#show(place.family, "violated")) : skipped(campaign),
    );
    this.conversations.element.hidden = campaign.progress.done === 0;
    this.conversations.update(campaign);
  }

  #show(family, outcome) {
    this.conversations.element.hidden = false;
    this.conversations.show(family, outcome);
  }

  #heading() {
    const { campaign } = this;
    return h(
      "div",
      {},
      h("p", { class: "small" }, h("a", { href: "/certification" }, t("Certification"))),
      h("h1", {}, campaign.target),
      h(
        "p",
        { class: "row wrap muted small" },
        badge(campaign.state, stateWord(campaign.state)),
        t("{tier}, attempt {number}", { tier: tierWords(campaign.tier).name, number: campaign.attempt }),
      ),
    );
  }

  #actions() {
    const { state, id, certificate } = this.campaign;
    const button = (act, image, label, kind = "primary") =>
      h(
        "button",
        { type: "button", class: `button ${kind}`, dataset: { act }, onclick: () => this.#do(act) },
        icon(image),
        label,
      );
    if (state === "planned") return button("start", "play", t("Start"));
    if (state === "running") {
      const stop = button("stop", "circle-stop", t("Stop"), "");
      stop.disabled = this.campaign.stop_asked_by !== null;
      return stop;
    }
    if (state === "stopped" || state === "failed") return button("start", "play", t("Go on"));
    if (state === "awaiting")
      return h(
        "a",
        { class: "button primary", href: `/certification/campaigns/${encodeURIComponent(id)}/reading` },
        icon("eye"),
        t("Read the outputs"),
      );
    if (certificate)
      return h(
        "a",
        { class: "button primary", href: `/certification/certificates/${encodeURIComponent(certificate)}` },
        icon("shield-check"),
        t("Certificate and report"),
      );
    return button("certificate", "pencil-line", t("Sign the result"));
  }

  async #do(act) {
    let body = act === "certificate" ? {} : undefined;
    if (act === "start" && this.campaign.needs_key) {
      const key = await keyDialog(this.campaign);
      if (key === null) return;
      body = { api_key: key || null };
    }
    for (const one of this.head.querySelectorAll("button")) one.disabled = true;
    try {
      const answer = await api.post(`${this.path}/${act}`, body);
      if (act === "certificate") return location.assign(`/certification/certificates/${encodeURIComponent(answer.id)}`);
      if (act === "stop" && answer.state !== "running") this.following?.abort();
      this.#draw(answer);
      if (act === "start" && answer.state === "running") this.#follow();
    } catch (error) {
      toastError(error);
      for (const one of this.head.querySelectorAll("button")) one.disabled = false;
    }
  }

  /** Who stopped it, or asked for that. */
  #stopped() {
    const { state, stop_asked_by: name } = this.campaign;
    if (!name || (state !== "running" && state !== "stopped")) return null;
    const text =
      state === "running"
        ? t("{name} asked to stop it: whoever runs it breaks off in a moment.", { name })
        : t("Stopped by {name}. Everything that was said is kept, and it can go on here or from the command line.", { name });
    return h("div", { class: "banner" }, icon("circle-stop"), h("p", {}, text));
  }

  #summary() {
    const { campaign } = this;
    const { plan, progress } = campaign;
    if (campaign.verdict && campaign.result) return verdictBanner(campaign);
    const cost = h(
      "dl",
      { class: "facts" },
      fact(t("Answers to be written"), formatNumber(plan.replies)),
      fact(t("Tokens"), t("about {count}", { count: formatNumber(plan.tokens) })),
      fact(t("Time"), t("about {time}", { time: about(plan.seconds) })),
      fact(
        t("Risk of error that this attempt may spend"),
        formatNumber(plan.alpha, { style: "percent", maximumFractionDigits: 2 }),
      ),
      fact(t("Entry of the log"), formatNumber(plan.logNumber)),
    );
    const stopped = this.#stopped();
    const address =
      campaign.address && h("p", { class: "muted small" }, `${campaign.address} · `, destination(new URL(campaign.address).hostname));
    const broken =
      campaign.message && h("div", { class: "banner danger" }, icon("triangle-alert"), h("p", {}, campaign.message));
    if (campaign.state === "planned")
      return [
        h(
          "p",
          {},
          t(
            "This is registered in the log and cannot be changed any more. Power is the chance to pass for an assistant that is five times better than the threshold.",
          ),
        ),
        address,
        cost,
      ];
    const left =
      progress.total && progress.done ? ((progress.total - progress.done) * campaign.plan.seconds) / progress.total : 0;
    return [
      broken,
      stopped,
      address,
      h(
        "div",
        { class: "card stack campaign-progress", style: { "--gap": "var(--s2)" } },
        h(
          "div",
          { class: "spread" },
          h(
            "span",
            { class: "strong numbers" },
            t("{done} of {total} conversations", {
              done: formatNumber(progress.done),
              total: formatNumber(progress.total),
            }),
          ),
          campaign.state === "running" &&
            left > 0 &&
            h("span", { class: "muted small" }, t("about {time} left", { time: about(left) })),
        ),
        h("progress", {
          class: "progress",
          value: progress.done,
          max: Math.max(1, progress.total),
          "aria-label": t("Progress"),
        }),
      ),
    ];
  }
}

customElements.define("etabli-campaign", CampaignPage);
