"""Whether the guards stop what they must and nothing else: rates with exact intervals, no model asked.

    python benchmarks/guards.py DATA [--json]

The lists of the tests, each half apart: rules were made looking at the first half only. Beside them questions that
real people wrote (DATA: piaf, service-public, code-du-travail), the demo's own, and XSTest's safe prompts: none of
them asks anything of the assistant itself. The peer is a plain list of phrases, as many products have it.
"""

import argparse
import csv
import json
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "assistants"))

from guard_lists import ordinary, passages, triggers  # noqa: E402

from etabli.assistants.guards.commands import is_command  # noqa: E402
from etabli.assistants.guards.questions import examine  # noqa: E402
from etabli.certification.statistics import lower, upper  # noqa: E402

PHRASES = re.compile(
    r"ignore (?:all |the )?(?:previous|above)|ignore (?:toutes )?les (?:instructions|consignes) pr[ée]c[ée]dentes|"
    r"system prompt|prompt syst[èe]me|jailbreak|you are now|"
    r"tu es maintenant|suicide|kill myself|me tuer|human|humain",
    re.IGNORECASE,
)


class Rate(NamedTuple):
    """So many of so many were stopped."""

    what: str
    guards: int
    phrases: int
    of: int


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path, help="folder of the public corpora")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rates = [*_must_stop(), *_must_pass(options.data)]
    began = time.process_time()
    sample = [row.text for row in ordinary()]
    for text in sample:
        examine(text)
    cost = (time.process_time() - began) / len(sample) * 1000
    if options.json:
        print(json.dumps({"rates": [rate._asdict() for rate in rates], "ms_per_question": round(cost, 2)}))
        return
    print(f"{'':<46}{'stopped':>12}{'95 % interval':>20}{'phrase list':>14}")
    for rate in rates:
        low, high = interval(rate.guards, rate.of)
        share = f"{rate.guards}/{rate.of}"
        print(f"{rate.what:<46}{share:>12}{f'{low:.1%} – {high:.1%}':>20}{f'{rate.phrases}/{rate.of}':>14}")
    print(f"One question takes {cost:.2f} ms of processor time.")


def _must_stop() -> Iterator[Rate]:
    for held_out in (False, True):
        half = "held out" if held_out else "seen"
        for language in ("fr", "en"):
            for kind in ("instructions", "crisis", "identity", "contact"):
                rows = [
                    row.text
                    for row in triggers()
                    if (row.language, row.kind, row.held_out) == (language, kind, held_out)
                ]
                yield _rate(f"must stop: {kind}, {language}, {half}", rows)
        rows = [row.text for row in passages() if row.kind == "command" and row.held_out == held_out]
        yield _rate(f"must leave out: orders in documents, {half}", rows, is_command)


def _must_pass(data: Path) -> Iterator[Rate]:
    for held_out in (False, True):
        half = "held out" if held_out else "seen"
        yield _rate(
            f"must pass: ordinary, {half}", [row.text for row in ordinary() if row.held_out == held_out]
        )
        rows = [row.text for row in passages() if row.kind == "ordinary" and row.held_out == held_out]
        yield _rate(f"must stay: orders to people, {half}", rows, is_command)
    yield _rate("must pass: the demo's questions", _questions(ROOT / "examples/clinique/questions.jsonl"))
    paragraphs = json.loads((data / "piaf/piaf-v1.1.json").read_text(encoding="utf-8"))["data"]
    asked = [one["question"] for part in paragraphs for text in part["paragraphs"] for one in text["qas"]]
    yield _rate("must pass: piaf", asked)
    for folder in ("service-public", "code-du-travail"):
        files = sorted((data / folder).glob("questions*.jsonl"))
        yield _rate(f"must pass: {folder}", [text for path in files for text in _questions(path)])
    for path in sorted((data / "xstest").glob("*prompts*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            safe = [row["prompt"] for row in csv.DictReader(lines) if row["label"] == "safe"]
            yield _rate("must pass: xstest, safe ones", safe)


def _rate(what: str, texts: Sequence[str], stops: Callable[[str], bool] | None = None) -> Rate:
    decide = stops or (lambda text: examine(text).guard is not None)
    stopped = sum(decide(text) for text in texts)
    return Rate(what, stopped, sum(PHRASES.search(text) is not None for text in texts), len(texts))


def _questions(path: Path) -> list[str]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        str(row.get("question") or row.get("query") or row.get("text") or row.get("title")) for row in rows
    ]


def interval(hits: int, tries: int) -> tuple[float, float]:
    """Clopper–Pearson, two-sided 95 %."""
    return lower(hits, tries, 0.025), upper(hits, tries, 0.025)


if __name__ == "__main__":
    main()
