"""Checking a file of training data: every problem with its line, in one pass, in bounded memory.

    report = check_file(Path("rows.jsonl"), validation=Path("held-out.jsonl"))

Examples are judged one by one (`examples`, `content`, the base's tokens), then together: duplicates, near duplicates,
languages, lengths, labels, and whether they are in what the result will be measured with.
"""

import hashlib
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

from etabli.training.base import Method
from etabli.training.data.findings import Fault
from etabli.training.data.formats import CANONICAL, METHOD_OF, format_among, format_label
from etabli.training.data.leakage import QuestionFile, known_questions
from etabli.training.data.lines import Source, open_source, read_lines
from etabli.training.data.listing import Listing
from etabli.training.data.parsing import parse
from etabli.training.data.report import Report
from etabli.training.data.scanning import Scan
from etabli.training.data.tokens import TokenCounter

MOST_BYTES = 10 * 10**9
FEWEST_EXAMPLES = 10
FEWEST_BYTES = 1_000
_SAMPLED = 200
_SAMPLED_BYTES = 8 << 20
OnProgress = Callable[[int, int], None]


def check_file(
    path: Path,
    *,
    method: Method | None = None,
    validation: Path | None = None,
    counter: TokenCounter | None = None,
    counter_missing: str = "",
    contamination: Sequence[QuestionFile] | None = None,
    progress: OnProgress | None = None,
) -> Report:
    """Judge a file of training data.

    Args:
        path: JSON lines.
        method: what its examples are for; else what most of the first rows are.
        validation: the held-out examples, checked as well, and looked for in the training data.
        counter: of the base's tokens; without it lengths and trained shares are not checked, and a note says so.
        counter_missing: why there is none, for people.
        contamination: questions that will measure the result; None when nobody knows them, and a note says so.
        progress: called with the bytes done and all bytes.

    Raises:
        InvalidInputError: a file cannot be read at all.
    """
    source = open_source(path)
    held_out = open_source(validation) if validation is not None else None
    listing = Listing()
    looked = _look(source, method, listing)
    if looked is None:
        return _report(source, method or "supervised", listing, None, validation)
    held: Scan | None = None
    total = source.size + (held_out.size if held_out is not None else 0)
    tell = progress or (lambda done, all_of_it: None)
    before = 0
    if held_out is not None and _look(held_out, looked, listing) is not None:
        before = held_out.size
        held = Scan(held_out, looked, listing, counter=counter, held_out=True)
        held.run(lambda done: tell(done, total))
        held.conclude()
    questions = known_questions(contamination) if contamination is not None else None
    scan = Scan(source, looked, listing, counter=counter, validation=held, evaluation=questions)
    scan.run(lambda done: tell(before + done, total))
    scan.conclude()
    _few(scan, listing)
    if counter is None:
        listing.add(source.path.name, 0, Fault("tokens_not_checked", {"reason": counter_missing or "–"}))
    if not contamination:
        listing.add(source.path.name, 0, Fault("evaluation_not_checked"))
    return _report(source, looked, listing, scan, validation)


def _look(source: Source, method: Method | None, listing: Listing) -> Method | None:
    """What the file is for; None when it holds no lines to judge, which `listing` is told."""
    name = source.path.name
    if source.size > MOST_BYTES:
        listing.add(name, 0, Fault("file_too_large", {"size": source.size, "most": MOST_BYTES}))
        return None
    if source.transcoded:
        listing.add(name, 0, Fault("not_utf8", {"encoding": source.encoding.upper()}, mended=True))
    elif source.encoding == "utf-8-sig":
        listing.add(name, 1, Fault("byte_order_mark", mended=True))
    sample = _sample(source)
    if not sample:
        listing.add(name, 0, Fault("empty_file"))
        return None
    if _is_document(sample):
        listing.add(name, 0, Fault("not_json_lines", {"file": name}))
        return None
    rows = [one for data in sample if isinstance(one := parse(data), dict)]
    found = format_among(rows)
    if found is not None and found not in CANONICAL:
        listing.add(name, 0, Fault("foreign_format", {"file": name, "format": format_label(found)}))
        return None
    return method or METHOD_OF[found or "openai"]


def _sample(source: Source) -> list[bytes]:
    """The first lines that are not blank."""
    lines: list[bytes] = []
    size = 0
    for line in islice(read_lines(source), _SAMPLED):
        if line.data.strip():
            lines.append(line.data)
            size += len(line.data)
        if size > _SAMPLED_BYTES:
            break
    return lines


def _is_document(sample: Sequence[bytes]) -> bool:
    """Whether the lines are parts of one JSON value: a list of objects, or an object over several lines."""
    first = sample[0].strip()
    if first in (b"[", b"{", b"[{"):
        return True
    return first.startswith(b"[") and (len(sample) == 1 or first.endswith((b",", b"{")))


def _few(scan: Scan, listing: Listing) -> None:
    source = scan.source
    if scan.examples < FEWEST_EXAMPLES:
        params = {"count": scan.examples, "least": FEWEST_EXAMPLES, "lines": scan.lines}
        listing.add(source.path.name, 0, Fault("too_few_examples", params))
    if source.size < FEWEST_BYTES:
        listing.add(
            source.path.name, 0, Fault("file_too_small", {"size": source.size, "least": FEWEST_BYTES})
        )


def _report(
    source: Source, method: Method, listing: Listing, scan: Scan | None, validation: Path | None
) -> Report:
    found = listing.findings(first=source.path.name)
    if scan is None:
        return Report(
            source.path, sha256_of(source.path), source.size, method, 0, found, listing.counts,
            validation=validation, correctable=False,
        )  # fmt: skip
    return Report(
        path=source.path,
        sha256=sha256_of(source.path),
        size=source.size,
        method=method,
        lines=scan.lines,
        findings=found,
        counts=listing.counts,
        statistics=scan.statistics(),
        fates=scan.fates,
        validation=validation,
    )


def sha256_of(path: Path) -> str:
    """Of a file's bytes, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
