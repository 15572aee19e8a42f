/** Style sheets of parts that come later: loaded with the part, not with every page that may show it. */

/** @type {Map<string, Promise<void>>} */
const loading = new Map();

/** @param {string} name of `css/<name>.css` @returns {Promise<void>} when its part can be drawn */
export function loadSheet(name) {
  if (!loading.has(name)) {
    loading.set(
      name,
      new Promise((resolve) => {
        const link = document.createElement("link");
        link.rel = "stylesheet";
        link.href = new URL(`../../css/${name}.css`, import.meta.url).pathname;
        // Without it the part can still be read.
        link.addEventListener("load", () => resolve());
        link.addEventListener("error", () => resolve());
        document.head.append(link);
      }),
    );
  }
  return loading.get(name);
}
