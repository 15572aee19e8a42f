"""The scripts that compare texts and look at YAML, in the browser that runs them."""

import itertools
import random
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from etabli.assistants.quality import QualitySettings
from etabli.assistants.specification import NAME_PATTERN, AssistantSpecification
from etabli.assistants.yaml_text import has_comments
from etabli.certification.taxonomy import taxonomy

pytestmark = pytest.mark.browser

TEXTS = (
    "title: a # b\n",
    "title: 'a # b'\n",
    'title: "a \\" # b"\n',
    "title: a#b\n",
    "# seul\ntitle: a\n",
    "instructions: |\n  # Un titre\n\n  du texte # ici\ntitle: a\n",
    "instructions: >-\n  # Un titre\ntitle: a # oui\n",
    "instructions: | # pourquoi\n  texte\n",
    "examples:\n  - question: |\n      # non\n    answer: b\n",
    "examples:\n  - question: a\n    answer: |\n      # non\n  # oui\n  - question: c\n    answer: d\n",
    'first_questions:\n  - Où ?\n  - "C\'est # quoi ?"\n',
    "first_questions:\n- |\n  # non\n- b\n",
    "title: l'heure # c'est\n",
    "title: 'deux\n  lignes # non'\n",
    "description: voir l'annexe\ninstructions: l'autre\n",
)


@pytest.fixture
def run(open_page: Any) -> Callable[..., Any]:
    """Call a function of a script: `run("assistants/diff.js", "diffLines", "a", "b")`."""
    page: Page = open_page("/assistants")

    def call(path: str, name: str, *values: Any) -> Any:
        return page.evaluate(
            """async ([path, name, values]) => {
                const base = document.querySelector('script[type=module][src*="/js/"]').src.split("/js/")[0];
                return (await import(`${base}/js/${path}`))[name](...values);
            }""",
            [path, name, values],
        )

    return call


def test_a_difference_gives_both_texts_back_and_is_shortest(run: Callable[..., Any]) -> None:
    choose = random.Random(11)
    for _ in range(60):
        before, after = (
            "".join(choose.choice("abc") + "\n" for _ in range(choose.randrange(9))) for _ in "12"
        )
        rows = run("assistants/diff.js", "diffLines", before, after)
        assert "".join(f"{row['text']}\n" for row in rows if row["kind"] != "added") == before
        assert "".join(f"{row['text']}\n" for row in rows if row["kind"] != "removed") == after
        changed = sum(row["kind"] != "same" for row in rows)
        assert changed == fewest_changes(before.split(), after.split())
        numbers = [row["after"] for row in rows if row["after"] is not None]
        assert numbers == list(range(1, len(numbers) + 1))


def fewest_changes(a: list[str], b: list[str]) -> int:
    """By the table that every textbook has."""
    table = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for x, y in itertools.product(range(len(a)), range(len(b))):
        same = table[x][y] + 1 if a[x] == b[y] else 0
        table[x + 1][y + 1] = max(same, table[x][y + 1], table[x + 1][y])
    return len(a) + len(b) - 2 * table[-1][-1]


def test_texts_with_nothing_in_common_are_compared_too(run: Callable[..., Any]) -> None:
    before, after = ("".join(f"{side}{number}\n" for number in range(3000)) for side in "ab")
    rows = run("assistants/diff.js", "diffLines", before, after)
    assert [row["kind"] for row in rows] == ["removed"] * 3000 + ["added"] * 3000


def test_long_stretches_without_change_are_folded(run: Callable[..., Any]) -> None:
    before = "".join(f"{number}\n" for number in range(40))
    rows = run("assistants/diff.js", "diffLines", before, before.replace("20\n", "vingt\n"))
    folded = run("assistants/diff.js", "foldSame", rows)
    assert [row["kind"] for row in folded] == ["gap", *["same"] * 3, "removed", "added", *["same"] * 3, "gap"]
    assert sum(len(row["rows"]) if row["kind"] == "gap" else 1 for row in folded) == len(rows)


def test_remarks_are_found_where_the_server_finds_them(run: Callable[..., Any]) -> None:
    for text in TEXTS:
        assert run("assistants/yaml_text.js", "hasRemarks", text) == has_comments(text), text


def test_names_made_from_titles_are_names(run: Callable[..., Any]) -> None:
    for title in ("Ressources humaines", "Œuvres & Cie !", "L’été à Nîmes", "x" * 90, "-- 12 --", "Ünïcödé"):
        assert re.match(NAME_PATTERN, run("assistants/slug.js", "slug", title))
    assert run("assistants/slug.js", "slug", "日本") == ""
    assert run("assistants/slug.js", "freeName", "rh", ["rh", "rh-2"]) == "rh-3"


def test_what_the_form_begins_with_are_the_servers_defaults(run: Callable[..., Any], open_page: Any) -> None:
    page: Page = open_page("/assistants")
    defaults = page.evaluate(
        """async () => {
            const base = document.querySelector('script[type=module][src*="/js/"]').src.split("/js/")[0];
            return (await import(`${base}/js/assistants/draft.js`)).DEFAULTS;
        }"""
    )
    known = AssistantSpecification(name="x", title="y").model_dump(mode="json")
    assert defaults == known | {"name": "", "title": ""}


def test_the_builder_knows_the_quality_that_is_proposed(open_page: Any) -> None:
    proposed = open_page("/assistants").evaluate(
        """async () => {
            const base = document.querySelector('script[type=module][src*="/js/"]').src.split("/js/")[0];
            return (await import(`${base}/js/assistants/quality_field.js`)).PROPOSED;
        }"""
    )
    families = {one.id: one for one in taxonomy().families}
    assert proposed == {name: round(100 * float(families[name].tau)) for name in QualitySettings.model_fields}
