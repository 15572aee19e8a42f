/** <etabli-certification>: the assistants with their seals, and the campaigns on them. */

import { avatar } from "../assistants/avatar.js";
import { loadStanding, sealLink, standingText } from "../certification/seal.js";
import { endpointDialog } from "../certification/endpoint_dialog.js";
import { planDialog } from "../certification/plan_dialog.js";
import { stacked } from "../certification/stacked.js";
import { badge, CAMPAIGNS, stateWord, tierWords, verdictWord } from "../certification/words.js";
import { api, withQuery } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { compareText, formatDate, formatPercent, t } from "../core/i18n.js";

const EVERY_MS = 5000;

class Certification extends HTMLElement {
  connectedCallback() {
    this.list = h("ul", { class: "stack certification-list", role: "list" });
    this.campaigns = h("div", {});
    replace(
      this,
      h(
        "div",
        { class: "page" },
        h(
          "div",
          { class: "page-head" },
          h(
            "div",
            {},
            h("h1", {}, t("Certification")),
            h(
              "p",
              { class: "muted" },
              t("An assistant is examined before it serves; what was found is signed, with its limits."),
            ),
          ),
          h(
            "button",
            { type: "button", class: "button", onclick: () => endpointDialog() },
            icon("globe"),
            t("Examine an address"),
          ),
        ),
        this.list,
        h("section", { class: "stack" }, h("h2", {}, t("Campaigns")), this.campaigns),
      ),
    );
    replace(
      this.list,
      Array.from({ length: 2 }, () => h("li", { class: "card" }, h("span", { class: "skeleton" }))),
    );
    document.title = `${t("Certification")} · Établi`;
    this.#load();
    this.timer = setInterval(() => document.visibilityState === "visible" && this.#loadCampaigns(), EVERY_MS);
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  async #load() {
    try {
      const all = (await api.get("/v1/etabli/assistants")).data.filter((one) => !one.faults.length);
      all.sort((one, other) => compareText(one.title, other.title));
      const standings = await Promise.all(all.map((one) => loadStanding(one.name).catch(() => null)));
      const asked = new URLSearchParams(location.search).get("assistant");
      const rows = all.map((one, place) => this.#row(one, standings[place], one.name === asked));
      replace(this.list, rows.length ? rows : h("li", { class: "muted" }, t("There is no assistant yet")));
    } catch (error) {
      replace(this.list, h("li", { class: "banner danger" }, icon("triangle-alert"), h("p", {}, error.message)));
    }
    await this.#loadCampaigns();
  }

  #row(one, standing, marked) {
    return h(
      "li",
      { class: ["card", "certification-row", marked && "marked"], dataset: { name: one.name } },
      avatar(one, { large: false }),
      h(
        "div",
        { class: "grow" },
        h("h2", {}, one.title),
        h("p", { class: "muted small" }, standing ? standingText(standing) : t("Its standing is not known.")),
      ),
      h(
        "div",
        { class: "row wrap" },
        standing && sealLink(one.name, standing),
        h(
          "button",
          {
            type: "button",
            class: "button small",
            onclick: () => planDialog(one),
            "aria-label": t("Examine {title}", { title: one.title }),
          },
          icon("list-checks", { class: "small" }),
          t("Examine"),
        ),
      ),
    );
  }

  async #loadCampaigns() {
    try {
      const { data } = await api.get(withQuery(CAMPAIGNS, { limit: 30 }));
      replace(this.campaigns, data.length ? campaignTable(data) : noCampaign());
    } catch (error) {
      if (!this.campaigns.childElementCount) replace(this.campaigns, h("p", { class: "field-error" }, error.message));
    }
  }
}

function noCampaign() {
  return h(
    "div",
    { class: "empty" },
    icon("list-checks"),
    h("h3", {}, t("No campaign yet.")),
    h(
      "p",
      {},
      t("Examine an assistant: a smoke campaign tells in a few minutes what it gets wrong, a standard one whether it may serve."),
    ),
  );
}

function campaignTable(campaigns) {
  const heads = [t("Target"), t("Begun"), t("Tier"), t("State"), t("Verdict")];
  const table = h(
    "table",
    { class: "table campaigns" },
    h(
      "thead",
      {},
      h(
        "tr",
        {},
        heads.map((one) => h("th", { scope: "col" }, one)),
      ),
    ),
    h("tbody", {}, campaigns.map(campaignRow)),
  );
  return h(
    "div",
    { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("Campaigns") },
    stacked(table),
  );
}

function campaignRow(one) {
  const { done, total } = one.progress;
  const state =
    one.state === "running"
      ? `${stateWord(one.state)} ${formatPercent(total ? done / total : 0)}`
      : stateWord(one.state);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("a", { href: `/certification/campaigns/${encodeURIComponent(one.id)}` }, one.target)),
    h("td", { class: "numbers" }, formatDate(one.created_at * 1000, "auto")),
    h("td", {}, tierWords(one.tier).name),
    h("td", {}, badge(one.state, state)),
    h("td", {}, verdictOf(one)),
  );
}

/** The verdict, which leads to the certificate where there is one. */
function verdictOf(one) {
  if (!one.verdict) return "";
  const word = badge(one.verdict, verdictWord(one.verdict));
  if (!one.certificate) return word;
  return h("a", { class: "seal", href: `/certification/certificates/${encodeURIComponent(one.certificate)}` }, word);
}

customElements.define("etabli-certification", Certification);
