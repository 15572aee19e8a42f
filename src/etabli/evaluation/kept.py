"""Answers kept as they come, one JSON list a line, so that an interrupted comparison goes on where it was."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any


def keep(path: Path, values: Sequence[Any]) -> None:
    """Add one line."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(list(values), ensure_ascii=False) + "\n")


def kept_lines(path: Path, length: int) -> Iterator[list[Any]]:
    """The lines of so many values each; what a process was writing when it was killed is passed over."""
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            values = json.loads(line)
        except ValueError:
            continue
        if isinstance(values, list) and len(values) == length:
            yield values
