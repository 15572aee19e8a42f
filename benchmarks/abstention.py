"""Can the score gate tell a question that the documents answer from one that they do not?

    python benchmarks/abstention.py
    python benchmarks/abstention.py --piaf piaf-v1.1.json --paragraphs 400 --questions 250 --json

Each question is asked twice: of all that was found, and of what remains when its own document (the demo) or
paragraph (PIAF) is taken away. Prints the area under the ROC curve of every feature alone and of the logistic
model, by five-fold cross-validation, and the coefficients of `etabli.assistants.abstaining.GATE` fitted on all.
"""

import argparse
import json
import tempfile
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from demo_workspace import DemoWorkspace, demo_questions, demo_workspace
from rich.console import Console
from rich.progress import track
from rich.table import Table

from etabli.assistants.abstaining import Features, features_of
from etabli.assistants.evidence import EvidenceChooser
from etabli.assistants.scope import term_weights
from etabli.knowledge.blocks import Block, ParsedDocument
from etabli.knowledge.chunking import chunk
from etabli.knowledge.index import open_space, pending_chunks, write_vectors, write_version
from etabli.knowledge.library import Library
from etabli.knowledge.search import Passage
from etabli.storage.database import EVERYONE

PASSAGES = 8
CHARACTERS = 1_500
NAMES = tuple(field.name for field in fields(Features))
WRONG_REFUSALS = 0.10
"""Share of answerable questions that the gate may refuse: they still get the sentence that comes closest."""
WRONG_QUOTATIONS = 0.25
"""Share of the others to which a quotation may be given as the answer, where the model has none."""
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One question with what was found, and whether the answer is among it."""

    data: str
    answerable: bool
    features: Features


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--piaf", type=Path, help="piaf-v1.1.json, as a check of generality")
    parser.add_argument("--paragraphs", type=int, default=400)
    parser.add_argument("--questions", type=int, default=250)
    parser.add_argument("--workspace", type=Path, help="kept between runs; else a temporary one")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.workspace or Path(temporary)
        with demo_workspace(folder / "demo") as workspace:
            cases = demo_cases(workspace)
        if options.piaf is not None:
            with demo_workspace(folder / "piaf") as workspace:
                cases += piaf_cases(workspace, options.piaf, options.paragraphs, options.questions)
    report = measure(cases)
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=2))
    else:
        show(report)


def demo_cases(workspace: DemoWorkspace) -> list[Case]:
    chooser = EvidenceChooser(workspace.embedder)
    cases = []
    for question in track(demo_questions(), description="demo", transient=True):
        own = {question["source"], *question.get("also", [])}
        asked = question["question"]
        found = search(workspace, asked)
        features = features_from(workspace, chooser, asked, found[:PASSAGES])
        cases.append(Case("demo", question["answerable"], features))
        if question["answerable"]:
            rest = [passage for passage in found if passage.document_name not in own]
            cases.append(Case("demo", False, features_from(workspace, chooser, asked, rest[:PASSAGES])))
    return cases


def piaf_cases(workspace: DemoWorkspace, path: Path, paragraphs: int, questions: int) -> list[Case]:
    """PIAF's paragraphs beside the demo's documents, and a sample of its questions (seed 3)."""
    known = [
        (f"piaf-{number}", paragraph)
        for number, paragraph in enumerate(
            paragraph
            for article in json.loads(path.read_text(encoding="utf-8"))["data"]
            for paragraph in article["paragraphs"]
        )
    ][:paragraphs]
    write_paragraphs(workspace, known)
    asked = [(name, one["question"]) for name, paragraph in known for one in paragraph["qas"]]
    order = np.random.default_rng(3).permutation(len(asked))[:questions]
    chooser = EvidenceChooser(workspace.embedder)
    cases = []
    for index in track(order, description="piaf", transient=True):
        name, question = asked[index]
        found = search(workspace, question)
        rest = [passage for passage in found if passage.document_name != name]
        cases.append(Case("piaf", True, features_from(workspace, chooser, question, found[:PASSAGES])))
        cases.append(Case("piaf", False, features_from(workspace, chooser, question, rest[:PASSAGES])))
    return cases


def write_paragraphs(workspace: DemoWorkspace, paragraphs: Sequence[tuple[str, dict[str, Any]]]) -> None:
    """Each paragraph as a document of one chunk, written once."""
    database = workspace.database
    number = Library(database, workspace.settings.files_dir).collection("piaf")
    space = open_space(database, workspace.embedder.name, workspace.embedder.dimensions)
    for name, paragraph in track(paragraphs, description="paragraphs", transient=True):
        text = paragraph["context"]
        parsed = ParsedDocument(text, (Block("paragraph", 0, len(text)),), "text/plain")
        with database.owner() as connection:
            row = connection.execute(
                "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
                " SELECT id, acl_set, %s, 'piaf', 0, 'ready' FROM collection WHERE id = %s"
                " ON CONFLICT DO NOTHING RETURNING id",
                (name, number),
            ).fetchone()
            if row is None:
                continue
            chunks = chunk(parsed, title="", target_chars=10_000)
            version = write_version(connection, row[0], sha256="piaf", parsed=parsed, chunks=chunks)
        pending = pending_chunks(database, space, version)
        vectors = workspace.embedder.embed_passages([item.text for item in pending])
        write_vectors(database, space, [item.id for item in pending], vectors)


def search(workspace: DemoWorkspace, question: str) -> tuple[Passage, ...]:
    found = workspace.searcher.search(
        question, principals=[EVERYONE], collection_ids=None, limit=3 * PASSAGES
    )
    return found.passages


def features_from(
    workspace: DemoWorkspace, chooser: EvidenceChooser, question: str, passages: Sequence[Passage]
) -> Features:
    idf = term_weights(workspace.database, question)
    evidence = chooser.choose(question, passages, characters=CHARACTERS, idf=idf)
    return features_of(question, passages, evidence, idf)


def measure(cases: Sequence[Case]) -> dict[str, Any]:
    values = np.array([[float(one or 0.0) for one in astuple(case.features)] for case in cases])
    truth = np.array([case.answerable for case in cases], dtype=float)
    data = np.array([case.data for case in cases])
    predicted = cross_validated(values, truth, folds=5, seed=3)
    bias, weights = fit(values, truth)
    final = 1 / (1 + np.exp(-(values @ weights + bias)))
    threshold = float(np.quantile(final[truth == 1], WRONG_REFUSALS))
    quoting = float(np.quantile(final[truth == 0], 1 - WRONG_QUOTATIONS))
    report: dict[str, Any] = {
        "coefficients": {"bias": round(bias, 3), **dict(zip(NAMES, weights.round(3).tolist(), strict=True))},
        "threshold": round(threshold, 3),
        "quoting": round(quoting, 3),
        "sets": {},
    }
    for name in sorted(set(data)):
        own = data == name
        report["sets"][name] = {
            "answerable": int(truth[own].sum()),
            "unanswerable": int((1 - truth[own]).sum()),
            "auroc": {
                **{
                    feature: round(auroc(values[own, column], truth[own]), 3)
                    for column, feature in enumerate(NAMES)
                },
                "logistic, cross-validated": round(auroc(predicted[own], truth[own]), 3),
            },
            "refused_of_unanswerable": round(float((final[own & (truth == 0)] < threshold).mean()), 3),
            "refused_of_answerable": round(float((final[own & (truth == 1)] < threshold).mean()), 3),
            "trusted_of_unanswerable": round(float((final[own & (truth == 0)] >= quoting).mean()), 3),
            "trusted_of_answerable": round(float((final[own & (truth == 1)] >= quoting).mean()), 3),
        }
    return report


def fit(values: Array, truth: Array, *, penalty: float = 1.0) -> tuple[float, Array]:
    """Logistic regression by Newton's method, L2 penalty on standardised features, classes weighing the same."""
    mean, spread = values.mean(axis=0), values.std(axis=0) + 1e-9
    design = np.column_stack([np.ones(len(values)), (values - mean) / spread])
    balance = np.where(truth == 1, 0.5 / truth.mean(), 0.5 / (1 - truth.mean()))
    ridge = np.diag([0.0, *[penalty] * values.shape[1]])
    beta = np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ beta))
        gradient = design.T @ (balance * (truth - chance)) - ridge @ beta
        hessian = (design * (balance * chance * (1 - chance))[:, None]).T @ design + ridge
        beta = beta + np.linalg.solve(hessian, gradient)
    weights = beta[1:] / spread
    return float(beta[0] - weights @ mean), weights


def cross_validated(values: Array, truth: Array, *, folds: int, seed: int) -> Array:
    """Predictions for each case by a model that has not seen it."""
    fold = np.random.default_rng(seed).integers(0, folds, len(truth))
    predicted = np.zeros(len(truth))
    for number in range(folds):
        bias, weights = fit(values[fold != number], truth[fold != number])
        predicted[fold == number] = values[fold == number] @ weights + bias
    return predicted


def auroc(scores: Array, truth: Array) -> float:
    """Chance that an answerable case scores above an unanswerable one; ties count half."""
    positive, negative = scores[truth == 1], scores[truth == 0]
    above = (positive[:, None] > negative).mean() + 0.5 * (positive[:, None] == negative).mean()
    return float(above)


def show(report: dict[str, Any]) -> None:
    table = Table(title="Score gate")
    for column in ("set", "cases", "feature", "AUROC"):
        table.add_column(column)
    for name, result in report["sets"].items():
        cases = f"{result['answerable']} + {result['unanswerable']}"
        for feature, value in result["auroc"].items():
            table.add_row(name, cases, feature, f"{value:.3f}")
        table.add_row(name, cases, "refused: unanswerable", f"{result['refused_of_unanswerable']:.1%}")
        table.add_row(name, cases, "refused: answerable", f"{result['refused_of_answerable']:.1%}")
        table.add_row(name, cases, "quoted: unanswerable", f"{result['trusted_of_unanswerable']:.1%}")
        table.add_row(name, cases, "quoted: answerable", f"{result['trusted_of_answerable']:.1%}")
    Console().print(table)
    print(
        "coefficients:",
        report["coefficients"],
        "threshold:",
        report["threshold"],
        "quoting:",
        report["quoting"],
    )


if __name__ == "__main__":
    main()
