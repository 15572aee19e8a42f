"""Files of examples: good ones, made by number so that none is like another, and ones with a single fault."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from etabli.training.data.checks import check_file
from etabli.training.data.report import Report

JSON = dict[str, Any]
THINGS = (
    "badge", "parking", "cantine", "vestiaire", "congé", "astreinte", "mutuelle", "télétravail", "formation",
    "dosimètre", "blouse", "planning", "casier", "navette", "ordonnance", "stérilisation", "brancard", "pharmacie",
)  # fmt: skip


def user(text: str) -> JSON:
    return {"role": "user", "content": text}


def assistant(text: str, **more: Any) -> JSON:
    return {"role": "assistant", "content": text, **more}


def question(number: int) -> str:
    thing = THINGS[number % len(THINGS)]
    return f"Que faut-il savoir du {thing} dans le service {number} avant de commencer ?"


def answer(number: int) -> str:
    thing = THINGS[(7 * number + 3) % len(THINGS)]
    return f"Pour le service {number}, passez d’abord par le {thing}, puis revenez le jour {number * 13} à l’accueil."


def good(number: int, method: str = "supervised") -> JSON:
    """An example without a fault."""
    if method == "dpo":
        return {
            "input": {"messages": [user(question(number))]},
            "preferred_output": [assistant(answer(number))],
            "non_preferred_output": [
                assistant(f"Je crois que le jour {number} convient, mais demandez au voisin.")
            ],
        }
    if method == "kto":
        return {
            "prompt": [user(question(number))],
            "completion": [assistant(answer(number))],
            "label": number % 2 == 0,
        }
    return {"messages": [user(question(number)), assistant(answer(number))]}


def rows(count: int = 12, method: str = "supervised") -> list[JSON]:
    return [good(number, method) for number in range(count)]


def lines(values: list[Any]) -> bytes:
    return b"".join(json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values)


Check = Callable[..., Report]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows or bytes to a file."""

    def make(content: Any, name: str = "rows.jsonl") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else lines(content))
        return path

    return make


@pytest.fixture
def check(write: Callable[..., Path]) -> Check:
    """Checks rows or bytes."""

    def run(content: Any, **options: Any) -> Report:
        return check_file(write(content), **options)

    return run
