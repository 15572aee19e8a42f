/**
 * One conversation over the API: questions, answers in the making, branches. What is on the screen is its `Branch`.
 *
 *   new Conversation({scroller, owner, onChange});  onChange({created?}) after anything changed
 */

import { api, ApiError, withQuery } from "../core/api.js";
import { publish } from "../core/channel.js";
import { t, toDate } from "../core/i18n.js";
import { cancelResponse, followResponse, streamResponse } from "../core/responses.js";
import { toastError } from "../core/toast.js";
import { Branch, loadTurns } from "./branch.js";

const PAGE = 40;

export class Conversation {
  #stream = null; // {view, controller} of the answer in the making
  #making = null;
  #opened = 0;

  constructor({ scroller, owner, onChange }) {
    this.scroller = scroller;
    this.owner = owner;
    this.branch = new Branch(scroller, {
      ...owner,
      onRegenerate: (view) => this.regenerate(view),
      onEdit: (view, text) =>
        this.ask({ text, attachments: view.turn.attachments ?? [], replaces: view }).catch(toastError),
      onRetry: (view) => this.retry(view),
      onSibling: (view, id) => this.show(id),
    });
    this.onChange = onChange;
    this.id = null;
    this.entry = null;
    /** Whether its turns are not known yet. */
    this.loading = false;
    this.model = null;
  }

  get busy() {
    return this.#stream !== null;
  }

  get views() {
    return this.branch.views;
  }

  get title() {
    return this.entry?.title ?? null;
  }

  /** Show a conversation, or an empty place for a new one. @param {string|null} id */
  async open(id) {
    this.close();
    const opened = (this.#opened += 1);
    this.id = id;
    this.loading = id !== null;
    this.#told();
    if (id === null) return;
    const [entry, page] = await Promise.all([this.#get(""), this.#get(`/turns?limit=${PAGE}`), loadTurns()]);
    if (opened !== this.#opened) return;
    this.loading = false;
    this.entry = entry;
    this.#show(page);
    this.scroller.toEnd();
    this.#told();
  }

  /** Leave it; an answer in the making goes on at the server. */
  close() {
    this.#stream?.controller.abort();
    this.#stream = null;
    this.#making = null;
    this.#opened += 1;
    this.branch.clear();
    this.id = null;
    this.entry = null;
  }

  /** Its id; it is made when there is none. @returns {Promise<string>} */
  ensure() {
    if (this.id !== null) return Promise.resolve(this.id);
    const opened = this.#opened;
    this.#making ??= api.post("/v1/conversations", {}).then(
      (made) => {
        if (opened !== this.#opened) return made.id;
        this.id = made.id;
        this.#making = null;
        this.onChange({ created: true });
        return made.id;
      },
      (error) => {
        this.#making = null;
        throw error;
      },
    );
    return this.#making;
  }

  /**
   * Ask. @param {{text: string, attachments?: {document_id: number, name: string}[], replaces?: TurnView}} question
   *   replaces: the turn beside which the new one stands, or its id
   */
  async ask({ text, attachments = [], replaces }) {
    const documents = attachments.length ? attachments.map((one) => one.document_id) : undefined;
    const body = {
      model: this.model,
      input: text,
      etabli: { stages: true, trace: true, attachments: documents, replaces: replaces?.id ?? replaces },
    };
    const turn = { ...emptyTurn(this.model), input_text: text, attachments, replaces: body.etabli.replaces };
    await this.#run(body, turn, replaces);
  }

  /** The same question again. @param {TurnView} view */
  async regenerate(view) {
    if (this.busy || !view.id) return;
    const body = {
      model: this.model ?? view.turn.assistant ?? view.turn.model,
      etabli: { stages: true, trace: true, replaces: view.id },
    };
    const { input_text, attachments } = view.turn;
    await this.#run(body, { ...emptyTurn(this.model), input_text, attachments }, view).catch(toastError);
  }

  /** After an error: again, whether the question was stored or not. @param {TurnView} view */
  async retry(view) {
    if (view.id) return this.regenerate(view);
    const { input_text, attachments, replaces } = view.turn;
    this.branch.cut(view);
    await this.ask({ text: input_text, attachments, replaces }).catch(toastError);
  }

  /** Show the branch through a turn. @param {string} response */
  async show(response) {
    if (this.busy) return;
    try {
      this.entry = await api.patch(this.#path(""), { head: response });
      this.scroller.hold();
      await this.refresh({ keep: response });
      publish("conversation", { id: this.id, change: "updated" });
    } catch (error) {
      toastError(error);
    }
  }

  /** Stop the answer in the making; what is written stays. */
  async stop() {
    const view = this.#stream?.view;
    if (!view) return;
    if (!view.id) return this.#stream.controller.abort();
    try {
      await cancelResponse(view.id);
    } catch (error) {
      toastError(error);
    }
  }

  /** Bring the screen to what the server has: another tab asked, or a branch was changed. */
  async refresh({ keep } = {}) {
    if (this.id === null || this.busy) return;
    const opened = this.#opened;
    const [entry, page] = await Promise.all([this.#get(""), this.#get(`/turns?limit=${PAGE}`), loadTurns()]);
    if (opened !== this.#opened || this.busy) return;
    this.entry = entry;
    this.#show(page);
    this.views.find((view) => keep && view.id === keep)?.element.focus();
    this.#told();
  }

  /** Show the page of turns before the first one. @returns {Promise<boolean>} whether there are more */
  async older() {
    const first = this.branch.firstId;
    if (first === null) return false;
    const opened = this.#opened;
    try {
      const page = await this.#get(withQuery("/turns", { before: first, limit: PAGE }));
      if (opened !== this.#opened) return false;
      this.branch.prepend(page.data);
      return page.has_more;
    } catch (error) {
      toastError(error);
      return false;
    }
  }

  /** @param {string} title */
  async rename(title) {
    this.entry = await api.patch(this.#path(""), { title });
    publish("conversation", { id: this.id, change: "updated", title });
    this.#told();
  }

  /* --- answers in the making --- */

  async #run(body, turn, replaces) {
    if (this.busy) throw new ApiError(t("Wait for the answer, or stop it."), { status: 409 });
    const controller = new AbortController();
    if (typeof replaces === "object") this.branch.cut(replaces);
    const view = this.branch.append({ ...turn, status: "in_progress" });
    this.#stream = { view, controller };
    view.begin();
    this.scroller.toEnd();
    this.#told();
    let id;
    try {
      id = await this.ensure();
    } catch (error) {
      this.#failed(view, error);
      return;
    }
    const events = streamResponse({ ...body, conversation: id }, this.#options(view, controller));
    await this.#consume(view, controller, events, { own: true });
  }

  /** Join an answer that another tab began, or that went on while the page was loaded again. */
  #follow(view) {
    if (this.busy) return;
    const controller = new AbortController();
    this.#stream = { view, controller };
    view.begin(toDate(view.turn.created_at).getTime());
    this.#consume(view, controller, followResponse(view.id, this.#options(view, controller)));
  }

  #options(view, controller) {
    return {
      signal: controller.signal,
      onInterrupted: () => view.answer.notice(t("The connection was lost. The answer goes on; I am joining it again…")),
      onResumed: () => view.answer.notice(""),
    };
  }

  async #consume(view, controller, events, { own = false } = {}) {
    const { id } = this;
    try {
      for await (const event of events) {
        if (controller.signal.aborted) return;
        if (event.type === "error") throw new ApiError(event.message, { status: 500, code: event.code });
        const last = view.event(event);
        if (event.type === "response.created") this.#begun(event.response, own);
        if (last) break;
      }
    } catch (error) {
      if (!controller.signal.aborted) this.#failed(view, error);
      else if (this.#stream?.view === view) {
        this.#failed(view, new Error(t("Stopped before it was sent.")));
        this.refresh().catch(() => {}); // it may have been sent all the same
      }
      return;
    }
    if (this.#stream?.view !== view) return;
    this.#stream = null;
    publish("conversation", { id, change: "updated", title: this.title ?? undefined, running: false });
    this.#told({ finished: true });
    this.refresh().catch(() => {});
  }

  #begun(response, own) {
    const title = response.etabli?.title ?? null;
    const fresh = !this.entry;
    this.entry = { ...this.entry, id: this.id, title, assistant: response.model };
    const change = fresh ? "created" : "updated";
    if (own) publish("conversation", { id: this.id, change, title: title ?? undefined, running: true });
    this.#told();
  }

  #failed(view, error) {
    if (this.#stream?.view === view) this.#stream = null;
    view.fail(error);
    this.#told();
  }

  /** Draw the newest turns, and join the last answer if it is being written. */
  #show(page) {
    this.branch.show(page);
    const { last } = this.branch;
    if (last?.id && last.turn.status === "in_progress") this.#follow(last);
  }

  #get(path) {
    return api.get(this.#path(path));
  }

  #path(path) {
    return `/v1/etabli/conversations/${encodeURIComponent(this.id)}${path}`;
  }

  #told(more = {}) {
    this.onChange(more);
  }
}

function emptyTurn(model) {
  return {
    response_id: null,
    previous_response_id: null,
    siblings: [],
    created_at: new Date().toISOString(),
    completed_at: null,
    assistant: null,
    model,
    error: null,
    output_text: "",
    annotations: [],
    abstained: false,
    feedback: null,
  };
}
