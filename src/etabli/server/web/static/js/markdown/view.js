/**
 * Shows Markdown that comes in pieces. Only the end of the text is parsed again, 25 times a second at most and never for more
 * than a quarter of the time; blocks that are whole stay as they are.
 *
 *   const view = new MarkdownView({citations: true});  parent.append(view.element);
 *   view.append("**Hel"); view.append("lo**");  view.finish();      or  view.set(text);
 */

import { h } from "../core/dom.js";
import { colour } from "./code.js";
import { lex } from "./lexer.js";
import { mended } from "./mend.js";
import { patch } from "./patch.js";
import { blockNode } from "./render.js";

/** The last block decides what the one before it is until it has this many characters: “2” may become “2. next”. */
const DECIDED = 12;
/** Drawing takes at most one part in this many, and waits this long after it began: 25 pictures a second read well. */
const PARTS = 4;
const LEAST_MS = 40;

export class MarkdownView {
  #text = "";
  #citations;
  #onDrawn;
  #whole = []; // the text of blocks that nothing changes any more
  #open = []; // elements of the blocks at the end
  #from = 0;
  #headings = [];
  #frame = 0;
  #cost = 0;
  #drawnAt = 0;

  /** @param {{citations?: boolean, onDrawn?: () => void}} [options] citations: `[n]` names a source */
  constructor({ citations = false, onDrawn } = {}) {
    this.#citations = citations;
    this.#onDrawn = onDrawn;
    this.element = h("div", { class: "markdown" });
  }

  /** The text so far. */
  get text() {
    return this.#text;
  }

  /** Whether `[n]` names a source, for what is drawn from now on. */
  get citations() {
    return this.#citations;
  }
  set citations(value) {
    this.#citations = value;
  }

  /** Show a whole text. @param {string} text */
  set(text) {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#text = text.replace(/\r\n?/g, "\n");
    this.#drawAll(lex(this.#text));
    this.#onDrawn?.();
  }

  /** More text. @param {string} piece */
  append(piece) {
    this.#text += piece;
    if (piece.includes("\r")) this.#text = this.#text.replace(/\r\n?(?!$)/g, "\n");
    this.#frame ||= requestAnimationFrame(this.#tick);
  }

  /** The text is whole: nothing is held back any more. */
  finish() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    const text = this.#text.replace(/\r\n?/g, "\n");
    const tokens = lex(text);
    this.#text = text;
    const drawn = this.#whole.every((raw, place) => raw === tokens[place]?.raw);
    if (drawn) this.#draw({ last: true });
    else this.#drawAll(tokens);
    this.#onDrawn?.();
  }

  /** A frame of the screen: draw, unless drawing takes too large a part of the time. */
  #tick = (now) => {
    if (now - this.#drawnAt < Math.max(LEAST_MS, this.#cost * PARTS)) {
      this.#frame = requestAnimationFrame(this.#tick);
      return;
    }
    this.#frame = 0;
    const began = performance.now();
    this.#draw({ last: false });
    this.#onDrawn?.();
    this.#cost = performance.now() - began;
    this.#drawnAt = now;
  };

  #draw({ last }) {
    const rest = this.#text.slice(this.#from);
    const tokens = lex(last ? rest : mended(rest));
    const faithful =
      last ||
      rest.startsWith(
        tokens
          .slice(0, -1)
          .map((token) => token.raw)
          .join(""),
      );
    const kept = last ? tokens.length : faithful ? settled(tokens) : 0;
    const fresh = [];
    let closed = 0;
    const headings = [...this.#headings];
    tokens.forEach((token, place) => {
      const node = blockNode(token, { citations: this.#citations, headings });
      if (place < kept) {
        this.#from += token.raw.length;
        this.#whole.push(token.raw);
        if (node) closed += 1;
        this.#headings = [...headings];
      }
      if (node) fresh.push(node);
    });
    this.#show(fresh, closed);
  }

  /** Put the blocks at the end in the place of those that were shown. */
  #show(fresh, closed) {
    const shown = fresh.map((node, place) => {
      if (place >= this.#open.length) {
        this.element.append(node);
        return node;
      }
      return patch(this.#open[place], node);
    });
    for (const node of this.#open.slice(fresh.length)) node.remove();
    shown.slice(0, closed).forEach((element) => colour(element).catch(reportError));
    this.#open = shown.slice(closed);
  }

  #drawAll(tokens) {
    this.#whole = tokens.map((token) => token.raw);
    this.#open = [];
    this.#headings = [];
    this.#from = this.#text.length;
    const context = { citations: this.#citations, headings: this.#headings };
    const elements = tokens.map((token) => blockNode(token, context)).filter(Boolean);
    this.element.replaceChildren(...elements);
    for (const element of elements) colour(element).catch(reportError);
  }
}

/** How many tokens at the beginning nothing to come can change. */
function settled(tokens) {
  let last = tokens.length - 1;
  while (last >= 0 && tokens[last].type === "space") last -= 1;
  if (last < 1) return 0;
  const { raw } = tokens[last];
  const decided = raw.length >= DECIDED || raw.trimEnd().includes("\n");
  let kept = decided ? last : last - 1;
  while (kept > 0 && tokens[kept - 1].type === "space") kept -= 1;
  return Math.max(0, kept);
}
