/** Reads an answer out while it is written: to screen readers, politely, a sentence at a time. */

import { t } from "../core/i18n.js";
import { announce } from "../core/live.js";

const SENTENCE = /^[^]*?(?:[.!?…:]["»”)\]]*(?=\s)|\n\s*\n|\n(?=\s*(?:[-*+]|\d+[.)])\s))/;
/** Very short sentences (“1.”, “Oui.”) go with the next one. */
const LEAST = 12;

export class SentenceReader {
  #rest = "";
  #code = false;

  /** @param {string} piece of Markdown */
  feed(piece) {
    this.#rest += piece;
    for (let from = 0; ;) {
      const match = SENTENCE.exec(this.#rest.slice(from));
      if (!match) return;
      const end = from + match[0].length;
      if (end < LEAST) {
        from = end;
        continue;
      }
      this.#say(this.#rest.slice(0, end));
      this.#rest = this.#rest.slice(end);
      from = 0;
    }
  }

  /** The answer is whole. */
  finish() {
    this.#say(this.#rest);
    this.#rest = "";
    this.#code = false;
  }

  #say(markdown) {
    const fences = markdown.match(/^ {0,3}```/gm)?.length ?? 0;
    const hidden = this.#code;
    if (fences % 2 === 1) this.#code = !this.#code;
    if (hidden) return;
    announce(fences ? `${spoken(markdown.split("```", 1)[0])} ${t("Block of code.")}` : spoken(markdown));
  }
}

/** Markdown without its marks. @param {string} markdown */
export function spoken(markdown) {
  return markdown
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/\s*\[\d{1,3}\]/g, "")
    .replace(/^[ \t]*(?:[-*+>]|#{1,6}|\|)[ \t]*/gm, "")
    .replace(/[*_`|]{1,3}/g, "")
    .replace(/\s+/g, " ")
    .trim();
}
