"""A real HTTP server with ranges, redirects and faults on request, that counts what it sends."""

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Served:
    """One file and how the server misbehaves with it."""

    data: bytes
    content_type: str = "application/octet-stream"
    ranges: bool = True
    etag: str | None = '"v1"'
    headers: dict[str, str] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    """One entry a request (the first byte asked for by a probe excepted): close after that many bytes."""
    statuses: list[int] = field(default_factory=list)
    """One entry a request: answer this instead."""
    pause_s: float = 0.0
    """Wait after each 16 KiB."""


@dataclass(frozen=True)
class Asked:
    path: str
    range: str | None
    authorization: str | None


class FileServer:
    """Serves `files` by path; `redirects` sends a path elsewhere."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.redirects: dict[str, tuple[str, dict[str, str]]] = {}
        self.asked: list[Asked] = []
        self.sent_bytes = 0
        self._lock = threading.Lock()
        handler: Any = type("Handler", (_Handler,), {"owner": self})
        self._server = _QuietServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, sent: int) -> None:
        with self._lock:
            self.sent_bytes += sent

    def reset(self) -> None:
        with self._lock:
            self.sent_bytes = 0
            self.asked.clear()

    def paths(self) -> list[str]:
        return [asked.path for asked in self.asked]


class _QuietServer(ThreadingHTTPServer):
    """Clients that leave in the middle are part of the tests."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Handler(BaseHTTPRequestHandler):
    owner: FileServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        owner = self.owner
        path = self.path.split("?")[0]
        asked_range = self.headers.get("Range")
        owner.asked.append(Asked(path, asked_range, self.headers.get("Authorization")))
        if path in owner.redirects:
            target, headers = owner.redirects[path]
            return self._answer(302, {"Location": target, **headers})
        served = owner.files.get(path)
        if served is None:
            return self._answer(404, {})
        if served.statuses:
            return self._answer(served.statuses.pop(0), {"Retry-After": "0"})
        headers = dict(served.headers) | {"Content-Type": served.content_type}
        if served.etag:
            headers["ETag"] = served.etag
        start, end = 0, len(served.data)
        status = 200
        if asked_range and served.ranges:
            first, _, last = asked_range.removeprefix("bytes=").partition("-")
            start = int(first)
            end = min(end, int(last) + 1) if last else end
            if start >= len(served.data):
                return self._answer(416, {"Content-Range": f"bytes */{len(served.data)}"})
            status = 206
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(served.data)}"
        self._send(served, status, headers, served.data[start:end])

    def _answer(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, served: Served, status: int, headers: dict[str, str], body: bytes) -> None:
        probing = self.headers.get("Range") == "bytes=0-0"
        cut = served.cuts.pop(0) if served.cuts and not probing else None
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if cut is not None:
            body = body[:cut]
        try:
            for start in range(0, len(body), 16384):
                chunk = body[start : start + 16384]
                self.wfile.write(chunk)
                self.owner.count(len(chunk))
                if served.pause_s:
                    time.sleep(served.pause_s)
        except OSError:
            self.close_connection = True
            return
        if cut is not None:
            self.close_connection = True
            self.connection.close()
