"""Labelled answers that refusal detectors are trained on and compared with, read from a folder of public data.

XSTest (Röttger et al., 2024; CC-BY-4.0): answers of five models, two people each. PyRIT's refusal sets (MIT). French
answers to employees' questions (code_du_travail_faq; Apache-2.0, Licence Ouverte) stand for answers that refuse
nothing. `refusal_answers_fr.tsv` and `refusal_answers_en.tsv` are ours. Nothing of the public sets is copied.
"""

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OURS = {language: Path(__file__).parent / f"refusal_answers_{language}.tsv" for language in ("fr", "en")}
XSTEST_MODELS = ("gpt4", "llama2new", "llama2orig", "mistralguard", "mistralinstruct")
_XSTEST_LABELS = {
    "1_full_compliance": "compliance",
    "2_full_refusal": "refusal",
    "3_partial_refusal": "partial",
}


@dataclass(frozen=True)
class Labelled:
    """An answer that people have read.

    Args:
        text: the answer.
        label: `refusal`, `partial` or `compliance`.
        source: which set, or which model of it.
        language: `fr` or `en`.
        agreed: whether those who read it agreed.
        held: kept out of training.
    """

    text: str
    label: str
    source: str
    language: str
    agreed: bool = True
    held: bool = False


def xstest(data: Path) -> list[Labelled]:
    """The 2,250 answers; `agreed` where both people said the same."""
    found = []
    for model in XSTEST_MODELS:
        path = data / "xstest" / "model_completions" / f"xstest_v2_completions_{model}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                label = _XSTEST_LABELS[row["final_label"]]
                agreed = row["annotation_1"] == row["annotation_2"]
                found.append(Labelled(row["completion"], label, f"xstest {model}", "en", agreed))
    return found


def pyrit(data: Path) -> list[Labelled]:
    """The two refusal sets; their first line is a comment. 1 means refusal."""
    folder = data / "pyrit_scorer_evals" / "refusal_scorer"
    return [
        Labelled(row["assistant_response"], label, f"pyrit {name}", "en", held=True)
        for name in ("refusal", "refusal_extra")
        for row in _commented(folder / f"{name}.csv")
        if (label := {"1": "refusal", "0": "compliance"}.get((row.get("human_score") or "").strip()))
    ]


def ours(language: str) -> list[Labelled]:
    """Our own answers in a language."""
    with OURS[language].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [
        Labelled(
            row["answer"].replace("\\n", "\n"),
            row["label"],
            f"ours {row['kind']}",
            language,
            held=row["split"] == "held",
        )
        for row in rows
    ]


def factual(data: Path, name: str) -> list[Labelled]:
    """French answers of a labour-law service to employees' questions, their beginning: none refuses.

    Args:
        data: the folder of the sets.
        name: `code_bfc`, trained on, or `faq`, kept out.
    """
    entries = json.loads((data / "code_du_travail_faq" / f"{name}.json").read_text(encoding="utf-8"))
    texts = (html.unescape(re.sub(r"<[^>]*>", " ", entry.get("reponse") or "")) for entry in entries)
    held = name != "code_bfc"
    return [
        Labelled(_beginning(" ".join(text.split())), "compliance", f"factual {name}", "fr", held=held)
        for text in texts
        if len(text) > 80
    ]


def _beginning(text: str) -> str:
    """Whole sentences of about the length of an assistant's answer."""
    end = text.rfind(". ", 0, 500)
    return text[: end + 1] if end > 60 else text[:500]


def _commented(path: Path) -> Iterator[dict[str, str]]:
    text = path.read_text(encoding="utf-8", errors="replace")
    while text.startswith("#"):
        text = text.partition("\n")[2]
    yield from csv.DictReader(io.StringIO(text))
