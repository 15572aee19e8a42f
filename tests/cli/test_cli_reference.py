from pathlib import Path

import pytest

from etabli.cli.reference import pages
from etabli.settings import Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", ["cli.md", "settings.md", "taxonomy.md"])
def test_the_committed_page_is_up_to_date(name: str) -> None:
    assert (REFERENCE / name).read_text(encoding="utf-8") == pages()[name], "run `make docs`"


def test_every_setting_and_every_command_is_there() -> None:
    written = pages()
    for name in Settings.model_fields:
        assert f"| `{name}` |" in written["settings.md"]
    for name in ("start", "ask", "documents add", "models pull", "assistants check"):
        assert f"## `etabli {name}`\n" in written["cli.md"]
