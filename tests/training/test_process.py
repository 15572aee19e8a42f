import subprocess
import sys
from pathlib import Path

import pytest

from etabli.errors import ConfigurationError
from etabli.training import extra
from etabli.training.base import EXIT_FAILED, EventLog
from etabli.training.process import run


def test_a_folder_without_a_plan_fails_with_a_sentence(tmp_path: Path) -> None:
    assert run(tmp_path) == EXIT_FAILED
    ((_, event),) = list(EventLog(tmp_path).read())
    assert event.kind == "failed" and event.data["code"] == "unusable_job" and "plan.json" in event.message


def test_without_the_extra_the_sentence_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'etabli\[training\]'"):
        extra.need()
    assert extra.missing() == list(extra.PACKAGES)


def test_all_but_training_itself_is_importable_without_torch() -> None:
    modules = [
        "container",
        "architecture",
        "tokenizer",
        "template",
        "examples",
        "packing",
        "schedule",
        "preflight",
    ]
    modules += ["export", "equivalence", "process", "extra"]
    code = (
        "import sys\nfor name in ('torch', 'gguf', 'safetensors', 'tokenizers'): sys.modules[name] = None\n"
    )
    code += "".join(f"import etabli.training.{module}\n" for module in modules)
    subprocess.run([sys.executable, "-c", code], check=True)
