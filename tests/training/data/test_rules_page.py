"""The reference page names every rule, and is the one that was committed."""

import re
from pathlib import Path

from etabli.cli.reference import pages
from etabli.training.data.formats import FORMATS
from etabli.training.data.rules import CODES, RULES
from etabli.training.data.rules_page import rules_page

DOCS = Path(__file__).parents[3] / "docs"


def test_the_committed_page_is_up_to_date() -> None:
    written = pages()["training-data.md"]
    assert (DOCS / "reference" / "training-data.md").read_text(encoding="utf-8") == written, "run `make docs`"


def test_every_rule_is_there_with_its_severity() -> None:
    page = rules_page("")
    for code in CODES:
        assert f"| `{code}` | {RULES[code].severity} |" in page


def test_the_guide_names_rules_that_there_are() -> None:
    guide = (DOCS / "guides" / "training-data.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z]+(?:_[a-z0-9]+)+)`", guide)) - set(FORMATS)
    assert named and named <= RULES.keys()
