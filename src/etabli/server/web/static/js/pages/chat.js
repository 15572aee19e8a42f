/**
 * <etabli-chat>: a conversation, or the beginning of one. Listens on `document` to `etabli:open-conversation` and
 * `etabli:new-conversation` (from the sidebar); sources and traces open by shell/beside.js.
 */

import { subscribe } from "../core/channel.js";
import { h, icon, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { page } from "../core/page.js";
import { toastError } from "../core/toast.js";
import { withQuery } from "../core/api.js";
import { assistantOf, chosenModel, loadAssistants } from "../chat/assistants.js";
import { loadTurns } from "../chat/branch.js";
import { Composer } from "../chat/composer.js";
import { Conversation } from "../chat/conversation.js";
import { dropZone } from "../chat/dropping.js";
import { chatHeader } from "../chat/header.js";
import { chatKeys } from "../chat/keys.js";
import { AssistantPicker } from "../chat/picker.js";
import { Scroller } from "../chat/scroller.js";
import { noAssistant, welcome } from "../chat/welcome.js";
import { HeaderSeal } from "../certification/header_seal.js";
import { openTrace } from "../shell/beside.js";

class Chat extends HTMLElement {
  #assistants = null;
  #loading = null;
  #gone = false;

  connectedCallback() {
    this.scroller = new Scroller({ onNearTop: () => this.conversation.older() });
    this.picker = new AssistantPicker({ onPick: () => this.#picked() });
    this.conversation = new Conversation({
      scroller: this.scroller,
      owner: {
        onTrace: (view) => openTrace(view.id),
        notFound: (turn) => this.#notFound(turn),
      },
      onChange: (news) => this.#changed(news),
    });
    this.composer = new Composer({
      picker: this.picker,
      conversation: () => this.conversation.ensure(),
      onSend: (question) => this.#ask(question),
      onStop: () => this.conversation.stop(),
    });
    this.seal = new HeaderSeal();
    this.header = chatHeader(this.conversation, { onDeleted: () => this.#go(null), seal: this.seal.element });
    this.start = h("div", { class: "chat-start" });
    this.append(
      h("h1", { class: "visually-hidden" }, t("Conversation")),
      this.seal.banner,
      this.scroller.element,
      this.start,
      h(
        "div",
        { class: "chat-foot" },
        this.composer.element,
        h("p", { class: "chat-note" }, t("Answers may be wrong: look at their sources.")),
      ),
    );
    dropZone(this, (files) => this.composer.drop(files));
    chatKeys(this);
    // A question is coming: what shows its answer comes meanwhile. When that fails, asking says so.
    this.addEventListener("input", () => loadTurns().catch(() => {}), { once: true });
    this.#listen();
    this.#open(page.parameters.id ?? null);
    this.#loading = this.#loadAssistants();
  }

  async #ask({ text, attachments }) {
    await Promise.all([this.#loading, loadTurns()]);
    this.conversation.model = this.picker.model;
    await this.conversation.ask({ text, attachments });
  }

  #listen() {
    const take = (event, id) => {
      event.preventDefault();
      this.#go(id);
    };
    document.addEventListener("etabli:open-conversation", (event) => take(event, event.detail.id));
    document.addEventListener("etabli:new-conversation", (event) => take(event, null));
    addEventListener("popstate", () => {
      const id = /^\/c\/([^/]+)$/.exec(location.pathname)?.[1] ?? null;
      if (id !== this.conversation.id) this.#open(id === null ? null : decodeURIComponent(id));
    });
    subscribe("conversation", (news, { here }) => this.#heard(news, here));
    subscribe("assistants", () => this.#loadAssistants());
    addEventListener("pageshow", (event) => event.persisted && this.conversation.refresh().catch(() => {}));
  }

  #heard({ id, change, title }, here) {
    if (id !== this.conversation.id) return;
    if (change === "deleted") return void (here || this.#go(null));
    if (title !== undefined && this.conversation.entry && title !== this.conversation.title) {
      this.conversation.entry = { ...this.conversation.entry, title };
      this.header.draw();
    }
    if (!here) this.conversation.refresh().catch(() => {});
  }

  /** Switch without loading the page again. */
  #go(id) {
    const path = id === null ? "/" : `/c/${encodeURIComponent(id)}`;
    if (location.pathname !== path) history.pushState(null, "", path);
    this.#open(id);
    this.composer.focus();
  }

  async #open(id) {
    this.#gone = false;
    this.composer.open(id);
    this.#shown(id);
    try {
      await this.conversation.open(id);
      this.#chooseModel();
    } catch (error) {
      if (error.status === 404) this.#missing();
      else toastError(error);
    }
    if (matchMedia("(pointer: fine)").matches && !document.querySelector("dialog[open]")) this.composer.focus();
  }

  #shown(id) {
    document.dispatchEvent(new CustomEvent("etabli:conversation-shown", { detail: { id } }));
  }

  #changed({ created = false } = {}) {
    const { conversation } = this;
    if (created) {
      history.replaceState(null, "", `/c/${encodeURIComponent(conversation.id)}`);
      this.composer.become(conversation.id);
      this.#shown(conversation.id);
    }
    this.composer.busy = conversation.busy;
    this.header.draw();
    this.#drawStart();
  }

  async #loadAssistants() {
    try {
      this.#assistants = await loadAssistants();
    } catch (error) {
      toastError(error);
      return;
    }
    this.#chooseModel();
  }

  /** Who answers here: what the address says, what this conversation used, what was chosen last. */
  #chooseModel() {
    if (this.#assistants === null) return;
    const asked = new URLSearchParams(location.search).get("assistant");
    const used = this.conversation.entry?.assistant ?? this.conversation.views.at(-1)?.turn.assistant;
    const model = chosenModel(this.#assistants, asked, used, this.picker.model);
    this.picker.set(this.#assistants, model);
    this.conversation.model = model;
    this.#drawSeal();
    this.#drawStart();
  }

  #drawSeal() {
    this.seal.show(assistantOf(this.#assistants ?? [], this.picker.model)?.name ?? null);
  }

  #picked() {
    this.conversation.model = this.picker.model;
    this.#drawSeal();
    this.#drawStart();
    this.composer.focus();
  }

  #drawStart() {
    if (this.#gone) return;
    const empty = this.conversation.views.length === 0 && !this.conversation.loading;
    this.classList.toggle("empty-chat", empty);
    this.composer.element.hidden = this.#assistants?.length === 0;
    if (!empty) return replace(this.start);
    if (this.#assistants?.length === 0) return replace(this.start, noAssistant());
    const assistant = assistantOf(this.#assistants ?? [], this.picker.model);
    replace(this.start, welcome(assistant, { onQuestion: (text) => this.composer.ask(text) }));
  }

  /** What to do when the documents do not say. */
  #notFound(turn) {
    const rephrase = () => this.composer.write(turn.input_text);
    return h(
      "div",
      { class: "not-found" },
      h("p", { class: "strong" }, t("What you can do")),
      h(
        "div",
        { class: "row wrap" },
        h(
          "button",
          { class: "chip", type: "button", onclick: rephrase },
          icon("pencil", { class: "small" }),
          t("Say it otherwise"),
        ),
        h(
          "a",
          { class: "chip", href: withQuery("/documents", { query: turn.input_text }) },
          icon("text-search", { class: "small" }),
          t("Look through the documents"),
        ),
        h("a", { class: "chip", href: "/documents" }, icon("file-plus", { class: "small" }), t("Add documents")),
      ),
    );
  }

  #missing() {
    this.#gone = true;
    this.classList.remove("empty-chat");
    this.conversation.id = null;
    this.composer.element.hidden = true;
    replace(
      this.scroller.content,
      h(
        "div",
        { class: "empty" },
        icon("message-square"),
        h("h2", null, t("This conversation is not there")),
        h("p", null, t("It was deleted, or it belongs to somebody else.")),
        h("a", { class: "button primary", href: "/" }, t("New conversation")),
      ),
    );
  }
}

customElements.define("etabli-chat", Chat);
