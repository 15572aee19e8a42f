"""Time to the first token while documents are being read and embedded, beside the same while nothing else is done.

    python benchmarks/first_token_under_ingestion.py [--documents 3500] [--pairs 12] [--model NAME] [--json]

Runs the product as a person does (`etabli start`) in a temporary workspace, with an assistant over a few documents,
and gives it many small documents at once. While its worker is busy with them, questions are asked in pairs: one
with the worker stopped by a signal, one with it at work, in changing order, so that whatever else the machine does
falls on both. Every question is another one over another document of the same size: no cache has seen it. Also
prints what the system says of priorities. Needs Linux.
"""

import argparse
import json
import os
import random
import signal
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil
from peer_product import Product, product
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from etabli.knowledge.ingestion import EMBED_JOB
from etabli.knowledge.library import READ_JOB, Library
from etabli.storage.database import Database

TARGET_RATIO = 1.5
ASSISTANT = "accueil"
SPECIFICATION = "title: Accueil\nlanguage: fr\ncollections: [accueil]\nabstain: false\nmax_tokens: 8\n"
SETTLE_S = 1.0
"""After the worker goes on, before a question is asked: it takes up where it was."""
_PLACES = (
    "la cantine",
    "le parking",
    "la lingerie",
    "la bibliothèque",
    "le gymnase",
    "la crèche",
    "le garage",
)
_THINGS = (
    "badge",
    "casier",
    "vélo",
    "ticket",
    "carnet",
    "tablier",
    "dossier",
    "plateau",
    "coffret",
    "tampon",
)


@dataclass(frozen=True)
class Result:
    """Seconds to the first token, medians of the pairs; the ratio is that of the pairs, with its spread."""

    model: str
    pairs: int
    idle_s: float
    busy_s: float
    ratio: float
    ratio_low: float
    ratio_high: float
    target_ratio: float
    documents_done: int
    documents_per_minute: float
    worker_threads: int
    worker_threads_idle_priority: int
    lowest_nice_of_backends: int
    load: float


def worker(running: Product) -> list[psutil.Process]:
    """The process that reads and embeds documents, and its children."""
    for child in psutil.Process(running.pid).children():
        if any("worker_process" in word for word in child.cmdline()):
            return [child, *child.children(recursive=True)]
    raise SystemExit("there is no worker process")


def make_workspace(folder: Path, questions: int) -> list[str]:
    """A workspace with one assistant and one document a question; gives the questions."""
    (folder / "etabli.toml").touch()
    (folder / "assistants").mkdir()
    (folder / "assistants" / f"{ASSISTANT}.yaml").write_text(SPECIFICATION, encoding="utf-8")
    documents = folder / "documents" / "accueil"
    documents.mkdir(parents=True)
    asked = []
    for number in range(questions):
        thing, place = _THINGS[number % len(_THINGS)], _PLACES[number % len(_PLACES)]
        name = f"{thing} numéro {1000 + number}"
        text = f"Le {name} se retire à {place} entre {8 + number % 9} h et 18 h.\n" + _filling(number, 150)
        (documents / f"{number}.txt").write_text(text, encoding="utf-8")
        asked.append(f"Où et quand retire-t-on le {name} ?")
    return asked


def add_documents(running: Product, database: Database, count: int, bar: Progress) -> None:
    """Small documents for the worker, each of about 100 words."""
    folder = running.settings.workspace / "incoming"
    folder.mkdir()
    for number in range(count):
        (folder / f"{number}.txt").write_text(_filling(10_000 + number, 100), encoding="utf-8")
    task = bar.add_task("adding documents", total=count)
    Library(database, running.settings.files_dir).add(
        folder, collection="courrier", progress=lambda done, _: bar.update(task, completed=done)
    )
    bar.remove_task(task)


def _filling(seed: int, words: int) -> str:
    draw = random.Random(seed)
    syllables = ("ba", "co", "di", "fu", "lo", "ma", "ne", "pi", "ra", "so", "te", "vu")
    return " ".join("".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(words)) + "."


def waiting(database: Database) -> int:
    """How many documents wait to be read or embedded."""
    with database.owner() as connection:
        row = connection.execute(
            "SELECT count(*) FROM job WHERE state IN ('queued', 'running') AND kind = ANY (%s)",
            ([READ_JOB, EMBED_JOB],),
        ).fetchone()
    return int(row[0]) if row else 0


def measure(running: Product, database: Database, questions: Sequence[str], bar: Progress) -> dict[str, Any]:
    """Pairs of questions, as long as the worker has something to do."""
    times: dict[bool, list[float]] = {False: [], True: []}
    draw = random.Random(0)
    task = bar.add_task("questions", total=len(questions))
    worked_s, before = 0.0, waiting(database)
    for first, second in zip(questions[0::2], questions[1::2], strict=True):
        found = {}
        for busy, question in zip(draw.sample([False, True], 2), (first, second), strict=True):
            began = time.perf_counter()
            _signal(worker(running), signal.SIGCONT if busy else signal.SIGSTOP)
            time.sleep(SETTLE_S)
            found[busy] = running.first_token_s(ASSISTANT, question)
            worked_s += (time.perf_counter() - began) if busy else 0.0
            bar.advance(task)
        if not waiting(database):
            break
        for busy, seconds in found.items():
            times[busy].append(seconds)
    _signal(worker(running), signal.SIGCONT)
    bar.remove_task(task)
    if not times[True]:
        raise SystemExit("the documents were done before the questions: give more with --documents")
    done = before - waiting(database)
    return {"idle": times[False], "busy": times[True], "done": done, "worked_s": worked_s}


def _signal(processes: Sequence[psutil.Process], number: int) -> None:
    for process in processes:
        process.send_signal(number)


def priorities(running: Product, database: Database) -> tuple[int, int, int]:
    """Threads of the worker, how many of them give way to everything, the lowest priority of a database backend."""
    tasks = [
        int(entry.name)
        for process in worker(running)
        for entry in (Path("/proc") / str(process.pid) / "task").iterdir()
    ]
    giving_way = sum(os.sched_getscheduler(task) == os.SCHED_IDLE for task in tasks)
    with database.owner() as connection:
        backends = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
        ).fetchall()
    return len(tasks), giving_way, max(os.getpriority(os.PRIO_PROCESS, pid) for (pid,) in backends)


def run(options: argparse.Namespace, console: Console) -> Result:
    """Everything, in a temporary workspace."""
    with (
        tempfile.TemporaryDirectory(prefix="etabli-first-token-") as name,
        Progress(console=console, transient=True) as bar,
    ):
        folder = Path(name)
        questions = make_workspace(folder, 2 * options.pairs + 2)
        bar.add_task("starting", total=None)
        with product(folder, options.model) as running, Database.open(running.settings) as database:
            running.wait_documents()
            for question in questions[-2:]:
                running.first_token_s(ASSISTANT, question)
            add_documents(running, database, options.documents, bar)
            found = measure(running, database, questions[:-2], bar)
            threads, giving_way, nice = priorities(running, database)
    ratios = sorted(busy / idle for idle, busy in zip(found["idle"], found["busy"], strict=True))
    return Result(
        model=options.model,
        pairs=len(ratios),
        idle_s=statistics.median(found["idle"]),
        busy_s=statistics.median(found["busy"]),
        ratio=statistics.median(ratios),
        ratio_low=ratios[0],
        ratio_high=ratios[-1],
        target_ratio=TARGET_RATIO,
        documents_done=found["done"],
        documents_per_minute=60 * found["done"] / found["worked_s"],
        worker_threads=threads,
        worker_threads_idle_priority=giving_way,
        lowest_nice_of_backends=nice,
        load=os.getloadavg()[0],
    )


def show(result: Result, console: Console) -> None:
    """The result as a table."""
    table = Table(title="Time to the first token while documents are ingested", show_header=False)
    for name, value in (
        ("model", result.model),
        ("nothing else, median", f"{result.idle_s:.2f} s"),
        ("while ingesting, median", f"{result.busy_s:.2f} s"),
        (
            f"ratio, median of {result.pairs} pairs",
            f"{result.ratio:.2f} ({result.ratio_low:.2f}–{result.ratio_high:.2f}), target ≤ {result.target_ratio}",
        ),
        ("documents done meanwhile", f"{result.documents_done} ({result.documents_per_minute:.0f} a minute)"),
        (
            "worker's threads that give way",
            f"{result.worker_threads_idle_priority} of {result.worker_threads}",
        ),
        ("lowest priority of a database backend", f"nice {result.lowest_nice_of_backends}"),
        ("load of the machine", f"{result.load:.1f}"),
    ):
        table.add_row(name, value)
    console.print(table)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=3_500)
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name of the local model")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    result = run(options, Console(stderr=True))
    if options.json:
        print(json.dumps(asdict(result), indent=1))
    else:
        show(result, Console())


if __name__ == "__main__":
    main()
