"""Commands that ask the running server say what they would say without it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from etabli.cli.asking import ask_server
from etabli.cli.remote import RunningServer
from etabli.errors import EngineUnavailableError, EtabliError
from product import QUESTION, Product, wait_until

_CHANGING = ("times_ms", "id", "chunk_id")


def same(value: Any) -> Any:
    """Without what differs from one time to the next."""
    if isinstance(value, dict):
        return {name: same(one) for name, one in value.items() if name not in _CHANGING}
    return [same(one) for one in value] if isinstance(value, list) else value


def test_with_a_server_and_without_it_is_the_same(product: Product) -> None:
    commands: list[list[str]] = [
        ["ask", QUESTION],
        ["ask", QUESTION, "--json", "-c", "general"],
        ["ask", QUESTION, "-c", "legal"],
        ["documents", "search", QUESTION],
        ["documents", "search", QUESTION, "--json", "-n", "1", "-c", "general"],
        ["documents", "search", QUESTION, "-c", "legal"],
    ]
    product.start()
    wait_until(lambda: product.json("documents", "status")["states"] == {"ready": 2})
    working = dict(product.environment)
    for part in ("ENGINE", "EMBEDDINGS"):  # what a command would load or call itself is not there
        product.environment[f"ETABLI_{part}_URL"] = "http://127.0.0.1:9/v1"
    through = [product.run(*words) for words in commands]
    product.environment = working
    assert product.interrupt() == 0
    alone = [product.run(*words) for words in commands]
    for words, one, other in zip(commands, through, alone, strict=True):
        assert one.returncode == other.returncode, (words, one.stderr, other.stderr)
        assert one.stderr == other.stderr, words
        if "--json" in words:
            assert same(json.loads(one.stdout)) == same(json.loads(other.stdout)), words
        else:
            assert one.stdout == other.stdout, words
    assert "[2] ✓ badges.md" in through[0].stdout and "There are: general" in through[2].stderr


@pytest.fixture
def answering() -> Iterator[Any]:
    """A server that answers everything with given bytes."""
    made: list[ThreadingHTTPServer] = []

    def serve(content: bytes, status: int = 200) -> RunningServer:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made.append(server)
        return RunningServer(f"http://127.0.0.1:{server.server_port}", "key")

    yield serve
    for server in made:
        server.shutdown()
        server.server_close()


TOLD = b'data: {"choices": [{"index": 0, "delta": {"content": "Ten"}, "finish_reason": null}]}\n\n'


@pytest.mark.parametrize(
    "content", [TOLD, TOLD + b"data: [DONE]\n\n", b"data: {\n\n", b"data: []\n\n", b": keep-alive\n\n"]
)
def test_an_answer_that_breaks_off_is_said(answering: Any, content: bytes) -> None:
    with pytest.raises(EngineUnavailableError, match="broke off"):
        ask_server(answering(content), "office", QUESTION)(lambda event: None)


def test_a_failure_is_told_in_the_words_of_the_server(answering: Any) -> None:
    failure = b'{"error": {"message": "The engine sleeps.", "code": "engine_unavailable"}}'
    with pytest.raises(EngineUnavailableError, match="The engine sleeps."):
        ask_server(answering(failure, 503), "office", QUESTION)(lambda event: None)
    with pytest.raises(EngineUnavailableError, match="The engine sleeps."):
        ask_server(answering(TOLD + b"data: " + failure + b"\n\n"), "office", QUESTION)(lambda event: None)
    with pytest.raises(EtabliError, match="broke off"):
        answering(b"<html>", 502).post("/v1/etabli/search", {})


def test_a_server_that_is_gone_has_no_assistant() -> None:
    assert not RunningServer("http://127.0.0.1:9", "key").has_assistant("office")
