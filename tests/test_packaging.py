"""What an installed wheel holds."""

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from etabli.demo import make_workspace

ROOT = Path(__file__).parent.parent


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_the_wheel_takes_the_demo_clinic_along(tmp_path: Path) -> None:
    """What it is told to include is there, and is all that the demo is made of."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert set(included.values()) == {f"etabli/{source}" for source in included}
    made = tmp_path / "demo"
    make_workspace(made, demo=True)
    sources = {Path(source).name: ROOT / source for source in included}
    assert tree(made / "assistants") == tree(sources["assistants"])
    assert tree(made / "documents" / "clinique") <= tree(sources["documents"])


@pytest.mark.slow
def test_the_demo_is_made_from_an_installed_wheel(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="builds the wheel; comes with the development dependencies")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    done = subprocess.run(
        [sys.executable, "-m", "etabli.cli.main", "init", "demo", "--demo"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    make_workspace(tmp_path / "from-source", demo=True)
    assert tree(tmp_path / "demo") == tree(tmp_path / "from-source")
