"""Words a second that a plain client receives over each way in which the server streams, at a set pace.

Nothing is drawn: what is missing here the server lost, what is only missing in the page the page lost.
"""

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from web_site import WebSite

_SENTENCE = (
    "Le **délai** est de dix jours ouvrés, sauf pour les `congés` posés avant le 3 mai ; voyez la liste."
)
_QUESTION = "Racontez."
_ASSISTANT = "essai"


def story(sentences: int) -> str:
    """A text whose sentences are numbered: one that repeats itself would be stopped by the guards."""
    return "".join(f"Point {number} : {_SENTENCE}\n\n" for number in range(1, sentences + 1))


@dataclass
class Received:
    """What a client got of a stream.

    Attributes:
        pieces: of the text, in order.
        times: `time.perf_counter()` at each.
        response: identifier of the response.
        number: the last sequence number.
    """

    pieces: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    response: str = ""
    number: int = -1

    @property
    def words_per_s(self) -> float:
        """From the first word to the last."""
        return (len(self.times) - 1) / (self.times[-1] - self.times[0])


def paths(site: WebSite, *, words: int, words_per_s: float) -> dict[str, Any]:
    """Ask once over each way.

    Raises:
        SystemExit: what arrived is not what the engine said.
    """
    site.engine.words_per_s = words_per_s
    text = story(1 + words // 10)
    limit = {"max_output_tokens": words}
    client = _Client(site)

    def ask(path: str, *, until: int | None = None, **body: Any) -> Received:
        site.engine.replies = [text]
        whole = {"model": _ASSISTANT, "stream": True, **body}
        return client.receive("POST", path, whole, Received(), until=until)

    asked = [{"role": "user", "content": _QUESTION}]
    found = {
        "chat completions": ask("/v1/chat/completions", messages=asked, max_tokens=words),
        "responses": ask("/v1/responses", input=_QUESTION, **limit),
        "responses, not stored": ask("/v1/responses", input=_QUESTION, store=False, **limit),
    }
    left = ask("/v1/responses", until=words // 4, input=_QUESTION, background=True, **limit)
    again = f"/v1/responses/{left.response}?stream=true&starting_after={left.number}"
    found["responses, in the background, left and resumed"] = client.receive("GET", again, None, left)
    for name, received in found.items():
        said = "".join(received.pieces)
        if len(received.pieces) != words or not text.startswith(said):
            raise SystemExit(f"{name}: {len(received.pieces)} of {words} words came, ending {said[-60:]!r}")
    return {f"{name}, words a second": round(received.words_per_s, 1) for name, received in found.items()}


class _Client:
    """Signed in; a connection for each request, as a client that only reads."""

    def __init__(self, site: WebSite) -> None:
        self._place = urlsplit(site.url)
        link = urlsplit(site.link("/"))
        answer = self._send("GET", f"{link.path}?{link.query}", None, {})
        answer.read()
        self._headers = {
            "Cookie": str(answer.headers["set-cookie"]).split(";")[0],
            "Content-Type": "application/json",
            "Origin": site.url,
        }

    def receive(
        self,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        received: Received,
        *,
        until: int | None = None,
    ) -> Received:
        """Read a stream to its end, or until so many words came, and leave."""
        answer = self._send(method, path, body, self._headers)
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {answer.read()!r}")
        for event in _events(answer):
            received.response = event.get("response", {}).get("id", received.response)
            received.number = event.get("sequence_number", received.number)
            piece = _piece(event)
            if piece:
                received.pieces.append(piece)
                received.times.append(time.perf_counter())
            if until is not None and len(received.pieces) >= until:
                break
        answer.close()
        return received

    def _send(
        self, method: str, path: str, body: dict[str, Any] | None, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(self._place.hostname or "", self._place.port, timeout=60)
        sent = None if body is None else json.dumps(body)
        connection.request(method, path, sent, {**headers, "Connection": "close"})
        return connection.getresponse()


def _events(answer: http.client.HTTPResponse) -> Iterator[dict[str, Any]]:
    for line in answer:
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])


def _piece(event: dict[str, Any]) -> str:
    """The text that an event brings."""
    if event.get("type") == "response.output_text.delta":
        return str(event["delta"])
    choices = event.get("choices") or [{}]
    return str(choices[0].get("delta", {}).get("content") or "")
