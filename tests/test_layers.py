"""Imports go downwards only: a part may import the parts below it, never one above."""

import ast
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent.parent / "src" / "etabli"

WORDS = {"errors", "messages", "settings", "processes", "priority", "listening", "outbound"}
LAYERS = [
    WORDS,
    {"storage", "models"},
    {"engines", "jobs", "identity"},
    {"knowledge", "training", "images"},
    {"assistants", "conversations"},
    {"certification"},
    {"evaluation"},
    {"workspace", "demo", "doctor"},
    {"server"},
    {"serving"},
    {"cli"},
]
# The server is given its parts, so that it can be tested with others: it never opens a workspace.
FORBIDDEN = {"server": {"workspace", "serving"}, "demo": {"workspace"}}


def part_of(module: str) -> str | None:
    """`etabli.engines.local` is of the part `engines`; the package itself of none."""
    steps = module.split(".")
    return steps[1] if steps[0] == "etabli" and len(steps) > 1 else None


def level(part: str) -> int:
    return next(number for number, layer in enumerate(LAYERS) if part in layer)


def imported_modules(path: Path) -> set[str]:
    """Everything that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module is not None
            found.add(node.module)
            if node.module == "etabli":
                found |= {f"etabli.{alias.name}" for alias in node.names if alias.name != "__version__"}
    return found


FILES = sorted(SOURCE.rglob("*.py"))


def test_every_part_has_its_layer() -> None:
    parts = {path.relative_to(SOURCE).parts[0].removesuffix(".py") for path in FILES} - {"__init__"}
    assert parts == set().union(*LAYERS), "name new parts in LAYERS"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down(path: Path) -> None:
    own = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    if own == "__init__":
        return
    parts = {part for module in imported_modules(path) if (part := part_of(module)) is not None} - {own}
    upward = {part for part in parts if level(part) > level(own)}
    assert not upward, f"{own} may not import {sorted(upward)}"
    assert not parts & FORBIDDEN.get(own, set())


def test_packages_are_empty() -> None:
    """Names are imported from the module that defines them."""
    filled = [
        path
        for path in SOURCE.rglob("__init__.py")
        if path.parent != SOURCE and path.read_text(encoding="utf-8")
    ]
    assert not filled
