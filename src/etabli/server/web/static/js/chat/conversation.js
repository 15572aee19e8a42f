/**
 * One conversation over the API: its turns on the screen, questions, answers in the making, branches. It draws nothing
 * itself but `TurnView`s into the scroller.
 *
 *   new Conversation({scroller, owner, onChange});  onChange({id, title, busy, turns}) after anything changed
 */

import { api, ApiError, withQuery } from "../core/api.js";
import { publish } from "../core/channel.js";
import { t, toDate } from "../core/i18n.js";
import { cancelResponse, followResponse, streamResponse } from "../core/responses.js";
import { toastError } from "../core/toast.js";
import { TurnView } from "./turn.js";

const PAGE = 40;

export class Conversation {
  #views = [];
  #stream = null; // {view, controller} of the answer in the making
  #making = null;
  #opened = 0;

  constructor({ scroller, owner, onChange }) {
    this.scroller = scroller;
    this.owner = {
      ...owner,
      onRegenerate: (view) => this.regenerate(view),
      onEdit: (view, text) => this.ask({ text, attachments: view.turn.attachments ?? [], replaces: view }),
      onRetry: (view) => this.retry(view),
      onSibling: (view, id) => this.show(id),
    };
    this.onChange = onChange;
    this.id = null;
    this.entry = null;
    this.model = null;
  }

  get busy() {
    return this.#stream !== null;
  }

  get views() {
    return this.#views;
  }

  get title() {
    return this.entry?.title ?? null;
  }

  /** Show a conversation, or an empty place for a new one. @param {string|null} id */
  async open(id) {
    this.close();
    const opened = (this.#opened += 1);
    this.id = id;
    if (id === null) return this.#told();
    const [entry, page] = await Promise.all([this.#get(""), this.#get(`/turns?limit=${PAGE}`)]);
    if (opened !== this.#opened) return;
    this.entry = entry;
    this.#draw(page);
    this.scroller.toEnd();
    this.#told();
  }

  /** Leave it; an answer in the making goes on at the server. */
  close() {
    this.#stream?.controller.abort();
    this.#stream = null;
    this.#making = null;
    this.#opened += 1;
    for (const view of this.#views) this.#drop(view);
    this.#views = [];
    this.scroller.content.replaceChildren();
    this.id = null;
    this.entry = null;
    this.scroller.hasOlder = false;
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
   *   replaces: the turn beside which the new one stands
   */
  async ask({ text, attachments = [], replaces }) {
    const documents = attachments.length ? attachments.map((one) => one.document_id) : undefined;
    const body = {
      model: this.model,
      input: text,
      etabli: { stages: true, trace: true, attachments: documents, replaces: replaces?.id ?? undefined },
    };
    const turn = { ...emptyTurn(this.model), input_text: text, attachments };
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
    await this.#run(body, { ...emptyTurn(this.model), input_text, attachments }, view).catch(() => {});
  }

  /** After an error: again, whether the question was stored or not. @param {TurnView} view */
  async retry(view) {
    if (view.id) return this.regenerate(view);
    const { input_text, attachments } = view.turn;
    const place = this.#views.indexOf(view);
    this.#cut(place);
    await this.ask({ text: input_text, attachments }).catch(() => {});
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
    const wanted = Math.max(PAGE, this.#views.length);
    const [entry, page] = await Promise.all([this.#get(""), this.#get(`/turns?limit=${Math.min(wanted, PAGE)}`)]);
    if (opened !== this.#opened || this.busy) return;
    this.entry = entry;
    this.#merge(page);
    this.#views.find((view) => keep && view.id === keep)?.element.focus();
    this.#told();
  }

  /** Show the page of turns before the first one. @returns {Promise<boolean>} whether there are more */
  async older() {
    const first = this.#views.find((view) => view.id)?.id;
    if (!first) return false;
    const opened = this.#opened;
    try {
      const page = await this.#get(withQuery("/turns", { before: first, limit: PAGE }));
      if (opened !== this.#opened) return false;
      const views = page.data.map((turn) => this.#view(turn));
      this.#views.unshift(...views);
      this.scroller.anchored(() => this.scroller.content.prepend(...views.map((view) => view.element)));
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
    const view = this.#view({ ...turn, status: "in_progress" });
    if (replaces) this.#cut(this.#views.indexOf(replaces));
    this.#append(view);
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
      else if (this.#stream?.view === view) this.#failed(view, new Error(t("Stopped before it was sent.")));
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

  /* --- turns on the screen --- */

  #view(turn) {
    const view = new TurnView(turn, { ...this.owner, onChange: () => this.scroller.keep() });
    this.scroller.watch(view);
    return view;
  }

  #append(view) {
    this.#views.push(view);
    this.scroller.content.append(view.element);
  }

  /** Everything from a place on goes: another branch takes it. */
  #cut(place) {
    if (place < 0) return;
    for (const view of this.#views.splice(place)) this.#drop(view);
  }

  #drop(view) {
    this.scroller.forget(view);
    view.answer.close();
    view.element.remove();
  }

  #draw(page) {
    for (const turn of page.data) this.#append(this.#view(turn));
    this.scroller.hasOlder = page.has_more;
    this.#joinLast();
  }

  /** The newest page again: what is the same stays, what differs from some place on is drawn anew. */
  #merge(page) {
    const first = page.data[0];
    const start = first ? this.#views.findIndex((view) => view.id === first.response_id) : 0;
    if (start < 0) {
      this.#cut(0);
      return this.#draw(page);
    }
    let place = start;
    for (const turn of page.data) {
      const view = this.#views[place];
      if (view?.id !== turn.response_id) break;
      if (!same(view.turn, turn)) view.update(turn);
      place += 1;
    }
    this.#cut(place);
    for (const turn of page.data.slice(place - start)) this.#append(this.#view(turn));
    this.#joinLast();
  }

  #joinLast() {
    const last = this.#views.at(-1);
    if (last?.turn.status === "in_progress" && last.id) this.#follow(last);
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

/** Whether a turn looks the same. */
function same(one, other) {
  const seen = ({ status, siblings, output_text, annotations, feedback, completed_at, attachments }) =>
    JSON.stringify([status, siblings, output_text, annotations?.length, feedback, completed_at, attachments]);
  return seen(one) === seen(other);
}
