/**
 * Formulas as readable text: the usual commands of LaTeX become Unicode, raised and lowered words. What it does not know
 * stays as it is written; the source is the element's title.
 */

import { h } from "../core/dom.js";
import { ACCENTS, FUNCTIONS, SETS, SYMBOLS } from "./math_symbols.js";

const LONGEST = 4000;
const DEEPEST = 20;
const TOKEN = /\\([a-zA-Z]+)\*?[ \t\n]*|\\\\|\\([^a-zA-Z])|([{}^_&~])|(\s+)|([^\\{}^_&~\s])/gy;
const TEXTS = new Set(["text", "textrm", "mathrm", "operatorname", "mbox", "textit", "textnormal"]);
const STRONG = new Set(["mathbf", "boldsymbol", "textbf", "bm"]);
const PLAIN = new Set(["mathit", "mathcal", "mathsf", "mathtt", "mathscr", "boxed", "displaystyle", "textstyle"]);
const SKIPPED = new Set(["left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "limits", "nolimits", "bigg"]);
/** Signs that stand between two things, with the space that belongs on both sides. */
const BETWEEN = /^[=<>≤≥≠≈∼≃≡≅∝≪≫→⟶⇒⟹←⇐↔⇔⟺↦∈∉∋⊂⊆⊃⊇⊨⊢∣⊥∥+−×÷·±∓∗⋆∘∪∩∖∧∨⊕⊗]$/u;
const SPACE = "\u2005";
const SPACES = { ",": "\u2009", ";": "\u2005", ":": "\u2005", "!": "", " ": " ", "\n": " " };

/**
 * @param {string} source LaTeX @param {{display?: boolean}} [options] @returns {HTMLElement}
 */
export function formulaNode(source, { display = false } = {}) {
  const content = source.length > LONGEST ? [source] : new Reader(source).all();
  return h("span", { class: ["math", display && "display"], title: source }, content);
}

class Reader {
  constructor(source) {
    this.source = source;
    this.tokens = [...source.matchAll(TOKEN)].map((match) => ({
      raw: match[0],
      command: match[1],
      escaped: match[2],
      mark: match[3],
      space: match[4],
      character: match[5],
    }));
    this.place = 0;
    this.depth = 0;
  }

  all() {
    const nodes = [];
    while (this.place < this.tokens.length) nodes.push(...this.sequence(), this.#stray());
    return nodes;
  }

  /** A closing brace without its opening one. */
  #stray() {
    if (this.place >= this.tokens.length) return "";
    this.place += 1;
    return "";
  }

  /** Everything up to the closing brace or the end. */
  sequence() {
    const nodes = [];
    let open = true; // nothing before, or a sign: a sign here belongs to what follows, as in “−x”
    while (this.place < this.tokens.length && this.tokens[this.place].mark !== "}") {
      const node = this.one();
      if (node === "") continue;
      const between = typeof node === "string" && BETWEEN.test(node) && !open;
      nodes.push(between ? SPACE + node + SPACE : node);
      open = typeof node === "string" && (BETWEEN.test(node) || /^[([{,;⟨]$/.test(node));
    }
    return nodes.flat();
  }

  /** The next thing: a group, a command with what belongs to it, a character. */
  one() {
    const token = this.tokens[this.place];
    this.place += 1;
    if (token.mark === "{") return this.#group();
    if (token.mark === "^" || token.mark === "_") return h(token.mark === "^" ? "sup" : "sub", null, this.argument());
    if (token.space) return "";
    if (token.mark === "&" || token.mark === "~") return " ";
    if (token.raw === "\\\\") return h("br");
    if (token.escaped !== undefined) return SPACES[token.escaped] ?? token.escaped;
    if (token.command !== undefined) return this.#command(token);
    if (/[a-zA-Z]/.test(token.character ?? "")) return h("i", null, token.character);
    return { "-": "−", "*": "∗", "'": "′" }[token.character] ?? token.character ?? "";
  }

  /** What a command is about: a group or a single thing. */
  argument() {
    while (this.tokens[this.place]?.space) this.place += 1;
    if (this.place >= this.tokens.length || this.tokens[this.place].mark === "}") return [];
    return [this.one()].flat();
  }

  #group() {
    this.depth += 1;
    if (this.depth > DEEPEST) {
      this.depth -= 1;
      return "{";
    }
    const nodes = this.sequence();
    if (this.place < this.tokens.length) this.place += 1;
    this.depth -= 1;
    return nodes;
  }

  #command({ command, raw }) {
    if (command in SYMBOLS) return SYMBOLS[command];
    if (FUNCTIONS.has(command)) return h("span", { class: "upright" }, command);
    if (TEXTS.has(command)) return h("span", { class: "upright" }, this.#words());
    if (SKIPPED.has(command)) return this.tokens[this.place]?.raw === "." ? this.#skip() : "";
    if (STRONG.has(command)) return h("strong", null, this.argument());
    if (PLAIN.has(command)) return this.argument();
    if (command === "mathbb") return this.#words().replace(/[A-Z]/g, (letter) => SETS[letter] ?? letter);
    if (command in ACCENTS) return this.#accent(ACCENTS[command]);
    if (command === "frac" || command === "dfrac" || command === "tfrac") return this.#fraction();
    if (command === "binom") return ["(", this.argument(), " ", this.argument(), ")"].flat();
    if (command === "sqrt") return this.#root();
    if (command === "begin" || command === "end") return this.#skipName();
    return raw;
  }

  /** The characters of the next group, spaces kept. */
  #words() {
    while (this.tokens[this.place]?.space) this.place += 1;
    if (this.tokens[this.place]?.mark !== "{")
      return (this.tokens[this.place]?.raw && this.tokens[this.place++].raw) || "";
    let text = "";
    for (this.place += 1; this.place < this.tokens.length; this.place += 1) {
      if (this.tokens[this.place].mark === "}") {
        this.place += 1;
        break;
      }
      const token = this.tokens[this.place];
      text += token.mark === "{" ? "" : (token.escaped ?? token.raw);
    }
    return text;
  }

  #accent(mark) {
    const inside = h("span", null, this.argument());
    if (inside.textContent.length !== 1) return [inside, mark === "\u0305" || mark === "\u0304" ? "\u0305" : ""];
    return h("i", null, inside.textContent + mark);
  }

  #fraction() {
    const [above, below] = [this.argument(), this.argument()];
    return h(
      "span",
      { class: "fraction" },
      h("span", null, above),
      h("span", { class: "fraction-line" }, "/"),
      h("span", null, below),
    );
  }

  #root() {
    let degree = null;
    if (this.tokens[this.place]?.raw === "[") {
      degree = [];
      for (this.place += 1; this.place < this.tokens.length && this.tokens[this.place].raw !== "]";)
        degree.push(this.one());
      this.place += 1;
    }
    return [degree && h("sup", null, degree), "√", h("span", { class: "root" }, this.argument())].filter(Boolean);
  }

  #skip() {
    this.place += 1;
    return "";
  }

  #skipName() {
    if (this.tokens[this.place]?.mark === "{") this.#words();
    return "";
  }
}
