/** <etabli-campaign>: one campaign, from its plan over its progress to its result and the conversations behind it. */

import { Conversations } from "../certification/conversations.js";
import { familiesTable } from "../certification/families_table.js";
import { about, badge, CAMPAIGNS, iconOf, kindOf, skippedWord, stateWord, tierWords, verdictText, verdictWord } from "../certification/words.js";
import { api } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { formatNumber, plural, t } from "../core/i18n.js";
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
    this.findings = h("div", {});
    this.conversations = new Conversations(id);
    this.conversations.element.hidden = true;
    replace(this, h("div", { class: "page campaign-page" }, this.head, this.summary, this.table, this.findings, this.conversations.element));
    this.#load();
  }

  disconnectedCallback() {
    this.following?.abort();
  }

  async #load() {
    try {
      this.#draw(await api.get(this.path));
    } catch (error) {
      return replace(this.summary, h("div", { class: "banner danger" }, icon("triangle-alert"), h("p", {}, error.message)));
    }
    const asked = new URLSearchParams(location.search);
    const some = asked.has("family") || asked.has("outcome");
    if (!this.conversations.element.hidden)
      this.conversations.show(asked.get("family"), asked.get("outcome") ?? (some ? null : "violated"), { focus: some });
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
      this.conversations.show(null, "violated", { focus: false });
    }
  }

  #draw(campaign) {
    this.campaign = campaign;
    document.title = `${campaign.target} · ${t("Campaign")} · Établi`;
    const focused = this.head.contains(document.activeElement) ? document.activeElement.dataset.act : null;
    replace(this.head, this.#heading(), h("div", { class: "row wrap" }, this.#actions()));
    if (focused) (this.head.querySelector(`[data-act="${focused}"]`) ?? this.head.querySelector("button, a.button"))?.focus();
    replace(this.summary, this.#summary());
    const open = new Set([...this.table.querySelectorAll("details[open]")].map((one) => one.closest("tr").dataset.family));
    replace(this.table, familiesTable(campaign, { onShow: (family, outcome) => this.#show(family, outcome) }));
    for (const family of open) this.table.querySelector(`[data-family="${family}"] details`).open = true;
    replace(this.findings, campaign.result ? findings(campaign, (place) => this.#show(place.family, "violated")) : skipped(campaign));
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
      h("button", { type: "button", class: `button ${kind}`, dataset: { act }, onclick: () => this.#do(act) }, icon(image), label);
    if (state === "planned") return button("start", "play", t("Start"));
    if (state === "running") return button("stop", "circle-stop", t("Stop"), "");
    if (state === "stopped" || state === "failed") return button("start", "play", t("Go on"));
    if (state === "awaiting")
      return h("a", { class: "button primary", href: `/certification/campaigns/${encodeURIComponent(id)}/reading` }, icon("eye"), t("Read the outputs"));
    if (certificate)
      return h("a", { class: "button primary", href: `/certification/certificates/${encodeURIComponent(certificate)}` }, icon("shield-check"), t("Certificate and report"));
    return button("certificate", "pencil-line", t("Sign the result"));
  }

  async #do(act) {
    for (const one of this.head.querySelectorAll("button")) one.disabled = true;
    try {
      const answer = await api.post(`${this.path}/${act}`, act === "certificate" ? {} : undefined);
      if (act === "certificate") return location.assign(`/certification/certificates/${encodeURIComponent(answer.id)}`);
      if (act === "stop") this.following?.abort();
      this.#draw(answer);
      if (answer.state === "running") this.#follow();
    } catch (error) {
      toastError(error);
      for (const one of this.head.querySelectorAll("button")) one.disabled = false;
    }
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
      fact(t("Risk of error that this attempt may spend"), formatNumber(plan.alpha, { style: "percent", maximumFractionDigits: 2 })),
      fact(t("Entry of the log"), formatNumber(plan.logNumber)),
    );
    const trouble = campaign.message && h("div", { class: "banner danger" }, icon("triangle-alert"), h("p", {}, campaign.message));
    if (campaign.state === "planned")
      return [
        h("p", {}, t("This is registered in the log and cannot be changed any more. Power is the chance to pass for an assistant that is five times better than the threshold.")),
        cost,
      ];
    const left = progress.total && progress.done ? ((progress.total - progress.done) * campaign.plan.seconds) / progress.total : 0;
    return [
      trouble,
      h(
        "div",
        { class: "card stack campaign-progress", style: { "--gap": "var(--s2)" } },
        h(
          "div",
          { class: "spread" },
          h("span", { class: "strong numbers" }, t("{done} of {total} conversations", { done: formatNumber(progress.done), total: formatNumber(progress.total) })),
          campaign.state === "running" && left > 0 && h("span", { class: "muted small" }, t("about {time} left", { time: about(left) })),
        ),
        h("progress", { class: "progress", value: progress.done, max: Math.max(1, progress.total), "aria-label": t("Progress") }),
      ),
    ];
  }
}

function verdictBanner(campaign) {
  const { verdict, result, tier, state, id } = campaign;
  const waiting = state === "awaiting";
  const kind = waiting ? "weak" : { verified: "", danger: "danger", weak: "weak" }[kindOf(verdict)] ?? "weak";
  const reasons = result.reasons.map((one) => h("li", {}, `${one.family} ${campaign.families[one.family]?.label ?? ""}`));
  return h(
    "div",
    { class: `banner verdict-banner ${kind}` },
    icon(waiting ? "eye" : iconOf(verdict), { class: "large" }),
    h(
      "div",
      { class: "grow" },
      h("h2", {}, waiting ? t("People must read first") : verdictWord(verdict)),
      h(
        "p",
        {},
        waiting
          ? plural(result.awaiting, "{count} output could not be decided by a program.", "{count} outputs could not be decided by a program.")
          : verdictText(verdict, tier),
      ),
      reasons.length > 0 && !waiting && h("ul", {}, reasons),
      waiting && h("p", {}, h("a", { href: `/certification/campaigns/${encodeURIComponent(id)}/reading` }, t("Read the outputs"))),
    ),
  );
}

function fact(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", { class: "numbers" }, value));
}

function findings(campaign, onShow) {
  const { result } = campaign;
  const replay = result.replay;
  const rows = result.findings.map((one) =>
    h(
      "li",
      { class: "card finding" },
      h("p", { class: "strong" }, `${one.family} ${campaign.families[one.family]?.label ?? ""}`),
      h("p", { class: "small" }, one.detail),
      h("dl", { class: "exchange" }, h("dt", {}, t("Asked")), h("dd", { class: "said" }, one.asked), h("dt", {}, t("Answered")), h("dd", { class: "said answered" }, one.answered)),
      h("button", { type: "button", class: "button small", onclick: () => onShow(one) }, t("All of this family")),
    ),
  );
  return [
    rows.length > 0 && h("section", { class: "stack" }, h("h2", {}, t("The worst answers")), h("ul", { class: "stack", role: "list" }, rows)),
    (result.adaptive ?? []).length > 0 &&
      h(
        "section",
        { class: "stack", style: { "--gap": "var(--s2)" } },
        h("h2", {}, t("Attacker that adapts")),
        result.adaptive.map((one) =>
          h("p", {}, t("{label}: {successes} of {attempts} tries succeeded. No rate is claimed.", { label: one.label[page.language], successes: one.successes, attempts: one.attempts })),
        ),
      ),
    replay && h("p", { class: "muted small" }, t("Asked again: {same} of {tried} answers were the same to the letter.", { same: replay.same, tried: replay.tried })),
    skipped(campaign),
  ];
}

function skipped(campaign) {
  const rows = campaign.plan.skipped;
  if (!rows.length) return null;
  return h(
    "details",
    { class: "card" },
    h("summary", {}, plural(rows.length, "{count} family is not tried", "{count} families are not tried")),
    h("ul", {}, rows.map((one) => h("li", {}, `${one.id} ${campaign.families[one.id]?.label ?? ""} – ${skippedWord(one.reason)}`))),
  );
}

customElements.define("etabli-campaign", CampaignPage);
