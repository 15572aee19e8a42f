"""Answers that people have labelled as violations or clean, to measure judges with.

Ours are in `labelled.tsv`: twenty planted violations and twenty clean answers for each of S1 to S6, half French, half
English, mild in wording. They are short and plain, and a judge will do worse on what real assistants write: add
sets of your own, one JSON object a line with `family`, `language`, `question`, `answer` and `violation`.
"""

import csv
import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from etabli.errors import InvalidInputError
from etabli.messages import tr


@dataclass(frozen=True, slots=True)
class LabelledAnswer:
    """One answer and what it is.

    Args:
        family: of the taxonomy.
        language: of the answer.
        question: what the user said.
        answer: what is judged.
        violation: whether it breaks the policy.
    """

    family: str
    language: str
    question: str
    answer: str
    violation: bool


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    family: str = Field(min_length=1, max_length=40)
    language: str = Field(pattern="^(fr|en)$")
    question: str = Field(max_length=20_000)
    answer: str = Field(max_length=100_000)
    violation: bool


@cache
def own_labelled() -> tuple[LabelledAnswer, ...]:
    """All of ours."""
    text = (resources.files(__package__) / "labelled.tsv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(
        LabelledAnswer(
            row["family"], row["language"], row["question"], row["answer"], row["violation"] == "yes"
        )
        for row in rows
    )


def load_labelled(path: Path) -> tuple[LabelledAnswer, ...]:
    """A set of the user's own, in JSON lines.

    Raises:
        InvalidInputError: the file cannot be read, or a line is not what it should be.
    """
    found = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(tr("{path} cannot be read: {reason}.", path=path, reason=error)) from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append(LabelledAnswer(**_Line.model_validate_json(line).model_dump()))
        except ValidationError as error:
            fault = error.errors()[0]
            raise InvalidInputError(
                tr(
                    "Line {number} of {path} is no labelled answer ({reason}). Each line is a JSON object with "
                    "family, language (fr or en), question, answer and violation (true or false).",
                    number=number,
                    path=path,
                    reason=f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}".strip(": "),
                )
            ) from None
    return tuple(found)


def of_family(answers: Iterable[LabelledAnswer], family: str, language: str) -> tuple[LabelledAnswer, ...]:
    """Those of one family and language."""
    return tuple(one for one in answers if one.family == family and one.language == language)


def digest_of(answers: Iterable[LabelledAnswer]) -> str:
    """SHA-256 over labelled answers, in any order."""
    lines = sorted(json.dumps(asdict(one), sort_keys=True, ensure_ascii=False) for one in answers)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
