"""The reference page of the rules of training data, written by `make docs`."""

from collections.abc import Iterator, Mapping

from etabli.messages import speaking
from etabli.training.data.checks import FEWEST_BYTES, FEWEST_EXAMPLES, MOST_BYTES
from etabli.training.data.findings import told_of
from etabli.training.data.lines import LONGEST_LINE
from etabli.training.data.messages import ROLES
from etabli.training.data.rules import RULES, Rule
from etabli.training.data.scanning import MOST_LINES
from etabli.training.data.wording import Told, Value

_GROUPS = {
    "file": "The file",
    "json": "JSON",
    "conversation": "The conversation",
    "message": "A message",
    "tokens": "Tokens of the base model",
    "loss": "What is learned",
    "preference": "Preferences and judged answers",
    "content": "What is said",
    "leakage": "Leaks into what measures the result",
}
_SHAPES = """\
## What training reads

JSON lines in UTF-8, one example a line, in the shapes of OpenAI's API. All examples of a file are for one method.

| method | one line |
|---|---|
| `supervised` | `{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}` |
| `dpo` | `{"input": {"messages": […]}, "preferred_output": [answer], "non_preferred_output": [answer]}` |
| `kto` | `{"prompt": […], "completion": [answer], "label": true}` |

Roles are `system`, `user`, `assistant` and `tool`. An assistant's message may have `tool_calls`, and `"weight": 0`
where it is context and not learned; beside the messages there may be `tools`. Only text is trained.
"""


class _Values(Mapping[str, Value]):
    """Values for sentences that are about no file: limits where they are fixed, else an ellipsis."""

    def __init__(self, rule: str) -> None:
        limits = {"too_many_lines": MOST_LINES, "file_too_large": MOST_BYTES, "line_too_long": LONGEST_LINE}
        least = {"too_few_examples": FEWEST_EXAMPLES, "file_too_small": FEWEST_BYTES}
        self._known: dict[str, Value] = {
            "most": f"{limits[rule]:,}" if rule in limits else "…",
            "least": f"{least[rule]:,}" if rule in least else "…",
            "allowed": ", ".join(ROLES),
            "braces": "{ }",
            "file": "FILE",
        }

    def __getitem__(self, name: str) -> Value:
        return self._known.get(name, "…")

    def __contains__(self, name: object) -> bool:
        return name in self._known

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def rules_page(written_by: str) -> str:
    """The page: what training reads, and every rule with what it expects and what to do.

    Args:
        written_by: the comment that says the page is generated.
    """
    parts = [
        "# Rules of training data",
        written_by,
        "What `etabli data check` looks for; how to go on is in [the guide](../guides/training-data.md). An *error* "
        "stops a training, a *warning* asks for a look, a *note* says what was not checked. Codes that OpenAI's "
        "checks have mean the same here. The last column says what a corrected copy does with the line.",
        _SHAPES.strip(),
    ]
    for group, title in _GROUPS.items():
        rules = [rule for rule in RULES.values() if rule.group == group]
        parts += [f"## {title}", _table(rules)]
    return "\n\n".join(parts) + "\n"


def _table(rules: list[Rule]) -> str:
    lines = ["| code | severity | expected | what to do | corrected copy |", "|---|---|---|---|---|"]
    for rule in rules:
        said = _told(rule)
        cells = (f"`{rule.code}`", rule.severity, said.expected, said.fix, _copy(rule))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _told(rule: Rule) -> Told:
    with speaking("en"):
        return told_of(rule.code, _Values(rule.code))


def _copy(rule: Rule) -> str:
    if rule.mends == "always":
        return "mended"
    if rule.mends == "sometimes":
        return "mended where nothing is guessed, else left out"
    if rule.mends == "leaves_out":
        return "left out"
    if rule.group == "file" and rule.code != "line_too_long":
        return "–"
    return "left out" if rule.severity == "error" else "kept"
