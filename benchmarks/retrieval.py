"""French retrieval quality: BM25, dense, reciprocal ranks, the plain combination, and ours, in one run.

    python benchmarks/retrieval.py DATA [--only piaf labour service-public] [--cache FOLDER] [--json]

Every question goes through the product's own index and search, in PostgreSQL under row-level security. A document
counts by its best passage. nDCG@10 and recall@10 are × 100, ± is half a 95 % bootstrap interval of nDCG@10.
Embedding the three corpora takes about 40 minutes on one core; --cache keeps it for the next run.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from corpora import CORPORA, Corpus
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scratch_index import scratch_database, write_corpus

from etabli.engines.e5 import E5Embedder
from etabli.knowledge.fusion import Evidence, fuse
from etabli.knowledge.legs import DEPTH
from etabli.knowledge.search import Passage, Searcher
from etabli.storage.database import EVERYONE

PLAIN_ALPHA = 0.65
RRF_CONSTANT = 60
TARGETS = {
    ("service-public", "words"): (74.5, 91.5),
    ("piaf", "hybrid"): (85.0, None),
    ("piaf", "hybrid, ranked again"): (87.0, None),
    ("labour", "hybrid"): (49.0, None),
    ("labour", "hybrid, ranked again"): (52.0, None),
    ("service-public", "hybrid"): (87.0, None),
}
Ranking = Callable[[Sequence[Passage]], Iterable[tuple[float, Passage]]]


@dataclass(frozen=True)
class Result:
    """One method on one corpus; × 100."""

    corpus: str
    method: str
    ndcg_at_10: float
    half_interval: float
    recall_at_10: float
    hit_at_1: float
    target_ndcg: float | None
    target_recall: float | None


def by_lexical(passages: Sequence[Passage]) -> Iterable[tuple[float, Passage]]:
    """Exact BM25: every member of the union brings its true score."""
    return [(passage.lexical, passage) for passage in passages if passage.lexical > 0]


def by_words(passages: Sequence[Passage]) -> Iterable[tuple[float, Passage]]:
    """Ours without any vector, as it is while vectors are not there yet: BM25, supported by the document's."""
    kept = [passage for passage in passages if passage.lexical > 0]
    evidence = [Evidence(passage.lexical, passage.document_lexical, None, None) for passage in kept]
    return zip(fuse(evidence), kept, strict=True)


def by_dense(passages: Sequence[Passage]) -> Iterable[tuple[float, Passage]]:
    """Exact cosine."""
    return [(passage.dense, passage) for passage in passages if passage.dense is not None]


def by_reciprocal_ranks(passages: Sequence[Passage]) -> Iterable[tuple[float, Passage]]:
    """Sum of 1/(60 + rank) over both legs; Cormack, Clarke and Büttcher, 2009."""
    total: dict[int, float] = {}
    for leg in (by_lexical(passages), by_dense(passages)):
        ranked = sorted(leg, key=lambda pair: (-pair[0], pair[1].chunk_id))[:DEPTH]
        for rank, (_, passage) in enumerate(ranked, 1):
            total[passage.chunk_id] = total.get(passage.chunk_id, 0.0) + 1 / (RRF_CONSTANT + rank)
    return [(total.get(passage.chunk_id, 0.0), passage) for passage in passages]


def by_plain_combination(passages: Sequence[Passage]) -> Iterable[tuple[float, Passage]]:
    """The convex combination without the document's share."""
    evidence = [Evidence(passage.lexical, 0.0, passage.dense, None) for passage in passages]
    return zip(
        fuse(evidence, alpha=PLAIN_ALPHA, lexical_support=0.0, dense_support=0.0), passages, strict=True
    )


def by_fused(passages: Sequence[Passage]) -> Iterable[tuple[float, Passage]]:
    """Ours before ranking again."""
    return [(passage.fused, passage) for passage in passages]


def as_found(passages: Sequence[Passage]) -> Iterable[tuple[float, Passage]]:
    """Ours: the order of the search."""
    return [(-float(place), passage) for place, passage in enumerate(passages)]


METHODS: dict[str, Ranking] = {
    "BM25": by_lexical,
    "words": by_words,
    "dense": by_dense,
    "reciprocal ranks": by_reciprocal_ranks,
    "plain combination": by_plain_combination,
    "hybrid": by_fused,
    "hybrid, ranked again": as_found,
}


def rank_of(ranked: Iterable[tuple[float, Passage]], relevant: frozenset[str]) -> int | None:
    """Rank from 0 of the first relevant document; a document counts by its best passage."""
    best: dict[str, tuple[float, int]] = {}
    for score, passage in ranked:
        key = (-score, passage.chunk_id)
        if passage.document_name not in best or key < best[passage.document_name]:
            best[passage.document_name] = key
    order = sorted(best, key=lambda name: best[name])
    return next((rank for rank, name in enumerate(order) if name in relevant), None)


def measure(corpus: Corpus, embedder: E5Embedder, cache: Path | None, console: Console) -> list[Result]:
    """All methods over all questions of one corpus."""
    ranks: dict[str, list[int | None]] = {method: [] for method in METHODS}
    with scratch_database() as database:
        passages = write_corpus(database, corpus, embedder, cache=cache)
        console.print(f"{corpus.name}: {len(corpus.documents)} documents, {passages} passages", style="dim")
        searcher = Searcher(database, embedder)
        for question, relevant in track(corpus.questions, f"{corpus.name}: questions", console=console):
            found = searcher.search(question, principals=[EVERYONE], limit=10_000).passages
            for method, ranking in METHODS.items():
                ranks[method].append(rank_of(ranking(found), relevant))
        searcher.close()
    return [summary(corpus.name, method, ranks[method]) for method in METHODS]


def summary(corpus: str, method: str, ranks: Sequence[int | None]) -> Result:
    """Means over questions; one relevant document a question, so that the ideal gain is 1."""
    gains = np.array([1 / math.log2(rank + 2) if rank is not None and rank < 10 else 0.0 for rank in ranks])
    draws = np.random.default_rng(0).integers(0, len(gains), (1000, len(gains)))
    low, high = np.quantile(gains[draws].mean(axis=1), [0.025, 0.975])
    target = TARGETS.get((corpus, method), (None, None))
    return Result(
        corpus,
        method,
        ndcg_at_10=100 * float(gains.mean()),
        half_interval=50 * float(high - low),
        recall_at_10=100 * float((gains > 0).mean()),
        hit_at_1=100 * float((gains == 1).mean()),
        target_ndcg=target[0],
        target_recall=target[1],
    )


def show(results: Sequence[Result], console: Console) -> None:
    """The results as a table."""
    table = Table(title="Retrieval, × 100")
    for column in ("corpus", "method", "nDCG@10", "±", "R@10", "hit@1", "target"):
        table.add_column(column, justify="left" if column in ("corpus", "method") else "right")
    for row in results:
        targets = [f"{value:.1f}" for value in (row.target_ndcg, row.target_recall) if value is not None]
        table.add_row(
            row.corpus,
            row.method,
            f"{row.ndcg_at_10:.1f}",
            f"{row.half_interval:.1f}",
            f"{row.recall_at_10:.1f}",
            f"{row.hit_at_1:.1f}",
            " / ".join(targets),
        )
    console.print(table)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="folder that holds piaf, code-du-travail and service-public")
    parser.add_argument("--only", nargs="+", choices=sorted(CORPORA), default=list(CORPORA))
    parser.add_argument("--cache", type=Path, help="keep what was embedded here")
    parser.add_argument("--threads", type=int, default=1, help="of the embedding model")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    console = Console(stderr=True)
    embedder = E5Embedder(threads=options.threads)
    results = []
    for name in options.only:
        results += measure(CORPORA[name](options.data), embedder, options.cache, console)
        show(results, console)
    if options.json:
        json.dump([asdict(result) for result in results], sys.stdout, indent=1)
    else:
        show(results, Console())


if __name__ == "__main__":
    main()
