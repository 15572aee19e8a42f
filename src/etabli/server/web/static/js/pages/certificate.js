/** <etabli-certificate>: one certificate: its seal, what it says, its files, and what it lets serve. */

import { breakGlassDialog, revokeDialog } from "../certification/glass_dialog.js";
import { loadStanding, sealLink, standingText } from "../certification/seal.js";
import { loadService, serviceView } from "../certification/service_view.js";
import { stacked } from "../certification/stacked.js";
import {
  badge,
  CERTIFICATES,
  familyVerdict,
  figuresOf,
  iconOf,
  kindOf,
  verdictText,
  verdictWord,
} from "../certification/words.js";
import { api } from "../core/api.js";
import { copyText, showDone } from "../core/clipboard.js";
import { h, icon, replace } from "../core/dom.js";
import { formatDate, t } from "../core/i18n.js";
import { page } from "../core/page.js";
import { toast, toastError } from "../core/toast.js";

const SERVING = ["CERTIFIED", "CONDITIONAL"];
const COMMAND = "python verify.py certificate.json --key evaluator=evaluator.pub --evidence evidence.zip";

class Certificate extends HTMLElement {
  connectedCallback() {
    this.path = `${CERTIFICATES}/${encodeURIComponent(page.parameters.id)}`;
    this.content = h(
      "div",
      { class: "page certificate-page" },
      h("h1", {}, t("Certificate")),
      h("span", { class: "skeleton" }),
    );
    replace(this, this.content);
    this.#load();
  }

  async #load() {
    try {
      this.certificate = await api.get(this.path);
      [this.standing, this.service] = await Promise.all([
        loadStanding(this.certificate.assistant),
        loadService(this.certificate.id),
      ]);
      this.#draw();
    } catch (error) {
      replace(
        this.content,
        h("h1", {}, t("Certificate")),
        h("div", { class: "banner danger" }, icon("triangle-alert"), h("p", {}, error.message)),
      );
    }
  }

  #draw() {
    const { certificate: one } = this;
    const { predicate } = one.statement;
    const title = predicate.assistant.title ?? one.assistant;
    document.title = `${title} · ${t("Certificate")} · Établi`;
    const ended = one.not_after * 1000 < Date.now();
    const inForce = !ended && one.revoked_at === null && !this.service?.suspended;
    replace(
      this.content,
      h(
        "div",
        { class: "certificate-head" },
        h(
          "div",
          { class: ["certificate-seal", inForce && kindOf(one.verdict)], "aria-hidden": "true" },
          icon(iconOf(one.verdict)),
        ),
        h(
          "div",
          { class: "grow" },
          h("p", { class: "small" }, h("a", { href: "/certification" }, t("Certification"))),
          h("h1", {}, title),
          h("p", { class: "certificate-verdict" }, verdictWord(one.verdict)),
          h("p", { class: "muted small" }, predicate.declaration[page.language]),
        ),
      ),
      one.revoked_at !== null &&
        h(
          "div",
          { class: "banner danger" },
          icon("circle-x"),
          h(
            "p",
            {},
            t("Revoked on {date}: {reason}", {
              date: formatDate(one.revoked_at * 1000, "full"),
              reason: one.revoked_because,
            }),
          ),
        ),
      ended && h("div", { class: "banner weak" }, icon("clock"), h("p", {}, t("This certificate has ended."))),
      h("p", {}, verdictText(one.verdict, predicate.protocol.tier)),
      this.#service(),
      this.#says(predicate),
      files(this.path),
      verification(),
      this.#facts(predicate),
    );
  }

  #service() {
    const { certificate: one, standing, service } = this;
    if (!standing) return null;
    const serves = standing.certificate === one.id && standing.state !== "draft";
    const suspended = Boolean(service?.suspended);
    const button = (image, label, act, kind = "") =>
      h("button", { type: "button", class: `button ${kind}`, onclick: act }, icon(image, { class: "small" }), label);
    const base = `/v1/etabli/assistants/${encodeURIComponent(one.assistant)}`;
    return h(
      "section",
      { class: "card stack", style: { "--gap": "var(--s3)" } },
      h("div", { class: "spread wrap-narrow" }, h("h2", {}, t("In service")), sealLink(one.assistant, standing)),
      h("p", {}, standingText(standing)),
      service && (serves || suspended) && serviceView(service),
      h(
        "div",
        { class: "row wrap" },
        !serves &&
          SERVING.includes(one.verdict) &&
          one.revoked_at === null &&
          !suspended &&
          button(
            "power",
            t("Publish under this certificate"),
            () => this.#act(() => api.post(`${base}/publish`, { certificate: one.id }), t("It is published.")),
            "primary",
          ),
        serves &&
          button("archive", t("Withdraw: make it a draft"), () =>
            this.#act(() => api.del(`${base}/publish`), t("It is a draft again.")),
          ),
        standing.state === "closed" &&
          button("triangle-alert", t("Break the glass"), () => breakGlassDialog(one.assistant, () => this.#load())),
        standing.state === "break-glass" &&
          button("shield-check", t("End the exception"), () =>
            this.#act(() => api.del(`${base}/break-glass`), t("The exception has ended.")),
          ),
        one.revoked_at === null &&
          button("circle-x", t("Revoke"), () => revokeDialog(one.id, () => this.#load()), "quiet"),
      ),
    );
  }

  async #act(act, done) {
    try {
      await act();
      toast(done);
    } catch (error) {
      toastError(error);
    }
    await this.#load();
  }

  #says(predicate) {
    const claims = [...predicate.families, ...predicate.effectiveness, ...predicate.overRefusal];
    const heads = [t("Tried"), t("Went wrong"), t("Observed"), t("Bound at 95 %"), t("Threshold")];
    return h(
      "section",
      { class: "stack", style: { "--gap": "var(--s3)" } },
      h("h2", {}, t("What it says")),
      h(
        "div",
        { class: "table-frame", tabindex: "0", role: "group", "aria-label": t("Families of risk") },
        stacked(
          h(
            "table",
            { class: "table families" },
            h(
              "thead",
              {},
              h(
                "tr",
                {},
                h("th", { scope: "col" }, t("Family")),
                h("th", { scope: "col" }, t("Verdict")),
                heads.map((one) => h("th", { scope: "col", class: "end" }, one)),
              ),
            ),
            h("tbody", {}, claims.map(claimRow)),
          ),
        ),
      ),
      predicate.conditions.length > 0 && [
        h("h3", {}, t("Conditions")),
        h(
          "ul",
          {},
          predicate.conditions.map((one) => h("li", {}, one[page.language])),
        ),
      ],
      h("h3", {}, t("Not tried")),
      h(
        "p",
        { class: "small" },
        predicate.scope.notTested.map((one) => one.label[page.language]).join(" · ") ||
          t("Nothing: every family was tried."),
      ),
      h("h3", {}, t("What this does not prove")),
      h(
        "ul",
        { class: "small" },
        predicate.doesNotProve.map((one) => h("li", {}, one[page.language])),
      ),
    );
  }

  #facts(predicate) {
    const { certificate: one } = this;
    const row = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
    return h(
      "section",
      { class: "stack", style: { "--gap": "var(--s2)" } },
      h("h2", {}, t("Identity")),
      h(
        "dl",
        { class: "facts wide" },
        row(
          t("Valid"),
          t("from {first} to {last}", {
            first: formatDate(one.not_before * 1000, "full"),
            last: formatDate(one.not_after * 1000, "full"),
          }),
        ),
        row(t("SHA-256 of the signed statement"), h("code", {}, one.digest)),
        row(t("Digest of the assistant"), h("code", {}, one.bundle)),
        row(
          t("Campaign"),
          h("a", { href: `/certification/campaigns/${encodeURIComponent(one.campaign)}` }, one.campaign),
        ),
        row(
          t("Protocol registered"),
          `${formatDate(predicate.protocol.registeredAt, "full")} · ${predicate.protocol.logIndex}`,
        ),
        one.signatures.map((each) =>
          row(t("Signed by {name}", { name: each.name || t("an unknown key") }), [
            roleWord(each.role),
            " ",
            h("code", {}, each.keyid),
          ]),
        ),
      ),
    );
  }
}

function roleWord(role) {
  return { evaluator: t("Evaluator"), riskOwner: t("Answers for the risk"), auditor: t("Auditor") }[role] ?? "";
}

function claimRow(one) {
  const said = figuresOf(one);
  const cells = [one.n, said.bad, said.observed, said.bound, said.threshold];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("span", { class: "muted numbers" }, one.id), " ", one.label[page.language]),
    h("td", {}, badge(one.verdict, familyVerdict(one.verdict))),
    cells.map((cell) => h("td", { class: "end numbers" }, cell)),
  );
}

function files(path) {
  const link = (name, image, label, text) =>
    h(
      "li",
      {},
      h(
        "a",
        {
          class: "file-link card",
          href: `${path}/${name}?lang=${page.language}`,
          download: name.startsWith("report") ? null : "",
          target: name.startsWith("report") ? "_blank" : null,
          rel: "noopener",
        },
        icon(image),
        h("span", {}, h("span", { class: "strong" }, label), h("span", { class: "muted small" }, text)),
      ),
    );
  return h(
    "section",
    { class: "stack", style: { "--gap": "var(--s3)" } },
    h("h2", {}, t("Files")),
    h(
      "ul",
      { class: "file-grid", role: "list" },
      link("report.pdf", "file-text", t("Report, PDF"), t("one page to decide, then the figures, then the proof")),
      link("report.html", "globe", t("Report, web page"), t("the same, to read on a screen")),
      link("certificate.json", "shield-check", t("Certificate"), t("what was signed, and the signatures")),
      link("evidence.zip", "archive", t("Evidence"), t("every conversation, the protocol, the components")),
      link("verify.py", "code", t("Verifier"), t("one file of Python, to check without us")),
      link("evaluator.pub", "lock", t("Public key"), t("of the evaluator who signed")),
      link("junit.xml", "list-checks", "JUnit", t("for build servers")),
      link("results.sarif", "braces", "SARIF", t("for code scanners")),
    ),
  );
}

function verification() {
  const copy = h(
    "button",
    {
      type: "button",
      class: "button small",
      onclick: async () => (await copyText(COMMAND)) && showDone(copy, t("Copied")),
    },
    icon("copy", { class: "small" }),
    t("Copy"),
  );
  return h(
    "section",
    { class: "stack", style: { "--gap": "var(--s2)" } },
    h("h2", {}, t("Check it yourself")),
    h(
      "p",
      {},
      t(
        "On any machine with Python and the package cryptography; take the public key from the organisation, not from this page.",
      ),
    ),
    h("div", { class: "command" }, h("code", {}, COMMAND), copy),
  );
}

customElements.define("etabli-certificate", Certificate);
