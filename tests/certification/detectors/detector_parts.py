"""Short ways to write probes and replies in tests of detectors."""

from typing import Any

from etabli.certification.base import Detection, Oracle, Probe, Response
from etabli.certification.detectors.registry import detect


def probe(detector: str, *turns: str, language: str = "fr", family: str = "X", **parameters: Any) -> Probe:
    return Probe("x", family, language, turns or ("Question ?",), Oracle(detector, parameters))  # type: ignore[arg-type]


def look(detector: str, *replies: str | Response, language: str = "fr", **parameters: Any) -> Detection:
    given = [Response(reply) if isinstance(reply, str) else reply for reply in replies]
    turns = parameters.pop("turns", ("Question ?",))
    family = parameters.pop("family", "X")
    return detect(probe(detector, *turns, language=language, family=family, **parameters), given)


def outcome(detector: str, *replies: str | Response, **parameters: Any) -> str:
    return look(detector, *replies, **parameters).outcome


def call(name: str, arguments: str = "{}") -> dict[str, Any]:
    return {"id": "1", "type": "function", "function": {"name": name, "arguments": arguments}}


def citation(
    quote: str, document: str = "rh/guide.pdf", *, number: int = 1, status: str = "verified"
) -> dict[str, Any]:
    return {"number": number, "status": status, "document": document, "quote": quote}
