"""The demo's documents and questions through the product and through LlamaIndex, in one run.

    python benchmarks/peer.py [--model NAME] [--environment FOLDER] [--repeats 2] [--questions N] [--json]

Both have the same engine and the same embedding model, through the same server on this machine, and read the same
files. Each reads, cuts, retrieves and prompts as it does when nothing is configured:

    Établi       its readers, passages of up to 1,700 characters, both legs, ranked again; its prompt
    LlamaIndex   SimpleDirectoryReader, SentenceSplitter (1,024 tokens, 20 overlapping), vectors alone, 2 passages
                 to the model, its prompt; its readers' optional packages are installed

Questions that need character recognition or have no answer are left out. Ingestion is repeated in alternating
order, questions are asked of both in alternating order; a question's prompt is one that no cache has seen.
LlamaIndex lives in an environment of its own, made in a temporary folder by pip (about 400 MB, once with
--environment FOLDER).
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from demo_workspace import CLINIC, COLLECTION, demo_questions
from peer_product import Product, ingest, product
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from etabli.engines.e5 import E5Embedder
from etabli.knowledge.search import Searcher
from etabli.storage.database import EVERYONE, Database

PACKAGES = (
    "llama-index-core==0.14.25",
    "llama-index-readers-file==0.7.0",
    "llama-index-llms-openai-like==0.8.1",
    "docx2txt==0.9",
    "python-pptx==1.0.2",
    "openpyxl==3.1.5",
)
PASSAGES = 5
DOCUMENTS = CLINIC / "documents"


@dataclass(frozen=True)
class Line:
    """One of the two. Seconds are medians; hits are shares of the questions."""

    name: str
    hit_at_5_passages: float
    hit_at_1_passage: float
    first_token_s: float
    ingestion_s: float
    files: int
    passages: int
    questions: int
    load: float


class PeerProcess:
    """`peer_llamaindex.py` in its environment."""

    def __init__(self, python: Path, config: dict[str, Any], log: Path) -> None:
        self._log = log.open("w")
        self._process = subprocess.Popen(
            [str(python), str(Path(__file__).with_name("peer_llamaindex.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )
        self._exchange(config)

    def do(self, what: str, **values: Any) -> dict[str, Any]:
        """Have it do one thing and wait."""
        return self._exchange({"do": what, **values})

    def _exchange(self, value: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps(value) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"LlamaIndex ended:\n{Path(self._log.name).read_text()[-2000:]}")
        result: dict[str, Any] = json.loads(line)
        return result

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._log.close()


def make_environment(folder: Path, console: Console) -> Path:
    """The interpreter of an environment that holds the peer, made when it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        console.print(f"installing {PACKAGES[0]}", style="dim")
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return python


def our_sources(searcher: Searcher, question: str) -> list[str]:
    """The files of our best passages, best first."""
    found = searcher.search(question, principals=[EVERYONE], limit=PASSAGES).passages
    return [passage.document_name for passage in found]


def share_of_hits(found: Sequence[Sequence[str]], wanted: Sequence[str], first: int) -> float:
    """In how many questions the source is among the first passages."""
    hits = [source in names[:first] for names, source in zip(found, wanted, strict=True)]
    return sum(hits) / len(hits)


def compare(options: argparse.Namespace, folder: Path, console: Console, bar: Progress) -> list[Line]:
    """Ingest, retrieve and answer, both in turn."""
    python = make_environment(options.environment or folder / "environment", console)
    questions = [one for one in demo_questions() if one["answerable"] and one.get("source")][
        : options.questions
    ]
    embedder = E5Embedder(threads=1)
    embedder.embed_passages(["warm"])
    ingest(folder / "workspace", embedder)
    with product(folder / "workspace", options.model) as server:
        peer = PeerProcess(python, server.peer_config(), folder / "peer.log")
        task = bar.add_task("ingestion", total=options.repeats)
        peer_times, our_times = [], []
        for repeat in range(options.repeats):
            order = ("peer", "ours") if repeat % 2 == 0 else ("ours", "peer")
            for who in order:
                if who == "peer":
                    read = peer.do("ingest", folder=str(DOCUMENTS))
                    peer_times.append(read["seconds"])
                else:
                    our_times.append(ingest(folder / f"measured-{repeat}", embedder))
            bar.advance(task)
        server.wait_documents()
        with Database.open(server.settings) as database:
            searcher = Searcher(database, embedder)
            found = retrieve(searcher, peer, questions, bar)
            searcher.close()
            ours_read = count(database)
        first = first_tokens(server, peer, questions, bar)
        peer.close()
    wanted = [one["source"] for one in questions]
    load = os.getloadavg()[0]
    return [
        Line(
            name=name,
            hit_at_5_passages=share_of_hits(found[name], wanted, PASSAGES),
            hit_at_1_passage=share_of_hits(found[name], wanted, 1),
            first_token_s=statistics.median(first[name]),
            ingestion_s=statistics.median(times),
            files=files,
            passages=passages,
            questions=len(questions),
            load=load,
        )
        for name, times, files, passages in (
            ("Établi", our_times, *ours_read),
            ("LlamaIndex", peer_times, read["files"], read["passages"]),
        )
    ]


def retrieve(
    searcher: Searcher, peer: PeerProcess, questions: Sequence[dict[str, Any]], bar: Progress
) -> dict[str, list[list[str]]]:
    """The files of the first passages of both, a list a question."""
    found: dict[str, list[list[str]]] = {"Établi": [], "LlamaIndex": []}
    for one in bar.track(questions, description="retrieval"):
        found["Établi"].append(our_sources(searcher, one["question"]))
        answer = peer.do("find", question=one["question"], limit=PASSAGES, folder=str(DOCUMENTS))
        found["LlamaIndex"].append(answer["sources"])
    return found


def first_tokens(
    server: Product, peer: PeerProcess, questions: Sequence[dict[str, Any]], bar: Progress
) -> dict[str, list[float]]:
    """Seconds to the first token of both, a number a question, the other one first each time."""
    times: dict[str, list[float]] = {"Établi": [], "LlamaIndex": []}
    for number, one in enumerate(bar.track(questions, description="first tokens")):
        for who in ("Établi", "LlamaIndex") if number % 2 == 0 else ("LlamaIndex", "Établi"):
            if who == "Établi":
                times[who].append(server.first_token_s(COLLECTION, one["question"]))
            else:
                times[who].append(peer.do("first_token", question=one["question"])["seconds"])
    return times


def count(database: Database) -> tuple[int, int]:
    """Files that were read, and their passages."""
    with database.owner() as connection:
        row = connection.execute("SELECT count(DISTINCT document_id), count(*) FROM chunk").fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def show(lines: Sequence[Line], console: Console) -> None:
    """Both side by side."""
    table = Table(title=f"The demo's documents, {lines[0].questions} questions, load {lines[0].load:.1f}")
    table.add_column("")
    for line in lines:
        table.add_column(line.name, justify="right")
    for title, cells in (
        ("source among the first 5 passages", [f"{100 * line.hit_at_5_passages:.0f} %" for line in lines]),
        ("source is the first passage", [f"{100 * line.hit_at_1_passage:.0f} %" for line in lines]),
        ("time to the first token, median", [f"{line.first_token_s:.1f} s" for line in lines]),
        ("ingestion, median", [f"{line.ingestion_s:.1f} s" for line in lines]),
        ("files with text", [str(line.files) for line in lines]),
        ("passages", [str(line.passages) for line in lines]),
    ):
        table.add_row(title, *cells)
    console.print(table)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name of the local model")
    parser.add_argument("--environment", type=Path, help="keep the peer's environment here")
    parser.add_argument("--repeats", type=int, default=2, help="of the ingestion")
    parser.add_argument("--questions", type=int, help="only the first so many")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=True)
    with (
        tempfile.TemporaryDirectory(prefix="etabli-peer-") as name,
        Progress(console=console, transient=True) as bar,
    ):
        lines = compare(options, Path(name), console, bar)
    if options.json:
        json.dump([asdict(line) for line in lines], sys.stdout, indent=1, ensure_ascii=False)
    else:
        show(lines, Console())


if __name__ == "__main__":
    main()
