"""How good are the answers to the demo's questions, and how soon do they begin?

    python benchmarks/answers.py
    python benchmarks/answers.py --model qwen2.5-coder-0.5b --limit 12 --json
    python benchmarks/answers.py --contexts
    python benchmarks/answers.py --piaf piaf-v1.1.json --limit 100

Asks the demo's assistant every question as somebody who may read everything. Reported: the right document among
the first five passages; whether the text sent to the model holds the expected quotation; the expected words in the
answer; how often it abstains where the documents hold the answer and where they do not; how many sentences are
verified; how many quotations stand literally in the stored text of their version (read again from the database);
milliseconds to the first token, and to the first text that is shown (a first sentence is checked before).
`--contexts` asks no model: it compares how much text holds the quotation when whole passages are sent and when
sentences are chosen.

`--piaf` asks other people's questions instead, over paragraphs of Wikipedia: four of five whose paragraph is there
(the expected words are then the marked span: at least three quarters of its terms), one of five whose paragraph
was taken away while the others of its article stay.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from corpora import piaf_paragraphs
from demo_workspace import CLINIC, DemoWorkspace, demo_questions, demo_workspace
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scratch_index import scratch_database, write_corpus

from etabli.assistants.answer import Answer, TextDelta
from etabli.assistants.answering import Answerer
from etabli.assistants.evidence import EvidenceChooser
from etabli.assistants.run import AnswerRequest
from etabli.assistants.scope import term_weights
from etabli.assistants.specification import AssistantSpecification, read_specification
from etabli.engines.e5 import E5Embedder
from etabli.engines.local import LocalEngine, start_engine
from etabli.evaluation.asking import TOP, literal_citations
from etabli.evaluation.questions import spread
from etabli.knowledge.analysis import terms
from etabli.knowledge.search import Searcher
from etabli.models.pull import ensure_model
from etabli.settings import load_settings
from etabli.storage.database import EVERYONE

PRINCIPALS = (EVERYONE,)
SPAN_SHARE = 0.75
"""Share of a marked span's terms that an answer must have: spans were marked by hand, with a word more or less."""
TAKEN_AWAY = 5
"""Every so many paragraphs one is taken away, and its questions are those without an answer."""


@dataclass(frozen=True)
class Row:
    """What came of one question."""

    id: str
    answerable: bool
    source_found: bool
    quotation_sent: bool
    words_right: bool
    words_quoted: bool
    abstained: bool
    citations: int
    literal: int
    statuses: tuple[str, ...]
    first_token_ms: float | None
    first_text_ms: float
    total_ms: float
    prompt_tokens: int | None
    text: str


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="qwen2.5-coder-1.5b", help="catalogue name of a local model")
    parser.add_argument("--limit", type=int, help="so many questions, spread over all")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--workspace", type=Path, help="kept between runs; else a temporary one")
    parser.add_argument("--contexts", action="store_true", help="compare what is sent; asks no model")
    parser.add_argument("--piaf", type=Path, help="piaf-v1.1.json: ask its questions instead of the demo's")
    parser.add_argument("--cache", type=Path, help="keep what was embedded of PIAF here")
    parser.add_argument("--journal", type=Path, help="each answer is added here as it comes, a line of JSON")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.workspace or Path(temporary)
        asked = options.piaf is not None
        with (
            piaf_workspace(folder, options.piaf, threads=options.threads, cache=options.cache)
            if asked
            else demo_workspace(folder, threads=options.threads)
        ) as workspace:
            questions = (
                piaf_questions(options.piaf, options.limit or 100)
                if asked
                else spread(demo_questions(), options.limit)
            )
            if options.contexts:
                report: dict[str, Any] = {"contexts": contexts(workspace, questions)}
            else:
                report = answers(workspace, questions, model=options.model, journal=options.journal)
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        show(report)


@contextmanager
def piaf_workspace(
    folder: Path, path: Path, *, threads: int | None, cache: Path | None
) -> Iterator[DemoWorkspace]:
    """PIAF's paragraphs in a database of their own, without those that are taken away."""
    settings = load_settings(folder, **({} if threads is None else {"threads": threads}))
    corpus, _ = piaf_paragraphs(path)
    away = [one.id for one in corpus.documents if taken_away(one.id)]
    embedder = E5Embedder(threads=1)
    with scratch_database() as database:
        write_corpus(database, corpus, embedder, cache=cache)
        with database.owner() as connection:
            connection.execute("DELETE FROM document WHERE name = ANY (%s)", (away,))
        searcher = Searcher(database, embedder)
        try:
            yield DemoWorkspace(settings, database, embedder, searcher)
        finally:
            searcher.close()


def taken_away(document: str) -> bool:
    """Whether a paragraph of PIAF is not among those that are searched."""
    return int(document) % TAKEN_AWAY == TAKEN_AWAY - 1


def piaf_questions(path: Path, limit: int) -> list[dict[str, Any]]:
    """A sample (seed 7) in the demo's form: four fifths with an answer, one fifth without."""
    _, spans = piaf_paragraphs(path)
    order = [spans[index] for index in np.random.default_rng(7).permutation(len(spans))]
    without = [span for span in order if taken_away(span.document)][: limit // 5]
    given = [span for span in order if not taken_away(span.document)][: limit - len(without)]
    return [
        {
            "id": f"piaf-{span.document}-{span.start}",
            "question": span.question,
            "answerable": not taken_away(span.document),
            "source": span.document,
            "quote": span.text,
            "span": span.text,
            "keywords": [],
        }
        for span in [*given, *without]
    ]


def answers(
    workspace: DemoWorkspace, questions: Sequence[dict[str, Any]], *, model: str, journal: Path | None
) -> dict[str, Any]:
    path = ensure_model(workspace.settings, model)
    engine = start_engine(workspace.settings, path, model)
    try:
        engine.wait_ready(300)
        rows = asyncio.run(ask_all(workspace, engine, questions, journal=journal))
    finally:
        engine.stop()
    return {
        "model": model,
        "threads": engine.size.threads,
        "summary": summary(rows),
        "rows": [asdict(row) for row in rows],
    }


async def ask_all(
    workspace: DemoWorkspace,
    engine: LocalEngine,
    questions: Sequence[dict[str, Any]],
    *,
    journal: Path | None,
) -> list[Row]:
    answerer = Answerer(workspace.searcher, workspace.database, embedder=workspace.embedder)
    assistant = answering_assistant(workspace)
    rows = []
    for question in track(questions, description="questions", transient=True):
        request = AnswerRequest([{"role": "user", "content": question["question"]}], {"seed": 1})
        began, first_text, final = time.perf_counter(), None, None
        async for event in answerer.answer(assistant, engine, request, principals=PRINCIPALS):
            if isinstance(event, TextDelta) and first_text is None:
                first_text = time.perf_counter()
            final = event
        assert isinstance(final, Answer)
        shown = ((first_text or time.perf_counter()) - began) * 1000
        rows.append(judged(workspace, question, final, first_text_ms=shown))
        if journal is not None:
            with journal.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(rows[-1]), ensure_ascii=False) + "\n")
    await engine.aclose()
    return rows


def answering_assistant(workspace: DemoWorkspace) -> AssistantSpecification:
    """The demo's assistant, over whatever collection there is."""
    with workspace.database.owner() as connection:
        names = [str(name) for (name,) in connection.execute("SELECT name FROM collection ORDER BY id")]
    assistant = read_specification(CLINIC / "assistants" / "clinique.yaml")
    changes: dict[str, Any] = {"temperature": 0.0}
    if not set(assistant.collections) & set(names):
        changes |= {"collections": names, "title": "Encyclopédie", "instructions": ""}
    return assistant.model_copy(update=changes)


def judged(
    workspace: DemoWorkspace, question: dict[str, Any], answer: Answer, *, first_text_ms: float
) -> Row:
    right = {question["source"], *question.get("also", [])}
    found = [passage["document"] for passage in answer.trace.passages[:TOP]]
    sent = " ".join(str(message["content"]) for message in answer.trace.messages)
    said = (
        has_span(answer.text, question["span"])
        if "span" in question
        else all(plain(word) in plain(answer.text) for word in question["keywords"])
    )
    return Row(
        id=question["id"],
        answerable=question["answerable"],
        source_found=bool(right & set(found)),
        quotation_sent=question["answerable"] and plain(question["quote"]) in plain(sent),
        words_right=question["answerable"] and not answer.abstained and said,
        words_quoted=question["answerable"] and answer.abstained and said,
        abstained=answer.abstained,
        citations=len(answer.citations),
        literal=literal_citations(workspace.database, answer.citations),
        statuses=tuple(citation.status for citation in answer.citations),
        first_token_ms=answer.trace.times_ms.get("first_token"),
        first_text_ms=first_text_ms,
        total_ms=answer.trace.times_ms["total"],
        prompt_tokens=(answer.usage or {}).get("prompt_tokens"),
        text=answer.text,
    )


def has_span(text: str, span: str) -> bool:
    """Whether an answer has nearly all terms of a marked span."""
    wanted, held = set(terms(span, "fr")), set(terms(text, "fr"))
    return plain(span) in plain(text) or (bool(wanted) and len(wanted & held) >= SPAN_SHARE * len(wanted))


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    answerable = [row for row in rows if row.answerable]
    others = [row for row in rows if not row.answerable]
    given = [row for row in answerable if not row.abstained]
    statuses = [status for row in rows for status in row.statuses]
    first = sorted(row.first_token_ms for row in rows if row.first_token_ms is not None)
    shown = sorted(row.first_text_ms for row in rows)
    citations = sum(row.citations for row in rows)
    return {
        "answerable": len(answerable),
        "unanswerable": len(others),
        f"source in top {TOP}": share(sum(row.source_found for row in answerable), len(answerable)),
        "expected quotation sent": share(sum(row.quotation_sent for row in answerable), len(answerable)),
        "expected words in the answer": share(sum(row.words_right for row in answerable), len(answerable)),
        "or in the passage quoted when it abstains": share(
            sum(row.words_right or row.words_quoted for row in answerable), len(answerable)
        ),
        "of answers given": share(sum(row.words_right for row in given), len(given)),
        "of those sent the quotation": share(
            sum(row.words_right for row in answerable if row.quotation_sent),
            sum(row.quotation_sent for row in answerable),
        ),
        "abstained, answerable": share(sum(row.abstained for row in answerable), len(answerable)),
        "abstained, unanswerable": share(sum(row.abstained for row in others), len(others)),
        "quotations literal in the source": share(sum(row.literal for row in rows), citations),
        "citations verified": share(statuses.count("verified"), len(statuses)),
        "citations weak": share(statuses.count("weak"), len(statuses)),
        "citations unsupported": share(statuses.count("unsupported"), len(statuses)),
        "prompt tokens, median": median([row.prompt_tokens for row in rows if row.prompt_tokens]),
        "first token ms, p50": quantile(first, 0.5),
        "first token ms, p95": quantile(first, 0.95),
        "first text shown ms, p50": quantile(shown, 0.5),
    }


def contexts(workspace: DemoWorkspace, questions: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Share of answerable questions whose quotation is in what would be sent, by way of choosing and size."""
    chooser = EvidenceChooser(workspace.embedder)
    words_only = EvidenceChooser(None)
    asked = [question for question in questions if question["answerable"]]
    plans = [("whole passages", size) for size in (2, 4, 8)]
    plans += [(f"sentences, {how}", size) for how in ("by words", "by meaning") for size in (800, 1500, 2500)]
    hits, sizes = dict.fromkeys(plans, 0), {plan: list[int]() for plan in plans}
    for question in track(asked, description="contexts", transient=True):
        found = workspace.searcher.search(
            question["question"], principals=PRINCIPALS, collection_ids=None, limit=8
        ).passages
        idf = term_weights(workspace.database, question["question"])
        for name, size in plans:
            if name == "whole passages":
                text = " ".join(passage.text for passage in found[:size])
            else:
                one = words_only if name.endswith("words") else chooser
                evidence = one.choose(question["question"], found, characters=size, idf=idf)
                text = " ".join(
                    " ".join(source.units[index].text for index in sorted(source.shown))
                    for source in evidence.sources
                )
            hits[name, size] += plain(question["quote"]) in plain(text)
            sizes[name, size].append(len(text))
    return [
        {
            "sent": f"{name}, {size}",
            "quotation": share(hits[name, size], len(asked)),
            "characters": round(statistics.mean(sizes[name, size])),
        }
        for name, size in plans
    ]


def plain(text: str) -> str:
    """Text for comparison: white space, cell borders, case and marks of typography aside."""
    text = unicodedata.normalize("NFKC", text).replace("|", " ").replace("’", "'").lower()
    return " ".join(text.split())


def share(part: int, whole: int) -> str:
    return f"{part}/{whole} ({part / whole:.0%})" if whole else "0/0"


def median(values: Sequence[float]) -> float | None:
    return statistics.median(values) if values else None


def quantile(ordered: Sequence[float], at: float) -> float | None:
    return ordered[min(len(ordered) - 1, int(at * len(ordered)))] if ordered else None


def show(report: dict[str, Any]) -> None:
    console = Console()
    if "contexts" in report:
        table = Table("sent", "quotation in it", "characters", title="What is sent to the model")
        for row in report["contexts"]:
            table.add_row(row["sent"], row["quotation"], str(row["characters"]))
        console.print(table)
        return
    table = Table("measure", "value", title=f"{report['model']}, {report['threads']} threads")
    for name, value in report["summary"].items():
        table.add_row(name, str(value))
    console.print(table)
    for row in report["rows"]:
        console.print(
            f"{row['id']} {'abstained' if row['abstained'] else row['words_right']}: {row['text']}",
            markup=False,
        )


if __name__ == "__main__":
    main()
