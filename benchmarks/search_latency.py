"""How fast a search answers, under row-level security, and how much the dense leg loses.

    python benchmarks/search_latency.py                            # an invented corpus: always runs
    python benchmarks/search_latency.py DATA --cache FOLDER        # service-public, real vectors

Every question goes through `Searcher.search`, its embedding included, once a pass; what counts of a question is
its fastest pass, so that the figures tell of the program more than of what else the machine does (the load is
printed beside). Then each leg alone, beside what is usual: the array operator `&&`, which PostgreSQL does not let
use its index under a policy, and the planner's own choice of an HNSW index. Without --cache no model runs over
the corpus: vectors and token states are invented around those of the questions. The larger index is the smaller
one multiplied (`search_scale.py`).
"""

import argparse
import contextlib
import json
import os
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from corpora import Corpus, service_public
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scratch_index import scratch_database, write_corpus
from search_peers import Leg, exact_dense, naive_dense, our_dense, our_lexical, peer_indexes, plain_lexical
from search_scale import (
    InventedPassages,
    caller,
    check_multiplication,
    invented_corpus,
    multiply,
    spread_permissions,
)

from etabli.engines.e5 import E5Embedder
from etabli.knowledge.index import VectorSpace, index_vectors, live_space
from etabli.knowledge.search import Searcher
from etabli.storage.database import Database

SIZES = (20_000, 200_000)
VISIBLE = (5, 30, 100)
TARGET_P95_MS = {20_000: 40.0, 200_000: 120.0}
TARGET_RECALL = 0.98
NEIGHBOURS = 10
LEG_QUESTIONS, LEG_PASSES = 25, 1
"""Fewer for the legs alone: at 200,000 passages the usual lexical statement takes seconds."""
CENTRES = 300
"""Questions around which vectors are invented."""


@dataclass(frozen=True)
class Latency:
    """Milliseconds over questions; of each question the fastest pass counts."""

    p50: float
    p95: float
    max: float

    @classmethod
    def of(cls, passes: Sequence[Sequence[float]]) -> "Latency":
        """From one row a pass, one column a question."""
        best = np.array(passes).min(axis=0)
        return cls(*(float(value) for value in (*np.quantile(best, [0.5, 0.95]), best.max())))


@dataclass(frozen=True)
class Line:
    """The searches of one caller over one index."""

    passages: int
    visible: int
    method: str
    total: Latency
    every_pass_p95: float
    target_p95: float | None
    stages: dict[str, Latency]
    load: float
    legs: dict[str, Latency] = field(default_factory=dict)
    recall: dict[str, float] = field(default_factory=dict)


def measure(
    searcher: Searcher, database: Database, questions: Sequence[str], size: int, passes: int, console: Console
) -> list[Line]:
    """Searches of all callers, taking turns, then each leg beside its peer."""
    count = passages_in(database)
    for question in questions[:20]:
        searcher.search(question, principals=caller(100))
    times: dict[int, list[list[dict[str, float]]]] = {visible: [] for visible in VISIBLE}
    methods: dict[int, str] = {}
    for _ in track(range(passes), f"{count} passages: searches", console=console, transient=True):
        for visible in VISIBLE:
            times[visible].append([])
        for question in questions:
            for visible in VISIBLE:
                result = searcher.search(question, principals=caller(visible))
                times[visible][-1].append(result.times_ms)
                methods[visible] = result.dense_method
    lines = []
    for visible in VISIBLE:
        legs, recall = compare_legs(searcher, database, questions[:LEG_QUESTIONS], visible, console)
        found = times[visible]
        every = [one["total"] for row in found for one in row]
        stages = {
            stage: Latency.of([[one.get(stage, 0.0) for one in row] for row in found])
            for stage in found[0][0]
            if stage != "total"
        }
        lines.append(
            Line(
                passages=count,
                visible=visible,
                method=methods[visible],
                total=Latency.of([[one["total"] for one in row] for row in found]),
                every_pass_p95=float(np.quantile(every, 0.95)),
                target_p95=TARGET_P95_MS.get(size),
                stages=stages,
                load=os.getloadavg()[0],
                legs=legs,
                recall=recall,
            )
        )
    return lines


def compare_legs(
    searcher: Searcher,
    database: Database,
    questions: Sequence[str],
    visible: int,
    console: Console,
) -> tuple[dict[str, Latency], dict[str, float]]:
    """Times of both legs, ours and the usual way, one after the other; recall@10 of the dense ones."""
    legs: dict[str, Leg] = {
        "lexical": our_lexical(searcher.lexical_leg),
        "lexical, plain &&": plain_lexical(database),
        "dense": our_dense(searcher.dense_leg),
        "dense, naive HNSW": naive_dense(database),
        "dense, exact": exact_dense(database),
    }
    asked = [searcher.ask(question) for question in questions]
    times: dict[str, list[list[float]]] = {name: [] for name in legs}
    hits: dict[str, list[float]] = {name: [] for name in legs if name.startswith("dense")}
    principals = caller(visible)
    title = f"legs, {visible} % visible"
    for number in track(range(LEG_PASSES), title, console=console, transient=True):
        for name in legs:
            times[name].append([])
        for one in asked:
            found = {}
            for name, leg in legs.items():
                began = time.perf_counter()
                found[name] = leg(one, principals)
                times[name][-1].append((time.perf_counter() - began) * 1000)
            if number == 0:
                for name in hits:
                    hits[name].append(recall_at(NEIGHBOURS, found[name], found["dense, exact"]))
    recall = {name: float(np.mean(values)) for name, values in hits.items()}
    return {name: Latency.of(rows) for name, rows in times.items()}, recall


def recall_at(k: int, found: dict[int, float], exact: dict[int, float]) -> float:
    """Share of the k nearest that were found; one as near as the last of them counts as well."""
    nearest = sorted(exact.values(), reverse=True)[:k]
    if not nearest:
        return 1.0
    good = sum(score >= nearest[-1] - 1e-6 for score in found.values())
    return min(good, len(nearest)) / len(nearest)


def passages_in(database: Database) -> int:
    """How many passages the index has."""
    with database.owner() as connection:
        row = connection.execute("SELECT count(*) FROM chunk").fetchone()
    return int(row[0]) if row else 0


def the_space(database: Database) -> VectorSpace:
    """The vectors of the index."""
    with database.owner() as connection:
        space = live_space(connection)
    assert space is not None
    return space


@contextlib.contextmanager
def timed(console: Console, what: str) -> Iterator[None]:
    """Say what is done, and how long it took."""
    began = time.perf_counter()
    yield
    console.print(f"{what}: {time.perf_counter() - began:.0f} s", style="dim")


def run(options: argparse.Namespace, console: Console) -> list[Line]:
    """Fill the index once, and multiply it for each larger size."""
    e5 = E5Embedder(threads=1)
    corpus, embedder = _corpus(options, e5)
    draw = random.Random(1)
    questions = draw.sample([question for question, _ in corpus.questions], options.questions)
    with timed(console, "multiplied documents are those that are written one by one"):
        check_multiplication(corpus.documents[:20])
    lines = []
    with scratch_database() as database:
        _forget_safety(database)
        with timed(console, f"{len(corpus.documents)} documents written"):
            base = write_corpus(database, corpus, embedder, cache=options.cache)
            sets = spread_permissions(database, the_space(database))
        searcher = Searcher(database, e5)
        for size in sorted(options.passages):
            times = round(size / base)
            if passages_in(database) < times * base:
                with timed(console, f"multiplied by {times}"):
                    multiply(database, times, space=the_space(database), sets=sets)
                with timed(console, "HNSW index"):
                    index_vectors(database, the_space(database))
            with peer_indexes(database, the_space(database)):
                lines += measure(searcher, database, questions, size, options.passes, console)
            show(lines, Console(stderr=True))
        searcher.close()
    return lines


def _corpus(options: argparse.Namespace, e5: E5Embedder) -> tuple[Corpus, Any]:
    """What is indexed, and what embeds it."""
    if options.data is None:
        corpus = invented_corpus(min(options.passages), questions=options.questions)
    else:
        corpus = service_public(options.data)
    if options.data is not None and options.cache is not None:
        return corpus, e5
    return corpus, InventedPassages(e5, [question for question, _ in corpus.questions[:CENTRES]])


def _forget_safety(database: Database) -> None:
    """A scratch index may be lost when the power goes: filling it is faster, searching the same."""
    with database.statement_by_statement() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(f"ALTER SYSTEM SET {name} = off".encode())
        connection.execute("SELECT pg_reload_conf()")


def show(lines: Sequence[Line], console: Console) -> None:
    """Searches, stages, legs."""
    table = Table(title="Search, ms, embedding included (best of the passes)")
    columns = ("passages", "visible", "dense leg", "p50", "p95", "max", "target p95", "p95 of all", "load")
    for column in columns:
        table.add_column(column, justify="right")
    for line in lines:
        target = "" if line.target_p95 is None else f"{line.target_p95:.0f}"
        table.add_row(
            f"{line.passages:,}",
            f"{line.visible} %",
            line.method,
            *_cells(line.total),
            target,
            f"{line.every_pass_p95:.1f}",
            f"{line.load:.1f}",
        )
    console.print(table)
    _show_parts(
        lines, console, "Stages, ms: p50 / p95 (lexical runs beside embedding and dense)", lambda x: x.stages
    )
    _show_parts(lines, console, "Legs alone, ms: p50 / p95", lambda line: line.legs)
    table = Table(title=f"Recall@{NEIGHBOURS} of the dense leg against exact, target {TARGET_RECALL}")
    for column in ("passages", "visible", *lines[0].recall):
        table.add_column(column, justify="right")
    for line in lines:
        table.add_row(
            f"{line.passages:,}", f"{line.visible} %", *(f"{value:.3f}" for value in line.recall.values())
        )
    console.print(table)


def _show_parts(
    lines: Sequence[Line], console: Console, title: str, parts: Callable[[Line], dict[str, Latency]]
) -> None:
    table = Table(title=title)
    for column in ("passages", "visible", *parts(lines[0])):
        table.add_column(column, justify="right")
    for line in lines:
        cells = [f"{latency.p50:.1f} / {latency.p95:.1f}" for latency in parts(line).values()]
        table.add_row(f"{line.passages:,}", f"{line.visible} %", *cells)
    console.print(table)


def _cells(latency: Latency) -> tuple[str, str, str]:
    return f"{latency.p50:.1f}", f"{latency.p95:.1f}", f"{latency.max:.1f}"


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, nargs="?", help="folder that holds service-public")
    parser.add_argument("--cache", type=Path, help="real vectors: embed the corpus, and keep that here")
    parser.add_argument("--passages", type=int, nargs="+", default=list(SIZES), help="about how many")
    parser.add_argument("--questions", type=int, default=150)
    parser.add_argument("--passes", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):  # progress goes there: what is printed may be JSON
        lines = run(options, Console(stderr=True))
    if options.json:
        json.dump([asdict(line) for line in lines], sys.stdout, indent=1)
    else:
        show(lines, Console())


if __name__ == "__main__":
    main()
