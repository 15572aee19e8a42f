/** Makes a node that is shown like a new one, touching only what differs: selections and focus survive. */

/**
 * @param {Node} shown @param {Node} fresh of the same block, drawn again; it is used up
 * @returns {Node} what is shown now: `shown` itself, or `fresh` in its place
 */
export function patch(shown, fresh) {
  if (shown.nodeType !== fresh.nodeType || shown.nodeName !== fresh.nodeName) {
    shown.replaceWith(fresh);
    return fresh;
  }
  if (shown.nodeType === Node.TEXT_NODE) {
    if (fresh.data.startsWith(shown.data)) {
      if (fresh.data.length > shown.data.length) shown.appendData(fresh.data.slice(shown.data.length));
    } else {
      shown.data = fresh.data;
    }
    return shown;
  }
  patchAttributes(shown, fresh);
  const old = [...shown.childNodes];
  const now = [...fresh.childNodes];
  for (let place = 0; place < now.length; place += 1) {
    if (place < old.length) patch(old[place], now[place]);
    else shown.append(now[place]);
  }
  for (const node of old.slice(now.length)) node.remove();
  return shown;
}

function patchAttributes(shown, fresh) {
  if (!(shown instanceof Element)) return;
  for (const { name } of [...shown.attributes]) if (!fresh.hasAttribute(name)) shown.removeAttribute(name);
  for (const { name, value } of fresh.attributes)
    if (shown.getAttribute(name) !== value) shown.setAttribute(name, value);
  if (shown instanceof HTMLInputElement) shown.checked = fresh.checked;
}
