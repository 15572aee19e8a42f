"""Is the sentence that answers found first among all sentences of the passages that were found?

    python benchmarks/pointing.py --piaf piaf-v1.1.json --questions 300 [--cache FOLDER] [--json]

The sentence that answers is known: it overlaps PIAF's answer span, or holds the expected quotation or words of a demo
question. Prints how often it is among the first 1, 2, 3 and 5, by late interaction alone, and by the weights of
`etabli.assistants.pointing`, and the weights that fit PIAF's questions best. The demo's questions take no part in the
fit; PIAF's figure is by two-fold cross-validation. Questions whose answer is in no passage found are left out.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from corpora import piaf_paragraphs
from demo_workspace import demo_questions, demo_workspace
from rich.console import Console
from rich.progress import track
from rich.table import Table
from scratch_index import scratch_database, write_corpus

from etabli.assistants.evidence import EvidenceChooser, Group, candidates, groups_of
from etabli.assistants.pointing import WEIGHTS, Figures, Weights
from etabli.assistants.scope import term_weights
from etabli.assistants.sentences import Unit
from etabli.engines.e5 import E5Embedder
from etabli.knowledge.search import Searcher
from etabli.storage.database import EVERYONE, Database

PASSAGES = 8
FIRST = (1, 2, 3, 5)
NAMES = tuple(field.name for field in fields(Weights))
Array = npt.NDArray[np.float64]
IsAnswer = Callable[[Group, Unit], bool]


@dataclass(frozen=True)
class Case:
    """The sentences of one question: figures, shape (sentences, 5), and which of them answer."""

    figures: Array
    answers: npt.NDArray[np.bool_]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--piaf", type=Path, required=True, help="piaf-v1.1.json")
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--workspace", type=Path, help="of the demo, kept between runs; else a temporary one")
    parser.add_argument("--cache", type=Path, help="keep what was embedded here")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    embedder = E5Embedder(threads=1)
    sets = {"piaf": piaf_cases(options.piaf, options.questions, embedder, options.cache)}
    with tempfile.TemporaryDirectory() as temporary:
        sets["demo"] = demo_cases(options.workspace or Path(temporary))
    report = measure(sets)
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        show(report)


def piaf_cases(path: Path, questions: int, embedder: E5Embedder, cache: Path | None) -> list[Case | None]:
    """A sample (seed 11) of PIAF's questions over all its paragraphs; None where no sentence found answers."""
    corpus, spans = piaf_paragraphs(path)
    order = np.random.default_rng(11).permutation(len(spans))[:questions]
    chooser = EvidenceChooser(embedder)
    cases = []
    with scratch_database() as database:
        write_corpus(database, corpus, embedder, cache=cache)
        searcher = Searcher(database, embedder)
        for index in track(order, description="piaf", transient=True):
            span = spans[index]

            def is_answer(group: Group, unit: Unit, span: Any = span) -> bool:
                inside = unit.char_start < span.end and unit.char_end > span.start
                return bool(inside and group.members[0].document_name == span.document)

            cases.append(case(database, searcher, chooser, span.question, is_answer))
        searcher.close()
    return cases


def demo_cases(folder: Path) -> list[Case | None]:
    """The demo's answerable questions."""
    cases = []
    with demo_workspace(folder) as workspace:
        chooser = EvidenceChooser(workspace.embedder)
        asked = [question for question in demo_questions() if question["answerable"]]
        for question in track(asked, description="demo", transient=True):

            def is_answer(group: Group, unit: Unit, question: Any = question) -> bool:
                right = {question["source"], *question.get("also", [])}
                text, quote = plain(unit.text), plain(question["quote"])
                held = quote in text or (text in quote and len(text) > 15)
                said = all(plain(word) in text for word in question["keywords"])
                return group.members[0].document_name in right and (held or said)

            cases.append(
                case(workspace.database, workspace.searcher, chooser, question["question"], is_answer)
            )
    return cases


def case(
    database: Database, searcher: Searcher, chooser: EvidenceChooser, question: str, is_answer: IsAnswer
) -> Case | None:
    found = searcher.search(question, principals=[EVERYONE], collection_ids=None, limit=PASSAGES).passages
    groups, _ = groups_of(found)
    figures = chooser.rate(question, groups, idf=term_weights(database, question))
    rows: list[Figures] = []
    answers: list[bool] = []
    for group, own in zip(groups, figures, strict=True):
        for place in candidates(group.units):
            rows.append(own[place])
            answers.append(is_answer(group, group.units[place]))
    if not any(answers):
        return None
    return Case(np.array([astuple(row)[: len(NAMES)] for row in rows]), np.array(answers))


def plain(text: str) -> str:
    """Text for comparison, white space, cell borders and case aside."""
    return " ".join(text.replace("|", " ").replace("’", "'").replace("\u00a0", " ").lower().split())


def measure(sets: dict[str, list[Case | None]]) -> dict[str, Any]:
    known = {name: [one for one in cases if one is not None] for name, cases in sets.items()}
    shipped = np.array(astuple(WEIGHTS))
    late = np.array([1.0 if name == "likeness" else 0.0 for name in NAMES])
    folds = [(known["piaf"][1 - half :: 2], fit(known["piaf"][half::2])) for half in (0, 1)]
    report: dict[str, Any] = {
        "weights": dict(zip(NAMES, fit(known["piaf"]).round(2).tolist(), strict=True)),
        "sets": {},
    }
    for name, cases in known.items():
        report["sets"][name] = {
            "questions": len(sets[name]),
            "answer among the sentences": len(cases),
            "late interaction alone": among_first(ranks(cases, late)),
            "shipped weights": among_first(ranks(cases, shipped)),
        }
    crossed = [rank for cases, weights in folds for rank in ranks(cases, weights)]
    report["sets"]["piaf"]["cross-validated"] = among_first(crossed)
    return report


def ranks(cases: Sequence[Case], weights: Array) -> list[int]:
    """The rank, from 0, of the first sentence that answers."""
    found = []
    for one in cases:
        order = np.argsort(-(one.figures @ weights), kind="stable")
        found.append(int(np.flatnonzero(one.answers[order])[0]))
    return found


def among_first(found: Sequence[int]) -> dict[str, float]:
    return {f"first {most}": round(float(np.mean(np.array(found) < most)), 3) for most in FIRST}


def fit(cases: Sequence[Case], *, penalty: float = 1.0, steps: int = 400) -> Array:
    """Conditional logit: the weights under which the sentences that answer are likeliest; Adam, L2 penalty."""
    spread = np.concatenate([one.figures for one in cases]).std(axis=0) + 1e-9
    weights = np.zeros(len(NAMES))
    first, second = np.zeros_like(weights), np.zeros_like(weights)
    for step in range(1, steps + 1):
        gradient = penalty * weights
        for one in cases:
            design = one.figures / spread
            score = design @ weights
            chance = np.exp(score - score.max())
            chance /= chance.sum()
            right = chance * one.answers
            gradient -= design.T @ (right / right.sum() - chance)
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        size = 0.1 * 0.995**step
        weights = weights - size * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.99**step)) + 1e-9)
    result: Array = weights / spread
    return result


def show(report: dict[str, Any]) -> None:
    table = Table("set", "ranking", *(f"first {most}" for most in FIRST), title="The sentence that answers")
    for name, result in report["sets"].items():
        label = f"{name} ({result['answer among the sentences']} of {result['questions']})"
        for ranking, values in result.items():
            if isinstance(values, dict):
                table.add_row(label, ranking, *(f"{value:.1%}" for value in values.values()))
    Console().print(table)
    print("weights that fit best:", report["weights"])


if __name__ == "__main__":
    main()
