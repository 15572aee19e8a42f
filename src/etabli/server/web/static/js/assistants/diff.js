/**
 * The difference between two texts, by lines.
 * Source: E. W. Myers, “An O(ND) Difference Algorithm and Its Variations”, Algorithmica 1, 1986, section 4a.
 */

/** Beyond so many changed lines the texts have too little in common for a difference to help. */
const MOST_CHANGES = 1200;

/**
 * @typedef {{kind: "same"|"removed"|"added", text: string, before: number|null, after: number|null}} Row before and
 *   after: the number of the line in either text, from 1
 */

/** @param {string} before @param {string} after @returns {Row[]} */
export function diffLines(before, after) {
  const [a, b] = [lines(before), lines(after)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const steps = [
    ...a.slice(0, start).map((text) => ["same", text]),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map((text) => ["same", text]),
  ];
  let [left, right] = [0, 0];
  return steps.map(([kind, text]) => ({
    kind,
    text,
    before: kind === "added" ? null : (left += 1),
    after: kind === "removed" ? null : (right += 1),
  }));
}

/** How many lines came and went. @param {Row[]} rows */
export function countChanges(rows) {
  const count = (kind) => rows.filter((row) => row.kind === kind).length;
  return { added: count("added"), removed: count("removed") };
}

/**
 * Rows with the long stretches where nothing changed folded away.
 * @param {Row[]} rows @param {number} [context] unchanged lines to keep beside a change
 * @returns {(Row|{kind: "gap", rows: Row[]})[]}
 */
export function foldSame(rows, context = 3) {
  const result = [];
  let place = 0;
  while (place < rows.length) {
    if (rows[place].kind !== "same") {
      result.push(rows[place]);
      place += 1;
      continue;
    }
    let end = place;
    while (end < rows.length && rows[end].kind === "same") end += 1;
    const head = place === 0 ? 0 : context;
    const tail = end === rows.length ? 0 : context;
    const run = rows.slice(place, end);
    if (run.length > head + tail + 2) {
      result.push(...run.slice(0, head), { kind: "gap", rows: run.slice(head, run.length - tail) });
      result.push(...run.slice(run.length - tail));
    } else {
      result.push(...run);
    }
    place = end;
  }
  return result;
}

/**
 * Where two lines differ: what they share at both ends is left out.
 * @param {string} before @param {string} after
 * @returns {{start: number, beforeEnd: number, afterEnd: number}|null} null where they share next to nothing
 */
export function changedPart(before, after) {
  let start = 0;
  const least = Math.min(before.length, after.length);
  while (start < least && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < least - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  const shared = before.slice(0, start).trim().length + before.slice(before.length - end).trim().length;
  if (shared < 4) return null;
  return { start, beforeEnd: before.length - end, afterEnd: after.length - end };
}

function lines(text) {
  const found = text.split("\n");
  if (found.at(-1) === "") found.pop();
  return found;
}

/** The shortest way from a to b: the furthest point of every diagonal, step by step, then the way back. */
function middle(a, b) {
  const most = Math.min(a.length + b.length, MOST_CHANGES);
  const reach = new Map([[1, 0]]);
  const history = [];
  for (let d = 0; d <= most; d += 1) {
    history.push(new Map(reach));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
      let x = down ? reach.get(k + 1) : reach.get(k - 1) + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x += 1;
      reach.set(k, x);
      if (x >= a.length && x - k >= b.length) return wayBack(a, b, history);
    }
  }
  return [...a.map((text) => ["removed", text]), ...b.map((text) => ["added", text])];
}

function wayBack(a, b, history) {
  const steps = [];
  let [x, y] = [a.length, b.length];
  for (let d = history.length - 1; d >= 0; d -= 1) {
    const reach = history[d];
    const k = x - y;
    const down = k === -d || (k !== d && (reach.get(k - 1) ?? -1) < (reach.get(k + 1) ?? -1));
    const from = down ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : reach.get(from);
    const fromY = d === 0 ? 0 : fromX - from;
    while (x > fromX && y > fromY) {
      steps.push(["same", a[x - 1]]);
      x -= 1;
      y -= 1;
    }
    if (d === 0) break;
    steps.push(down ? ["added", b[y - 1]] : ["removed", a[x - 1]]);
    [x, y] = [fromX, fromY];
  }
  return steps.reverse();
}
