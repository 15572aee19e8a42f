/** The viewer's style sheet: loaded with the viewer, not with every page that may open it. */

let loaded = null;

/** @returns {Promise<void>} when the viewer can be drawn */
export function loadSheet() {
  loaded ??= new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = new URL("../../css/sources.css", import.meta.url).pathname;
    // Without it the document can still be read.
    link.addEventListener("load", () => resolve());
    link.addEventListener("error", () => resolve());
    document.head.append(link);
  });
  return loaded;
}
