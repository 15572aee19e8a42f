/**
 * On narrow screens the sidebar is a drawer and the panel a sheet: what lies under the one on top can be neither reached
 * nor read out. Both say here when they come and go.
 */

/** Screens where they cover the page; as in css/layout.css and css/panel.css. */
export const narrow = matchMedia("(max-width: 899px)");
const shown = { drawer: false, sheet: false };

/** @param {"drawer"|"sheet"} what @param {boolean} isShown */
export function cover(what, isShown) {
  shown[what] = isShown;
  settle();
}

/** Whether it is on top of the page now. @param {"drawer"|"sheet"} what */
export function covers(what) {
  return narrow.matches && shown[what] && !(what === "sheet" && shown.drawer);
}

function settle() {
  const [drawer, sheet] = [covers("drawer"), covers("sheet")];
  const under = { "#main": drawer || sheet, "#panel": drawer, "#sidebar": sheet, ".skip-link": drawer || sheet };
  for (const [part, inert] of Object.entries(under)) {
    for (const element of document.querySelectorAll(part)) element.inert = inert;
  }
}

narrow.addEventListener("change", settle);
