/** <etabli-shared>: a conversation that somebody shared, as it was then; only to read. */

import { api } from "../core/api.js";
import { h, icon, replace } from "../core/dom.js";
import { formatDate, plural, t } from "../core/i18n.js";
import { page } from "../core/page.js";
import { assistantOf, loadAssistants } from "../chat/assistants.js";
import { TurnView } from "../chat/turn.js";
import "../shell/beside.js";

class Shared extends HTMLElement {
  async connectedCallback() {
    this.body = h(
      "div",
      { class: "turns shared-turns" },
      h("p", { class: "row muted" }, h("span", { class: "spinner" }), t("Loading…")),
    );
    this.append(this.body);
    try {
      await this.#show(await api.get(`/v1/etabli/shared/${encodeURIComponent(page.parameters.token)}`));
    } catch (error) {
      this.#missing(error);
    }
  }

  async #show({ title, assistant, created_at, turns }) {
    const known = await loadAssistants().catch(() => []); // it may have gone since
    const name = title ?? t("Conversation");
    document.title = `${name} · Établi`;
    replace(document.getElementById("topbar-title"), h("span", { class: "truncate" }, t("Shared conversation")));
    const facts = [
      assistantOf(known, assistant)?.title || assistant,
      formatDate(created_at, "date"),
      plural(turns.length, "{count} question", "{count} questions"),
    ];
    replace(
      this.body,
      h(
        "header",
        { class: "shared-head" },
        h("h1", null, name),
        h("p", { class: "muted small" }, facts.filter(Boolean).join(" · ")),
      ),
      turns.map((turn) => new TurnView({ ...turn, siblings: [] }, { readOnly: true }).element),
      h(
        "p",
        { class: "shared-end muted small" },
        t("This is a copy, as the conversation was when it was shared."),
        " ",
        h("a", { href: "/" }, t("Begin your own")),
      ),
    );
  }

  #missing(error) {
    const gone = error.status === 404;
    replace(
      this.body,
      h(
        "div",
        { class: "empty" },
        icon("link"),
        h("h1", null, gone ? t("Nothing is shared here") : t("Something went wrong.")),
        h(
          "p",
          null,
          gone ? t("The link was withdrawn, or it is not whole. Ask whoever gave it to you.") : error.message,
        ),
        h("a", { class: "button primary", href: "/" }, t("New conversation")),
      ),
    );
  }
}

customElements.define("etabli-shared", Shared);
