/**
 * Where a question is written. Enter sends, Shift-Enter begins a line, Escape stops the answer. What is written is kept
 * for each conversation, also when the page is loaded again.
 *
 *   new Composer({picker, conversation, onSend({text, attachments}) → Promise, onStop})
 */

import { h, icon, iconButton, replace } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { recall, remember } from "../core/storage.js";
import { toast, toastError } from "../core/toast.js";
import { Attachments } from "./attachments.js";

const KEEP_MS = 300;
const MOST_FILES = 20;

export class Composer {
  #key = "draft.new";
  #timer = 0;
  #busy = false;
  #opened = false;

  constructor({ picker, conversation, onSend, onStop }) {
    this.onSend = onSend;
    this.onStop = onStop;
    this.attachments = new Attachments({
      conversation,
      onChange: () => {
        this.#drawHint();
        if (this.#opened) this.#keep();
      },
    });
    this.hint = h("p", { class: "composer-hint" });
    this.field = h("textarea", {
      class: "composer-text",
      rows: 1,
      dir: "auto",
      "aria-label": t("Your question"),
      placeholder: t("Ask a question…"),
      enterkeyhint: "send",
      oninput: () => this.#changed(),
      onkeydown: (event) => this.#pressed(event),
      onpaste: (event) => this.#pasted(event),
    });
    this.files = h("input", {
      type: "file",
      multiple: true,
      class: "visually-hidden",
      tabindex: "-1",
      "aria-hidden": "true",
      onchange: () => {
        this.#add(this.files.files);
        this.files.value = "";
      },
    });
    this.send = h("button", { class: "send", type: "submit" });
    this.element = h(
      "form",
      { class: "composer", onsubmit: (event) => this.#submit(event) },
      this.attachments.element,
      this.hint,
      this.field,
      h(
        "div",
        { class: "composer-bar" },
        iconButton("paperclip", t("Attach documents"), { onclick: () => this.files.click() }),
        this.files,
        picker.element,
        h("span", { class: "grow" }),
        this.send,
      ),
    );
    this.#changed();
  }

  /** Take up the draft of a conversation. @param {string|null} id null for a new one */
  open(id) {
    if (this.#opened) this.#keep();
    this.#opened = true;
    this.#key = `draft.${id ?? "new"}`;
    const draft = recall(this.#key, {});
    this.field.value = draft.text ?? "";
    this.attachments.set(draft.attachments ?? []);
    this.#changed({ kept: true });
  }

  /** The conversation has its id now: the draft goes with it. @param {string} id */
  become(id) {
    remember(this.#key, null);
    this.#key = `draft.${id}`;
    this.#keep();
  }

  /** An answer is being written: the button stops it. */
  set busy(value) {
    this.#busy = value;
    this.#drawSend();
    this.#drawHint();
  }

  /** @param {string} text in the place of what is written */
  write(text) {
    this.field.value = text;
    this.#changed();
    this.focus();
  }

  focus() {
    this.field.focus({ preventScroll: true });
  }

  /** Files that were dropped somewhere on the page. @param {Iterable<File>} files */
  drop(files) {
    this.#add(files);
    this.focus();
  }

  /** Send what is written now. */
  async submit() {
    const text = this.field.value.trim();
    if (text) await this.ask(text);
  }

  /** Ask something with the documents that are attached. @param {string} text */
  async ask(text) {
    const { attachments } = this;
    if (this.#busy) return;
    if (attachments.sending) return void toast(t("Wait until the documents are sent."));
    const documents = attachments.documents;
    if (this.field.value.trim() === text) this.field.value = "";
    attachments.set([]);
    this.#changed();
    this.#keep();
    try {
      await this.onSend({ text, attachments: documents });
    } catch (error) {
      toastError(error);
      if (this.field.value) return;
      this.field.value = text; // nothing was asked: nothing is lost
      attachments.set(documents);
      this.#changed();
    }
  }

  #submit(event) {
    event.preventDefault();
    if (this.#busy) this.onStop();
    else this.submit();
  }

  #pressed(event) {
    if (event.isComposing) return;
    if (event.key === "Enter" && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") {
      if (!this.#busy) return;
      event.preventDefault();
      this.onStop();
    }
  }

  #pasted(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || event.clipboardData.types.includes("text/plain")) return;
    event.preventDefault();
    this.#add(files);
  }

  #add(files) {
    const list = [...files];
    if (list.length > MOST_FILES)
      return void toast(
        t("Attach at most {count} files at once; the Documents page takes whole folders.", { count: MOST_FILES }),
        { kind: "error" },
      );
    if (list.length) this.attachments.add(list);
  }

  #changed({ kept = false } = {}) {
    if (!this.field) return;
    if (!CSS.supports("field-sizing", "content")) {
      this.field.style.setProperty("height", "auto");
      this.field.style.setProperty("height", `${this.field.scrollHeight}px`);
    }
    this.#drawSend();
    if (kept) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keep(), KEEP_MS);
  }

  /** Remember what is written. */
  #keep() {
    clearTimeout(this.#timer);
    const text = this.field.value;
    const attachments = this.attachments.documents;
    remember(this.#key, text || attachments.length ? { text, attachments } : null);
  }

  /** What is attached while an answer is written is not part of that answer. */
  #drawHint() {
    const waits = this.#busy && !this.attachments.element.hidden;
    const sentence = waits ? t("What you attach now goes with your next question.") : "";
    if (this.hint.textContent === sentence) return;
    this.hint.textContent = sentence;
    announce(sentence);
  }

  #drawSend() {
    if (!this.send) return;
    const stops = this.#busy;
    const label = stops ? t("Stop the answer") : t("Send");
    const empty = !this.field.value.trim();
    this.send.disabled = !stops && empty;
    this.send.classList.toggle("stop", stops);
    if (this.send.dataset.tip === label) return;
    this.send.dataset.tip = label;
    this.send.setAttribute("aria-label", label);
    this.send.type = "submit";
    replace(this.send, icon(stops ? "square" : "arrow-up"));
  }
}
