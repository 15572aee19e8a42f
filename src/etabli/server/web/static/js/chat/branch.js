/** The turns of one conversation that are on the screen, oldest first: the branch that is shown. */

import { arrived, fetchLater } from "../core/later.js";

/** @type {typeof import("./turn.js").TurnView} */
let TurnView;

/**
 * Turns and all that they are drawn with come with the first question, not with the empty page. To be awaited before a
 * turn is shown.
 */
export async function loadTurns() {
  if (TurnView) return;
  fetchLater("js/chat/turn.js");
  ({ TurnView } = await arrived(import("./turn.js")));
}

/** How many turns at the end are drawn at once; the others when they come near. */
const DRAWN = 4;

export class Branch {
  /** @type {TurnView[]} */
  views = [];

  /** @param {any} scroller @param {Object<string, any>} owner as for TurnView */
  constructor(scroller, owner) {
    this.scroller = scroller;
    this.owner = owner;
  }

  get last() {
    return this.views.at(-1) ?? null;
  }

  /** Of the oldest turn that the server knows. */
  get firstId() {
    return this.views.find((view) => view.id)?.id ?? null;
  }

  /** @param {any} turn at the end @returns {TurnView} */
  append(turn) {
    const view = new TurnView(turn, this.owner);
    this.#put(view);
    return view;
  }

  /** @param {any[]} turns before the first one; what is read does not move */
  prepend(turns) {
    const views = turns.map((turn) => new TurnView(turn, this.owner, { folded: true }));
    this.views.unshift(...views);
    this.scroller.anchored(() => this.scroller.content.prepend(...views.map((view) => view.element)));
    for (const view of views) this.scroller.watch(view);
  }

  /** Everything from a turn on goes: another branch takes its place. @param {TurnView} view */
  cut(view) {
    this.#cutFrom(this.views.indexOf(view));
  }

  clear() {
    this.#cutFrom(0);
    this.scroller.content.replaceChildren();
    this.scroller.hasOlder = false;
  }

  /**
   * The newest page of turns: what is the same stays, what differs from some place on is drawn anew. Questions that
   * could not be sent stay at the end.
   * @param {{data: any[], has_more: boolean}} page
   */
  show({ data, has_more: more }) {
    const unsent = this.views.filter((view) => !view.id && !isAsked(view, data));
    const first = data.length ? this.views.findIndex((view) => view.id === data[0].response_id) : 0;
    const known = first >= 0 && this.views.length > 0;
    let place = known ? first : 0;
    let count = 0;
    for (; known && count < data.length && this.views[place]?.id === data[count].response_id; count += 1, place += 1) {
      if (!same(this.views[place].turn, data[count])) this.views[place].update(data[count]);
    }
    this.#cutFrom(place);
    data.slice(count).forEach((turn, number, rest) => {
      this.#put(new TurnView(turn, this.owner, { folded: number < rest.length - DRAWN }));
    });
    for (const view of unsent) this.#put(view);
    if (!known || first === 0) this.scroller.hasOlder = more;
  }

  #put(view) {
    this.views.push(view);
    this.scroller.content.append(view.element);
    this.scroller.watch(view);
  }

  #cutFrom(place) {
    if (place < 0) return;
    for (const view of this.views.splice(place)) {
      this.scroller.forget(view);
      view.drop();
    }
  }
}

/** Whether a question without an answer got to the server after all. */
function isAsked(view, turns) {
  const last = turns.at(-1);
  return view.running || (last?.input_text === view.turn.input_text && last.created_at >= view.turn.created_at);
}

/** Whether a turn looks the same. */
function same(one, other) {
  const seen = ({ status, siblings, output_text, annotations, feedback, completed_at, attachments }) =>
    JSON.stringify([status, siblings, output_text, annotations?.length, feedback, completed_at, attachments]);
  return seen(one) === seen(other);
}
