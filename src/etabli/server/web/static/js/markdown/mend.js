/** The end of a text that is still being written, so that half-written marks do not flash past. */

const FENCE = /^ {0,3}(```|~~~)/gm;

/**
 * @param {string} text from the beginning of a block @returns {string} the same with its last marks closed or held back
 */
export function mended(text) {
  if ((text.match(FENCE)?.length ?? 0) % 2 === 1) return text; // in a block of code everything is as it stands
  let shown = text
    .replace(/\[\d{0,3}$/, "") // a citation that begins
    .replace(/\n {0,3}[-=*+#>]+ *$/, "") // a list that begins reads as the line under a heading
    .replace(/!?\[([^\][\n]{1,300})\]\([^()\s]*$/, "$1"); // an address that is not whole
  const block = shown.slice(shown.lastIndexOf("\n\n") + 1);
  const ticks = block.match(/`/g)?.length ?? 0;
  if (ticks % 2 === 1) return shown.endsWith("`") ? shown.slice(0, -1) : `${shown}\``;
  const stars = block.match(/\*\*/g)?.length ?? 0;
  if (stars % 2 === 1) {
    if (shown.endsWith("**")) return shown.slice(0, -2);
    shown = shown.endsWith("*") ? `${shown}*` : `${shown.trimEnd()}**`;
  }
  return shown;
}
