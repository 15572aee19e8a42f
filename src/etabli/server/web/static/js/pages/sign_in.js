/** The sign-in page: copies the command. */

import { announce } from "../core/live.js";
import { t } from "../core/i18n.js";

const button = document.getElementById("copy");

// Browsers give the clipboard to pages of this machine and over https only.
if (navigator.clipboard) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById("command").textContent);
    announce(t("Copied."));
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace("#copy", "#check"));
  });
}
