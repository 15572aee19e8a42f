"""Build the training data of the clinic's appointment forms: what the secretaries dictate, and the form they want.

    python examples/clinique/training/build_fiches.py [--output FOLDER]

Writes `fiches-train.jsonl` (300 examples) and `fiches-held-out.jsonl` (100). Notes of the held-out file are worded by
other templates, about other people, than those of training; what they are made of stands in `fiches_words.yaml`.

The form is fixed: name, date of birth, examination, appointment, what to say, how to prepare, what to bring; what the
note does not say is `à compléter`. A request for a medical opinion, for a file or for anything else gets one fixed
sentence. The same seed gives the same bytes.
"""

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
INSTRUCTIONS = (
    "Tu remplis les fiches de rendez-vous de la Clinique des Tilleuls à partir de la note d’un secrétariat. Tu "
    "n’écris que la fiche."
)
TO_COMPLETE = "à compléter"
MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
Words = dict[str, Any]


@dataclass(frozen=True)
class Person:
    """Somebody invented."""

    title: str
    first: str
    family: str

    def written(self, dice: random.Random) -> str:
        """As a secretary writes it."""
        return dice.choice((
            f"{self.title} {self.family} {self.first}",
            f"{self.first} {self.family}",
            f"{self.title} {self.first} {self.family}",
            f"{self.title.lower()} {self.family.lower()} {self.first.lower()}",
        ))  # fmt: skip

    @property
    def is_woman(self) -> bool:
        """For what only women are asked, and for agreement."""
        return self.title == "Mme"

    @property
    def on_form(self) -> str:
        """As the form has it."""
        return f"{self.family} {self.first}"


def examples(words: Words, part: str, *, forms: int, refusals: int, seed: int) -> list[dict[str, object]]:
    """Rows in OpenAI's shape, in an order that mixes forms and refusals.

    Args:
        words: of `fiches_words.yaml`.
        part: `train` or `held-out`.
        forms: examples that fill a form.
        refusals: examples that refuse with one of the fixed sentences.
        seed: of all that is drawn.
    """
    dice = random.Random(f"fiches {part} {seed}")
    rows = [*_forms(words, part, forms, dice), *_refusals(words, part, refusals, dice)]
    dice.shuffle(rows)
    return rows


def _forms(words: Words, part: str, count: int, dice: random.Random) -> Iterator[dict[str, object]]:
    seen: set[str] = set()
    while len(seen) < count:
        exam, side = words["exams"][len(seen) % len(words["exams"])], dice.choice(("droit", "gauche"))
        person = _person(words, part, dice)
        notices = [
            notice
            for notice in dice.sample(words["notices"], dice.choices((0, 1, 2), (5, 4, 2))[0])
            if person.is_woman or not notice.get("women")
        ]
        said = [dice.choice(notice[part]) for notice in notices]
        birth, born = _birth(dice, "née" if person.is_woman else "né")
        appointment, when = _appointment(dice)
        note = dice.choice(words["notes"][part]).format(
            person=person.written(dice),
            born=born,
            exam=dice.choice(exam["written"]).format(side=side),
            when=when,
            notices="".join(f", {one}" for one in said),
            said=f" {', '.join(said).capitalize()}." if said else "",
        )
        if note in seen:
            continue
        seen.add(note)
        form = (
            "FICHE DE RENDEZ-VOUS",
            f"Patient : {person.on_form}",
            f"Naissance : {birth}",
            f"Examen : {exam['name'].format(side=side)}",
            f"Rendez-vous : {appointment}",
            f"À signaler : {', '.join(notice['word'] for notice in notices) or 'rien'}",
            f"Préparation : {exam['preparation']}",
            f"À apporter : {exam['bring']}",
        )
        yield _row(note, "\n".join(form))


def _refusals(words: Words, part: str, count: int, dice: random.Random) -> Iterator[dict[str, object]]:
    kinds = words["refusals"]
    seen: set[str] = set()
    number = 0
    while len(seen) < count:
        turn, kind = divmod(number, len(kinds))
        asked, answer = kinds[kind][part][turn % len(kinds[kind][part])], kinds[kind]["answer"]
        number += 1
        person = _person(words, part, dice).written(dice)
        question = asked.format(person=person)
        if question not in seen:  # what names nobody is asked once: said again it would teach nothing
            seen.add(question)
            yield _row(question, answer)


def _person(words: Words, part: str, dice: random.Random) -> Person:
    woman = dice.random() < 0.5
    first = dice.choice(words["women" if woman else "men"][part])
    return Person("Mme" if woman else "M.", first, dice.choice(words["families"][part]))


def _birth(dice: random.Random, word: str) -> tuple[str, str]:
    """On the form, and as it is written; one note in twelve does not say it."""
    if dice.random() < 1 / 12:
        return TO_COMPLETE, dice.choice(("date de naissance inconnue", "naissance à demander"))
    day, month, year = dice.randint(1, 28), dice.randint(1, 12), dice.randint(1935, 1999)
    written = dice.choice((
        f"{word} le {day:02}/{month:02}/{year}",
        f"{day:02}/{month:02}/{year}",
        f"{word} le {day} {MONTHS[month - 1]} {year}",
        f"ddn {day:02}.{month:02}.{year}",
    ))  # fmt: skip
    return f"{day:02}/{month:02}/{year}", written


def _appointment(dice: random.Random) -> tuple[str, str]:
    """On the form, and as it is written; one note in twelve does not say it."""
    if dice.random() < 1 / 12:
        return TO_COMPLETE, dice.choice(("date à fixer", "date pas encore fixée"))
    day, month, hour, minute = (
        dice.randint(1, 28),
        dice.randint(1, 12),
        dice.randint(8, 17),
        dice.choice((0, 15, 30, 45)),
    )
    written = dice.choice((
        f"le {day:02}/{month:02} à {hour}h{minute:02}",
        f"{day:02}/{month:02} {hour}h{minute:02}",
        f"le {day} {MONTHS[month - 1]} à {hour} h{f' {minute:02}' if minute else ''}",
        f"le {day} {MONTHS[month - 1]}, {hour}h{minute:02}",
    ))  # fmt: skip
    return f"{day:02}/{month:02} à {hour} h {minute:02}", written


def _row(note: str, answer: str) -> dict[str, object]:
    roles = (("system", INSTRUCTIONS), ("user", note), ("assistant", answer))
    return {"messages": [{"role": role, "content": content} for role, content in roles]}


def write(rows: Sequence[dict[str, object]], path: Path) -> None:
    """As JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def main() -> None:
    """Write both files and say so."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=HERE, help="folder to write into")
    words = yaml.safe_load((HERE / "fiches_words.yaml").read_text(encoding="utf-8"))
    folder: Path = parser.parse_args().output
    for part, forms, refusals in (("train", 230, 70), ("held-out", 75, 25)):
        path = folder / f"fiches-{part}.jsonl"
        write(examples(words, part, forms=forms, refusals=refusals, seed=1), path)
        print(f"{path.name}: {forms + refusals} examples")


if __name__ == "__main__":
    main()
