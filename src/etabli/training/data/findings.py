"""What a check found: one `Finding` a problem, and how text of a file is shown without harm.

A finding holds values, not sentences: it is told in the language of whoever reads it.
"""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from etabli.messages import retold
from etabli.training.data.rules import RULES, Rule, Severity
from etabli.training.data.wording import FORM, Told
from etabli.training.data.wording_content import CONTENT

Value = str | int | float
JSON = dict[str, Any]
_SHOWN = 80
_TELLERS = FORM | CONTENT


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem of one example, before it is known where the example stands.

    Args:
        rule: its code.
        params: what the sentences say of it.
        place: in the example, such as `messages[2].content`.
        mended: nothing had to be guessed, and the mended example has it no more.
    """

    rule: str
    params: Mapping[str, Value] = field(default_factory=dict)
    place: str = ""
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem of a file.

    Args:
        rule: its code.
        file: name of the file.
        line: from 1; 0 for the whole file.
        place: in the example; empty for all of it.
        mended: the corrected copy has it no more.
        params: what the sentences say of it.
    """

    rule: str
    file: str
    line: int
    place: str = ""
    mended: bool = False
    params: Mapping[str, Value] = field(default_factory=dict)

    @property
    def definition(self) -> Rule:
        """The rule."""
        return RULES[self.rule]

    @property
    def severity(self) -> Severity:
        """Of its rule."""
        return RULES[self.rule].severity

    def told(self) -> Told:
        """What was expected, what was found and what to do, in the language in force now."""
        values = {
            name: retold(value) if isinstance(value, str) else value for name, value in self.params.items()
        }
        return told_of(self.rule, values)

    def to_json(self) -> JSON:
        """For programs, with the sentences in the language in force now."""
        said = self.told()
        return {
            "rule": self.rule,
            "severity": self.severity,
            "group": self.definition.group,
            "file": self.file,
            "line": self.line or None,
            "place": self.place or None,
            "mended": self.mended,
            "expected": said.expected,
            "found": said.found,
            "fix": said.fix,
            "params": dict(self.params),
        }


def told_of(rule: str, values: Mapping[str, Value]) -> Told:
    """What a rule says of these values, in the language in force now."""
    return _TELLERS[rule](values)


def shown(value: object, *, most: int = _SHOWN) -> str:
    """Something of a file on one line, short, without a character that a terminal or a page would obey.

    >>> shown("a\\n\\x1b[31mb\\u202ec")
    'a �[31mb�c'
    """
    text = value if isinstance(value, str) else _as_text(value)
    cut = text[: 4 * most]
    line = " ".join(
        "".join(
            one if one.isspace() or unicodedata.category(one)[0] != "C" else "\ufffd" for one in cut
        ).split()
    )
    return line if len(line) <= most and len(cut) == len(text) else line[: most - 1] + "…"


def _as_text(value: object) -> str:
    """JSON's own words for what is no text; of lists and objects only what they are."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "{" + ", ".join(str(name) for name in list(value)[:8]) + "}"
    if isinstance(value, list):
        return f"[… {len(value)} …]"
    return str(value)
