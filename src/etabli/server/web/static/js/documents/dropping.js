/**
 * Files that people choose or drop, whole folders with everything in them. What systems leave behind in folders
 * (.DS_Store, Thumbs.db, lock files) is left out, as the server would refuse it.
 */

const MOST = 20_000;
const LEFTOVER = /^(\.|~\$|thumbs\.db$|desktop\.ini$)|\.(tmp|part|crdownload|swp)$/i;

/** @typedef {{file: File, path: string|null}} Found path: within the folder that was chosen; null for a single file */

/** Whether something that is dragged holds files. @param {DragEvent} event */
export function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/**
 * What was dropped. Call it before anything else is awaited: the browser forgets the transfer.
 * @param {DataTransfer} transfer @returns {Promise<Found[]>}
 */
export async function droppedFiles(transfer) {
  const entries = [...transfer.items]
    .filter((item) => item.kind === "file")
    .map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile())
    .filter(Boolean);
  const found = [];
  for (const entry of entries) await collect(entry, found);
  return found;
}

/** The files of a form's field, one with `webkitdirectory` too. @param {FileList} files @returns {Found[]} */
export function chosenFiles(files) {
  return [...files]
    .map((file) => ({ file, path: file.webkitRelativePath || null }))
    .filter(({ file, path }) => !(path ?? file.name).split("/").some((step) => LEFTOVER.test(step)))
    .slice(0, MOST);
}

async function collect(entry, found) {
  if (found.length >= MOST) return;
  if (entry instanceof File) {
    if (!LEFTOVER.test(entry.name)) found.push({ file: entry, path: null });
    return;
  }
  if (LEFTOVER.test(entry.name)) return;
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    const path = entry.fullPath.replace(/^\//, "");
    found.push({ file, path: path.includes("/") ? path : null });
  } else if (entry.isDirectory) {
    const reader = entry.createReader();
    // A reader gives a hundred entries at a time, and none at the end.
    for (;;) {
      const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (!some.length) break;
      for (const one of some) await collect(one, found);
    }
  }
}
