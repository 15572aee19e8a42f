/** A place to drop or choose one file of examples; it is sent at once. `onFile` gets it as `/v1/files` describes it. */

import { h, icon, replace, uid } from "../core/dom.js";
import { formatBytes, formatPercent, t } from "../core/i18n.js";
import { announce } from "../core/live.js";
import { hasFiles } from "../documents/dropping.js";
import { sendExamples } from "./files.js";

export class FileField {
  #work = null;

  /** @param {{label: string, hint: any, onFile: (file: any) => void}} options */
  constructor({ label, hint, onFile }) {
    this.label = label;
    this.onFile = onFile;
    this.input = h("input", {
      type: "file",
      class: "visually-hidden",
      accept: ".jsonl,.json,.ndjson",
      id: uid("examples"),
      onchange: () => {
        const [file] = this.input.files;
        this.input.value = "";
        if (file) this.send(file);
      },
    });
    const described = uid("hint");
    this.input.setAttribute("aria-describedby", described);
    this.state = h("div", { class: "drop-state", role: "status" });
    this.element = h(
      "div",
      { class: "drop-zone" },
      icon("upload", { class: "large" }),
      this.input,
      h("label", { class: "button primary", for: this.input.id }, label),
      h("p", { class: "muted small", id: described }, hint),
      this.state,
    );
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
      this.element.addEventListener(kind, (event) => this.#drag(event));
  }

  #drag(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this.element.classList.toggle("aimed", event.type === "dragenter" || event.type === "dragover");
    if (event.type !== "drop") return;
    const [file] = event.dataTransfer.files;
    if (file) this.send(file);
  }

  /** Send a file, in the place of one that is under way. @param {File} file */
  async send(file) {
    this.#work?.abort();
    const work = (this.#work = new AbortController());
    const bar = h("progress", { class: "progress", max: 1, value: 0, "aria-label": t("Sent of {name}", { name: file.name }) });
    const part = h("span", { class: "numbers" });
    replace(this.state, h("p", { class: "small" }, t("Sending {name}", { name: file.name }), " ", part), bar);
    const onProgress = (fraction) => {
      bar.value = fraction;
      part.textContent = formatPercent(fraction);
    };
    try {
      const sent = await sendExamples(file, { onProgress, signal: work.signal });
      if (work.signal.aborted) return;
      this.show(sent);
      this.onFile(sent);
    } catch (error) {
      if (error.name === "AbortError") return;
      replace(this.state, h("p", { class: "field-error" }, error.message));
    }
  }

  /** Name the file that is there now. @param {any} sent */
  show(sent) {
    replace(
      this.state,
      h("p", { class: "row wrap small" }, icon("file-text", { class: "small" }), h("span", { class: "strong" }, sent.filename), h("span", { class: "muted numbers" }, formatBytes(sent.bytes))),
    );
    announce(t("{name} is here.", { name: sent.filename }));
  }

  /** Wait for something that happens to the file. @param {string} text */
  wait(text) {
    replace(this.state, h("p", { class: "row wrap small" }, h("span", { class: "spinner" }), text));
  }
}
