"""The child process that opens files: `python -m etabli.knowledge.readers.worker`.

Other tasks than reading have their own module, which calls `main` with another `task` (`pages_worker`).
It reads requests on its input and writes answers on its output (`wire.py`), one at a time, until its input
ends. Before the first request it takes away from itself what reading does not need (`sandbox.py`).
"""

import os
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

from etabli.errors import DocumentError
from etabli.knowledge.readers import dispatch, ocr, refusals, sandbox, wire
from etabli.knowledge.readers.limits import ReaderLimits
from etabli.messages import kept, message_of, set_language

Task = Callable[[dict[str, Any], ReaderLimits], dict[str, Any]]
"""Does something with the file of a request; may raise `DocumentError`."""


def read(request: dict[str, Any], limits: ReaderLimits) -> dict[str, Any]:
    """The document in the file that a request names.

    Raises:
        DocumentError: it cannot be read.
    """
    document = dispatch.read_file(Path(request["path"]), limits, name=request["name"])
    return {"document": wire.document_to_json(document)}


def main(
    hook: Callable[[dict[str, Any]], None] | None = None,
    *,
    task: Task = read,
    niceness: int = sandbox.NICENESS,
) -> None:
    """Answer requests until the parent closes the pipe.

    Args:
        hook: called with each request before it is done; for tests of the sandbox from the inside.
        task: what is done.
        niceness: by how much other processes come first.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # What a library prints must not mix with the answers.
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(null, descriptor)
    first = _next(requests.read)
    if first is None:
        return
    tesseract = first.get("tesseract")
    if tesseract:
        ocr.languages(tesseract)
    barriers = sandbox.confine(
        tesseract=tesseract, memory_bytes=int(first["memory_bytes"]), niceness=niceness
    )
    answers.write(wire.pack({"barriers": {f.name: getattr(barriers, f.name) for f in fields(barriers)}}))
    answers.flush()
    while (request := _next(requests.read)) is not None:
        answers.write(wire.pack(answer(request, hook, task=task)))
        answers.flush()


def answer(
    request: dict[str, Any],
    hook: Callable[[dict[str, Any]], None] | None = None,
    *,
    task: Task = read,
) -> dict[str, Any]:
    """Do a task on the file that a request names.

    Args:
        request: `path`, `name`, `language` and `limits` (the fields of `ReaderLimits`), and what the task needs.
        hook: called first.
        task: what is done.

    Returns:
        What the task gives, or `{"error": {"state", "message"}}`; with `"spent": true` when memory ran out and
        the process had better be replaced.
    """
    set_language(request["language"])
    limits = ReaderLimits(**request["limits"])
    sandbox.limit_cpu(limits.cpu_seconds)
    try:
        if hook is not None:
            hook(request)
        return task(request, limits)
    except DocumentError as error:
        return _refused(error)
    except MemoryError:
        return {**_refused(refusals.out_of_memory()), "spent": True}
    except sandbox.ForbiddenActionError as error:
        return _refused(refusals.forbidden_action(str(error)))
    except OSError as error:
        return _refused(refusals.broken(type(error).__name__))


def _refused(error: DocumentError) -> dict[str, Any]:
    return {"error": {"state": error.state, "message": kept(message_of(error))}}


def _next(read: Callable[[int], bytes]) -> dict[str, Any] | None:
    header = wire.read_exactly(read, wire.HEADER.size)
    if header is None:
        return None
    body = wire.read_exactly(read, wire.HEADER.unpack(header)[0])
    return None if body is None else wire.unpack(body)


if __name__ == "__main__":
    main()
