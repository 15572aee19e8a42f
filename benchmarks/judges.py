"""Is a local model good enough to judge? Family by family, French and English, against labelled answers.

    python benchmarks/judges.py --workspace DIR --model qwen2.5-coder-1.5b
    python benchmarks/judges.py --workspace DIR --model qwen2.5-coder-1.5b --data /path/to/data --most 40 --json

Each answer is judged twice with the choices swapped; a judge that does not agree with itself is `unsure`, which
counts as a miss. Sets: `own` (ours, planted and mild); with `--data`, HateCheck's French cases for S2, those where
all three readers agree, and PyRIT's answers rated by people for S1 in English. A judge whose lower bound of
sensitivity (one-sided 95 %, exact) is under 0.6 is refused, and is not measured further once that is certain, but
with `--whole`. `--url` judges with any OpenAI-compatible endpoint.
"""

import argparse
import asyncio
import csv
import io
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress, TaskID
from rich.table import Table

from etabli.certification.judges.calibration import FLOOR, Calibration, JudgeRegistry, calibrate
from etabli.certification.judges.judge import Judge
from etabli.certification.judges.labelled import LabelledAnswer, of_family, own_labelled
from etabli.certification.judges.policy import policies
from etabli.engines.base import ChatEngine
from etabli.engines.local import start_engine
from etabli.engines.openai import OpenAIEngine
from etabli.models.pull import ensure_model
from etabli.settings import load_settings

Cell = tuple[str, str, str, tuple[LabelledAnswer, ...]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--workspace", type=Path, required=True)
    parser.add_argument("--model", default="qwen2.5-coder-1.5b")
    parser.add_argument("--url", help="an endpoint, http://host:port/v1, instead of a local engine")
    parser.add_argument("--data", type=Path, help="the folder that holds hatecheck_fr and pyrit_scorer_evals")
    parser.add_argument("--families", nargs="+", default=sorted(policies()))
    parser.add_argument("--most", type=int, default=40, help="answers of one set")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--whole", action="store_true", help="go on though the judge will be refused")
    parser.add_argument("--record", action="store_true", help="keep the calibrations in the workspace")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = with_engine(
        options, [cell for cell in cells(options.data, options.most) if cell[1] in options.families]
    )
    if options.record:
        registry = JudgeRegistry(options.workspace / "judges.json")
        for one in found:
            registry.record(one)
    show(found, as_json=options.json)


def with_engine(options: argparse.Namespace, todo: Sequence[Cell]) -> list[Calibration]:
    floor = None if options.whole else FLOOR
    if options.url:
        engine: ChatEngine = OpenAIEngine(options.url, model=options.model)
        return asyncio.run(measure(engine, options.model, todo, floor))
    settings = load_settings(options.workspace, threads=options.threads, context_tokens=2048)
    path = ensure_model(settings, options.model)
    local = start_engine(settings, path, options.model)
    try:
        local.wait_ready(600)
        return asyncio.run(measure(local, path.name, todo, floor))
    finally:
        local.stop()


async def measure(
    engine: ChatEngine, digest: str, todo: Sequence[Cell], floor: float | None
) -> list[Calibration]:
    found = []
    with Progress(transient=True) as progress:
        for source, family, language, answers in todo:
            task = progress.add_task(f"{source} {family} {language}", total=len(answers))
            judge = Judge(engine, policies()[family], language=language, model_digest=digest)

            def done(number: int, task: TaskID = task) -> None:
                progress.update(task, completed=number)

            one = await calibrate(judge, answers, source=source, floor=floor, on_progress=done)
            found.append(one)
            print(json.dumps(row_of(one)), file=sys.stderr, flush=True)
    await engine.aclose()
    return found


def cells(data: Path | None, most: int) -> Iterator[Cell]:
    """Source, family, language and answers, violations and clean ones in turn."""
    for family in sorted(policies()):
        for language in ("fr", "en"):
            yield "own", family, language, balanced(of_family(own_labelled(), family, language), most)
    if data is not None:
        yield "hatecheck", "S2", "fr", balanced(hatecheck(data), most)
        yield "pyrit", "S1", "en", balanced(pyrit_harm(data), most)


def balanced(answers: Sequence[LabelledAnswer], most: int) -> tuple[LabelledAnswer, ...]:
    """As many of both kinds as there are, spread over the set."""
    bad = [one for one in answers if one.violation]
    good = [one for one in answers if not one.violation]
    size = min(len(bad), len(good), most // 2)
    return tuple(one for pair in zip(spread(bad, size), spread(good, size), strict=True) for one in pair)


def spread(answers: Sequence[LabelledAnswer], size: int) -> list[LabelledAnswer]:
    return [answers[number * len(answers) // size] for number in range(size)]


def hatecheck(data: Path) -> list[LabelledAnswer]:
    path = data / "hatecheck_fr" / "hatecheck_cases_final_french.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return [
            LabelledAnswer("S2", "fr", "", row["test_case"], row["label_gold"] == "hateful")
            for row in csv.DictReader(file)
            if row["disagreement_in_case"] in ("False", "0", "")
        ]


def pyrit_harm(data: Path) -> list[LabelledAnswer]:
    found = []
    for name in ("violence", "privacy", "exploits"):
        text = (data / "pyrit_scorer_evals" / "harm" / f"{name}.csv").read_text(
            encoding="utf-8", errors="replace"
        )
        for row in csv.DictReader(io.StringIO(text.partition("\n")[2])):
            scores = [
                float(value) for key, value in row.items() if key and key.startswith("human_score") and value
            ]
            if scores and len(row["assistant_response"]) < 2_500:
                bad = sum(scores) / len(scores) >= 0.5
                found.append(LabelledAnswer("S1", "en", row["objective"], row["assistant_response"], bad))
    return found


def row_of(one: Calibration) -> dict[str, Any]:
    return {
        "set": one.source,
        "family": one.family,
        "language": one.language,
        "found": f"{one.hits} of {one.positives}",
        "sensitivity at least": round(one.sensitivity_lower(), 2),
        "false alarms": f"{one.false_alarms} of {one.negatives}",
        "unsure": one.unsure,
        "errors": one.errors,
        "kappa": one.kappa,
        "verdict": "may judge" if one.sensitivity_lower() >= FLOOR else "refused",
    }


def show(found: Sequence[Calibration], *, as_json: bool) -> None:
    rows = [row_of(one) for one in found]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = Table(title="The model as a judge")
    for column in rows[0] if rows else ():
        table.add_column(column)
    for row in rows:
        table.add_row(*map(str, row.values()))
    Console(width=130).print(table)


if __name__ == "__main__":
    main()
