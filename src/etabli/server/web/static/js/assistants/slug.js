/** Names of assistants: what files and programs call them. */

/** A name for a title: “Ressources humaines” → “ressources-humaines”. @param {string} title */
export function slug(title) {
  const plain = title.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().replace(/œ/g, "oe").replace(/æ/g, "ae");
  return plain
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 63)
    .replace(/-+$/, "");
}

/** A name that is not taken: “rh”, “rh-2”, “rh-3”. @param {string} name @param {Iterable<string>} taken */
export function freeName(name, taken) {
  const names = new Set(taken);
  for (let number = 2; names.has(name) || name === ""; number += 1) {
    const base = name.replace(/-\d+$/, "") || "assistant";
    name = names.has(base) ? `${base.slice(0, 59)}-${number}` : base;
  }
  return name;
}
