/**
 * Event streams: the bytes of a `text/event-stream` into the data of each event.
 * Source: WHATWG HTML, section 9.2.6 “Interpreting an event stream”.
 */

/**
 * @param {ReadableStream<Uint8Array>} body
 * @param {{onBytes?: () => void}} [options] onBytes: called for anything that arrives, keep-alive comments included
 * @returns {AsyncGenerator<string, void, void>} the data of each event; throws what the connection throws
 */
export async function* readEvents(body, { onBytes } = {}) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let lines = [];
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return; // an event without its blank line is not one
      onBytes?.();
      const pieces = (rest + value).split(/\r\n|\n|\r(?!$)/);
      rest = pieces.pop();
      for (const line of pieces) {
        if (line === "") {
          if (lines.length) yield lines.join("\n");
          lines = [];
        } else if (line.startsWith("data:")) {
          lines.push(line.slice(line[5] === " " ? 6 : 5));
        }
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
