"""Event streams whose events have names: `event:` says what `type` in the JSON says."""

from etabli.server.sse import EventStream

_TYPE = b'{"type":"'


class ResponseStream(EventStream):
    """A stream of response events, each of which begins with its `type`."""

    def framed(self, payload: bytes) -> bytes:
        """The event's name on a line of its own, then the JSON."""
        if not payload.startswith(_TYPE):
            return super().framed(payload)
        name = payload[len(_TYPE) : payload.index(b'"', len(_TYPE))]
        return b"event: %b\ndata: %b\n\n" % (name, payload)
