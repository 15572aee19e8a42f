"""Making a workspace: an empty one with an assistant to begin with, or the demo clinic with its documents.

A workspace is complete once it has its `etabli.toml`, which is therefore written last.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from importlib import resources
from pathlib import Path

from etabli.errors import InvalidInputError, NotFoundError
from etabli.messages import language, tr
from etabli.settings import CONFIG_NAME

DEMO_COLLECTION = "clinique"
_ONE_COLLECTION = "general"
# Documents that only doctors may read: a folder is added for everyone, so these stay out of the demo.
_NOT_FOR_EVERYONE = "medecins"
_NOT_BUILDERS = shutil.ignore_patterns("*.py", "*_words.yaml", "__pycache__")
_GITIGNORE = "data/\n"


def is_workspace(folder: Path) -> bool:
    """Whether a workspace is there."""
    return (folder / CONFIG_NAME).is_file()


def make_workspace(folder: Path, *, demo: bool = False) -> None:
    """Make a workspace in a folder, which is made when missing. Files that are there are kept.

    Args:
        folder: where.
        demo: with the assistant and the documents of the demo clinic.

    Raises:
        InvalidInputError: the folder holds a workspace, or is a file.
        NotFoundError: the demo clinic is not on this machine.
    """
    if is_workspace(folder):
        raise InvalidInputError(
            tr("{folder} is a workspace already. Start it with: etabli start -w {folder}", folder=folder)
        )
    if folder.exists() and not folder.is_dir():
        raise InvalidInputError(
            tr("{folder} is a file. Name a folder, which is made if needed.", folder=folder)
        )
    with _demo_source() if demo else nullcontext() as source:
        assistants = folder / "assistants"
        documents = folder / "documents" / (DEMO_COLLECTION if demo else _ONE_COLLECTION)
        for each in (assistants, documents):
            each.mkdir(parents=True, exist_ok=True)
        if source is not None:
            shutil.copytree(source / "assistants", assistants, dirs_exist_ok=True)
            ignored = shutil.ignore_patterns(_NOT_FOR_EVERYONE)
            shutil.copytree(source / "documents", documents, dirs_exist_ok=True, ignore=ignored)
            questions = folder / "questions" / f"{DEMO_COLLECTION}.jsonl"
            questions.parent.mkdir(exist_ok=True)
            shutil.copyfile(source / "questions.jsonl", questions)
            shutil.copytree(
                source / "training", folder / "training", dirs_exist_ok=True, ignore=_NOT_BUILDERS
            )
        else:
            _write_new(assistants / "assistant.yaml", _template(f"assistant.{language()}.yaml"))
    _write_new(folder / ".gitignore", _GITIGNORE)
    _write_new(folder / CONFIG_NAME, _template(f"etabli.{language()}.toml"))


def _template(name: str) -> str:
    return (resources.files("etabli") / "templates" / name).read_text(encoding="utf-8")


def _write_new(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, encoding="utf-8")


@contextmanager
def _demo_source() -> Iterator[Path]:
    """The demo clinic: in the package that was installed, else in the source tree."""
    packaged = resources.files("etabli") / "examples" / "clinique"
    for place in (packaged, Path(__file__).parents[2] / "examples" / "clinique"):
        if (place / "documents").is_dir():
            with resources.as_file(place) as folder:
                yield folder
            return
    raise NotFoundError(
        tr("The demo clinic is missing from this installation. Install Établi again, or leave out --demo.")
    )
