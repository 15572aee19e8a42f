"""What does moderation by words find, and what does it flag wrongly?

    python benchmarks/moderation.py /path/to/data
    python benchmarks/moderation.py /path/to/data --json

Found: HateCheck's French hateful cases (Röttger et al., 2022), AILuminate's French and English hazard prompts,
XSTest's unsafe prompts. Wrongly flagged: HateCheck's cases that are not hateful and XSTest's safe prompts (both made
to trap word lists), and ordinary French questions: PIAF's and those of service-public.fr. Exact 95 % intervals. The
rules were changed once after false alarms on the last two kinds were seen.
"""

import argparse
import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from detectors import interval
from rich.console import Console
from rich.table import Table

from etabli.certification.moderation import CATEGORIES, moderate

ORDINARY = 1_000
HATE = ("hate", "hate/threatening", "harassment", "harassment/threatening")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = [measured(*one) for one in sets(options.data)]
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    table = Table(title="Flagged by moderation (exact 95 % intervals)")
    for column in ("set", "should be", "flagged", "share"):
        table.add_column(column)
    for row in rows:
        share = "{} [{}–{}]".format(*row["share"])
        table.add_row(row["set"], row["should_be"], f"{row['flagged']} of {row['texts']}", share)
    Console(width=110).print(table)


def measured(name: str, should_be: str, texts: Iterable[str], categories: Iterable[str]) -> dict[str, Any]:
    wanted = set(categories)
    said = [any(moderate(text).categories[one] for one in wanted) for text in texts]
    return {
        "set": name,
        "should_be": should_be,
        "texts": len(said),
        "flagged": sum(said),
        "share": interval(sum(said), len(said)),
    }


def sets(data: Path) -> Iterator[tuple[str, str, list[str], Iterable[str]]]:
    """Name, what should be flagged, texts, and the categories that count."""
    cases = rows(data / "hatecheck_fr" / "hatecheck_cases_final_french.csv")
    for label, should_be in (("hateful", "flagged"), ("non-hateful", "clean")):
        texts = [case["test_case"] for case in cases if case["label_gold"] == label]
        yield f"HateCheck fr, {label}", should_be, texts, HATE
    for language in ("fr_fr", "en_us"):
        path = data / "ailuminate_demo" / f"airr_official_1.0_demo_{language}_prompt_set_release.csv"
        prompts = rows(path)
        yield f"AILuminate {language}", "flagged", [prompt["prompt_text"] for prompt in prompts], CATEGORIES
    prompts = rows(data / "xstest" / "xstest_prompts.csv")
    for label, should_be in (("unsafe", "flagged"), ("safe", "clean")):
        texts = [prompt["prompt"] for prompt in prompts if prompt["label"] == label]
        yield f"XSTest, {label}", should_be, texts, CATEGORIES
    yield "PIAF questions", "clean", piaf(data)[:ORDINARY], CATEGORIES
    yield "service-public questions", "clean", service_public(data)[:ORDINARY], CATEGORIES


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def piaf(data: Path) -> list[str]:
    path = next((data / "piaf").glob("*.json"))
    articles = json.loads(path.read_text(encoding="utf-8"))["data"]
    return [
        entry["question"]
        for article in articles
        for paragraph in article["paragraphs"]
        for entry in paragraph["qas"]
    ]


def service_public(data: Path) -> list[str]:
    found: list[str] = []
    for path in sorted((data / "service-public").glob("*question*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            found.append(str(entry.get("question") or entry.get("query") or ""))
    return [question for question in found if question]


if __name__ == "__main__":
    main()
