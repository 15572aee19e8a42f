"""How good are the answers to the demo's questions, and how soon do they begin?

    python benchmarks/answers.py
    python benchmarks/answers.py --model qwen2.5-coder-0.5b --limit 12 --json
    python benchmarks/answers.py --contexts

Asks the demo's assistant every question as somebody who may read everything. Reported: the right document among
the first five passages; whether the text sent to the model holds the expected quotation; the expected words in the
answer; how often it abstains where the documents hold the answer and where they do not; how many sentences are
verified; how many quotations stand literally in the stored text of their version (read again from the database);
milliseconds to the first token. `--contexts` asks no model: it compares how much text holds the quotation when
whole passages are sent and when sentences are chosen.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from demo_workspace import CLINIC, DemoWorkspace, demo_questions, demo_workspace
from rich.console import Console
from rich.progress import track
from rich.table import Table

from etabli.assistants.answer import Answer
from etabli.assistants.answering import Answerer
from etabli.assistants.evidence import EvidenceChooser
from etabli.assistants.run import AnswerRequest
from etabli.assistants.scope import term_weights
from etabli.assistants.specification import read_specification
from etabli.engines.local import LocalEngine, start_engine
from etabli.models.pull import ensure_model
from etabli.storage.database import EVERYONE

PRINCIPALS = (EVERYONE,)
TOP = 5


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
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.workspace or Path(temporary)
        with demo_workspace(folder, threads=options.threads) as workspace:
            questions = spread(demo_questions(), options.limit)
            if options.contexts:
                report: dict[str, Any] = {"contexts": contexts(workspace, questions)}
            else:
                report = answers(workspace, questions, model=options.model)
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        show(report)


def spread(questions: list[dict[str, Any]], limit: int | None) -> list[dict[str, Any]]:
    """`limit` questions at equal distances."""
    if limit is None or limit >= len(questions):
        return questions
    return [questions[index * len(questions) // limit] for index in range(limit)]


def answers(workspace: DemoWorkspace, questions: Sequence[dict[str, Any]], *, model: str) -> dict[str, Any]:
    path = ensure_model(workspace.settings, model)
    engine = start_engine(workspace.settings, path, model)
    try:
        engine.wait_ready(300)
        rows = asyncio.run(ask_all(workspace, engine, questions))
    finally:
        engine.stop()
    return {
        "model": model,
        "threads": engine.size.threads,
        "summary": summary(rows),
        "rows": [asdict(row) for row in rows],
    }


async def ask_all(
    workspace: DemoWorkspace, engine: LocalEngine, questions: Sequence[dict[str, Any]]
) -> list[Row]:
    answerer = Answerer(workspace.searcher, workspace.database, embedder=workspace.embedder)
    assistant = read_specification(CLINIC / "assistants" / "clinique.yaml").model_copy(
        update={"temperature": 0.0}
    )
    rows = []
    for question in track(questions, description="questions", transient=True):
        request = AnswerRequest([{"role": "user", "content": question["question"]}], {"seed": 1})
        stream = answerer.answer(assistant, engine, request, principals=PRINCIPALS)
        final = [event async for event in stream][-1]
        assert isinstance(final, Answer)
        rows.append(judged(workspace, question, final))
    await engine.aclose()
    return rows


def judged(workspace: DemoWorkspace, question: dict[str, Any], answer: Answer) -> Row:
    right = {question["source"], *question.get("also", [])}
    found = [passage["document"] for passage in answer.trace.passages[:TOP]]
    sent = " ".join(str(message["content"]) for message in answer.trace.messages)
    said = all(plain(word) in plain(answer.text) for word in question["keywords"])
    return Row(
        id=question["id"],
        answerable=question["answerable"],
        source_found=bool(right & set(found)),
        quotation_sent=question["answerable"] and plain(question["quote"]) in plain(sent),
        words_right=question["answerable"] and not answer.abstained and said,
        words_quoted=question["answerable"] and answer.abstained and said,
        abstained=answer.abstained,
        citations=len(answer.citations),
        literal=literal(workspace, answer),
        statuses=tuple(citation.status for citation in answer.citations),
        first_token_ms=answer.trace.times_ms.get("first_token"),
        total_ms=answer.trace.times_ms["total"],
        prompt_tokens=(answer.usage or {}).get("prompt_tokens"),
        text=answer.text,
    )


def literal(workspace: DemoWorkspace, answer: Answer) -> int:
    """How many quotations are the stored text at their place."""
    count = 0
    with workspace.database.owner() as connection:
        for one in answer.citations:
            row = connection.execute("SELECT text FROM version WHERE id = %s", (one.version_id,)).fetchone()
            count += (
                row is not None and bool(one.quote) and row[0][one.char_start : one.char_end] == one.quote
            )
    return count


def summary(rows: Sequence[Row]) -> dict[str, Any]:
    answerable = [row for row in rows if row.answerable]
    others = [row for row in rows if not row.answerable]
    given = [row for row in answerable if not row.abstained]
    statuses = [status for row in rows for status in row.statuses]
    first = sorted(row.first_token_ms for row in rows if row.first_token_ms is not None)
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
