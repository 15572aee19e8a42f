"""How long does checking a file of training data take, and how much memory?

    python benchmarks/data_check.py [--lines 100000] [--validation 1000] [--questions 200] [--json]

Writes a file of French conversations of about a kilobyte a line (some of them broken, repeated or nearly repeated, as
in real files), checks it with a held-out file and question files, and writes the corrected copy. Prints the time of
both, lines and megabytes a second, the greatest memory of the process, and what was found against what was put in.
Tokens are not counted: that depends on the base. The peer is reading the same file with Python's `json` alone.
"""

import argparse
import json
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from etabli.training.data.checks import check_file
from etabli.training.data.corrected import write_corrected
from etabli.training.data.leakage import QuestionFile

JSON = dict[str, Any]
TARGET_S = 30
_SUBJECTS = (
    "le cadre de santé|l’infirmière|le brancardier|le secrétariat|l’aide-soignant|la pharmacie|le patient"
).split("|")
_VERBS = (
    "prépare|vérifie|transmet|range|signale|demande|remplace|apporte|enregistre|surveille|annule|confirme"
).split("|")
_THINGS = (
    "le badge|la fiche de liaison|le dossier de soins|la demande de congé|le planning de la semaine|la blouse|"
    "l’ordonnance|la clé du vestiaire|le compte rendu|la commande de linge|le dosimètre|la carte de cantine|"
    "la feuille de présence|le registre des visites|le bon de transport"
).split("|")
_WHERE = (
    "à l’accueil|au bloc|au sous-sol|dans le service|en salle de garde|à la lingerie|au poste de soins"
).split("|")
_WHEN = (
    "avant midi|chaque lundi|dès l’arrivée|en fin de garde|sous deux jours|le soir même|après la visite"
).split("|")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--validation", type=int, default=1_000)
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        result = measure(Path(folder), options.lines, options.validation, options.questions)
    if options.json:
        print(json.dumps(result, ensure_ascii=False, indent=2))
    else:
        show(result)


def measure(folder: Path, count: int, held_out: int, asked: int) -> JSON:
    dice = random.Random(1)
    held = [example(dice) for _ in range(held_out)]
    questions = [example(dice)["messages"][1]["content"] for _ in range(asked)]
    planted: Counter[str] = Counter()
    path, validation = folder / "rows.jsonl", folder / "held.jsonl"
    validation.write_text("".join(line_of(one) for one in held), encoding="utf-8")
    with path.open("w", encoding="utf-8") as file:
        file.writelines(lines(dice, count, held, questions, planted))
    began = time.perf_counter()
    with path.open("rb") as raw:
        for line in raw:
            try:
                json.loads(line)
            except ValueError:
                continue
    parsed, cpu = time.perf_counter(), time.process_time()
    files = [QuestionFile("questions.jsonl", tuple(questions))]
    report = check_file(path, validation=validation, contamination=files)
    checked, cpu = time.perf_counter(), time.process_time() - cpu
    copy = write_corrected(report, folder / "copy.jsonl")
    written = time.perf_counter()
    size = path.stat().st_size
    return {
        "lines": report.lines,
        "megabytes": round(size / 1e6, 1),
        "json_alone_s": round(parsed - began, 2),
        "check_s": round(checked - parsed, 2),
        "check_processor_s": round(cpu, 2),
        "corrected_s": round(written - checked, 2),
        "lines_per_s": round(report.lines / (checked - parsed)),
        "megabytes_per_s": round(size / 1e6 / (checked - parsed), 1),
        "memory_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "planted": dict(planted),
        "found": {rule: report.counts[rule] for rule in planted},
        "corrected": {"kept": copy.kept, "mended": copy.mended, "left_out": copy.left_out},
    }


def sentence(dice: random.Random) -> str:
    parts = (dice.choice(one) for one in (_SUBJECTS, _VERBS, _THINGS, _WHERE, _WHEN))
    return f"{' '.join(parts)} (réf. {dice.randrange(100_000)})."


def example(dice: random.Random) -> JSON:
    question = " ".join(sentence(dice) for _ in range(3)) + f" Que faire du cas {dice.randrange(10**7)} ?"
    answer = " ".join(sentence(dice).capitalize() for _ in range(8))
    return {
        "messages": [
            {"role": "system", "content": "Tu réponds aux questions du personnel de la clinique."},
            {"role": "user", "content": question},
            {"role": "assistant", "content": answer},
        ]
    }


def line_of(row: JSON) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"


def lines(
    dice: random.Random, count: int, held: list[JSON], questions: list[str], planted: Counter[str]
) -> Iterator[str]:
    """The lines of the file: one in fifty with a fault, which is counted."""
    before: list[JSON] = [example(dice)]
    yield line_of(before[0])
    faults = (
        "invalid_json", "missing_content", "exact_duplicate", "near_duplicate", "personal_data", "secret",
        "in_validation", "in_evaluation", "last_role_not_assistant",
    )  # fmt: skip
    for number in range(1, count):
        row = example(dice)
        if number % 50:
            if len(before) < 1000:
                before.append(row)
            yield line_of(row)
            continue
        fault = faults[(number // 50) % len(faults)]
        planted[fault] += 1
        yield broken(row, fault, dice, before, held, questions)


def broken(
    row: JSON, fault: str, dice: random.Random, before: list[JSON], held: list[JSON], questions: list[str]
) -> str:
    messages = row["messages"]
    if fault == "invalid_json":
        return line_of(row)[:-3] + "\n"
    if fault == "missing_content":
        messages[2]["content"] = ""
    elif fault == "exact_duplicate":
        return line_of(before[dice.randrange(len(before))])
    elif fault == "near_duplicate":
        copy = json.loads(json.dumps(before.pop(dice.randrange(1, len(before)))))
        copy["messages"][2]["content"] += f" Dossier {dice.randrange(10**6)}."
        return line_of(copy)
    elif fault == "personal_data":
        messages[2]["content"] += f" Appelez le 06 {dice.randrange(10, 99)} 22 33 44."
    elif fault == "secret":
        messages[2]["content"] += f" La clé est sk-{dice.randrange(10**30):030d}."
    elif fault == "in_validation":
        messages[1]["content"] = held[dice.randrange(len(held))]["messages"][1]["content"]
    elif fault == "in_evaluation":
        messages[1]["content"] = questions[dice.randrange(len(questions))]
    else:
        messages.append({"role": "user", "content": "Merci !"})
    return line_of(row)


def show(result: JSON) -> None:
    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, title="Checking training data", title_justify="left")
    table.add_column("")
    table.add_column("value", justify="right")
    for name in ("lines", "megabytes", "json_alone_s", "check_s", "check_processor_s", "corrected_s", "lines_per_s",
                 "megabytes_per_s", "memory_megabytes"):  # fmt: skip
        table.add_row(name, f"{result[name]:,}")
    console.print(table)
    console.print(f"target: {TARGET_S} s for 100,000 lines")
    for rule, count in result["planted"].items():
        console.print(f"  {rule}: planted {count}, found {result['found'][rule]}")


if __name__ == "__main__":
    main()
