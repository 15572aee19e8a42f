/** Where characters stand on a page, in points from its top-left corner. */

const SIZE = 100;
const SLACK = 1.5;
let context = null;

/**
 * The rectangles that a range covers on pages: whole lines, but the first and the last are cut at the range's ends.
 * @param {import("./source.js").Source} source @param {import("./source.js").Range} range
 * @returns {{page: number, x: number, y: number, width: number, height: number}[]}
 */
export function rectanglesOf(source, range) {
  return source.linesOf(range).map((line) => rectangleIn(source.text, line, range));
}

/** The part of a line that a range covers. */
export function rectangleIn(text, line, range) {
  const width = line.x1 - line.x0;
  const from = range.start > line.start ? along(text, line, range.start) * width - SLACK : 0;
  const to = range.end < line.end ? along(text, line, range.end) * width + SLACK : width;
  const left = Math.max(0, from);
  return {
    page: line.page,
    x: line.x0 + left,
    y: line.y0,
    width: Math.max(2, Math.min(width, to) - left),
    height: line.y1 - line.y0,
  };
}

/** Width of a text in some proportional face of 100 px. @param {string} text */
export function measure(text) {
  if (!context) {
    context = document.createElement("canvas").getContext("2d");
    context.font = `${SIZE}px sans-serif`;
  }
  return context.measureText(text).width;
}

/** The face that `measure` measures; the text over a page is set in it. */
export const MEASURED = { face: "sans-serif", size: SIZE };

/**
 * How far along its line a place is, 0 to 1. The page's own font is not known here, but letters are wide or narrow in
 * all of them alike.
 */
function along(text, line, place) {
  const whole = measure(text.slice(line.start, line.end));
  return whole > 0 ? measure(text.slice(line.start, place)) / whole : 0;
}
