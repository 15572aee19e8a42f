/** The ways to add files to a collection: the button with its menu, and dropping on the page or on a collection. */

import { h, icon } from "../core/dom.js";
import { t } from "../core/i18n.js";
import { menuButton } from "../core/menu.js";
import { toast } from "../core/toast.js";
import { chosenFiles, droppedFiles, hasFiles } from "./dropping.js";

export class Adding {
  #page;
  #shelf;
  #uploads;
  #create;
  #depth = 0;

  /**
   * @param {HTMLElement} page where files may be dropped; an element with `data-collection` in it is a collection
   * @param {{shelf: import("./shelf.js").Shelf, uploads: import("./uploads.js").Uploads, create: () => Promise<any>}} parts
   *   create: asks for a new collection, when there is none to drop on
   */
  constructor(page, { shelf, uploads, create }) {
    this.#page = page;
    this.#shelf = shelf;
    this.#uploads = uploads;
    this.#create = create;
    this.files = this.#input({ multiple: true });
    this.folder = this.#input({ webkitdirectory: true });
    this.hint = h("div", { class: "drop-hint", hidden: true, "aria-hidden": "true" }, icon("upload", { class: "large" }), h("p", {}));
    this.button = h("button", { class: "button primary", type: "button" }, icon("upload"), t("Add"));
    menuButton(
      this.button,
      () => [
        { label: t("Files"), icon: "file-plus", run: () => this.chooseFiles() },
        { label: t("A whole folder"), icon: "folder-up", run: () => this.chooseFolder() },
      ],
      { label: t("Add"), align: "end" },
    );
    page.addEventListener("dragenter", (event) => this.#drag(event, 1));
    page.addEventListener("dragleave", (event) => this.#drag(event, -1));
    page.addEventListener("dragover", (event) => this.#over(event));
    page.addEventListener("drop", (event) => this.#drop(event));
  }

  /** What the page has to hold besides the button. */
  get parts() {
    return [this.files, this.folder, this.hint];
  }

  chooseFiles() {
    this.files.click();
  }

  chooseFolder() {
    this.folder.click();
  }

  #input(kind) {
    const input = h("input", {
      type: "file", hidden: true, "aria-hidden": "true", tabindex: "-1", ...kind,
      onchange: () => {
        this.#send(chosenFiles(input.files), this.#shelf.collection);
        input.value = "";
      },
    });
    return input;
  }

  #drag(event, way) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    // Each element that the pointer enters says so, and each that it leaves.
    this.#depth = Math.max(0, this.#depth + way);
    this.#aim(this.#depth === 0 ? null : event);
  }

  #over(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    this.#aim(event);
  }

  /** Say where the files would go: the collection under the pointer, or the one that is shown. */
  #aim(event) {
    const target = event && this.#target(event);
    for (const row of this.#page.querySelectorAll("[data-collection].aimed")) row.classList.remove("aimed");
    this.hint.hidden = !target;
    if (!target) return;
    rowOf(event)?.classList.add("aimed");
    this.hint.querySelector("p").textContent = t("Drop to add to “{name}”", { name: target.name });
  }

  #target(event) {
    const id = Number(rowOf(event)?.dataset.collection ?? this.#shelf.collectionId);
    return this.#shelf.collections?.find((one) => one.id === id) ?? null;
  }

  async #drop(event) {
    if (!hasFiles(event)) return;
    event.preventDefault();
    this.#depth = 0;
    const target = this.#target(event);
    this.#aim(null);
    const coming = droppedFiles(event.dataTransfer);
    try {
      const found = await coming;
      this.#send(found, target ?? (await this.#create()));
    } catch {
      toast(t("What was dropped cannot be opened. Choose the files with the button instead."), { kind: "error" });
    }
  }

  #send(found, collection) {
    if (!collection) return;
    if (found.length) this.#uploads.add(found, collection);
    else toast(t("There is no file in it."));
  }
}

/** The collection under the pointer. */
function rowOf(event) {
  return event.target instanceof Element ? event.target.closest("[data-collection]") : null;
}
