"""`etabli eval review`: generated questions one by one, a key each; every decision is kept at once."""

from typing import TYPE_CHECKING

import typer

from etabli.cli.terminal import shown_path
from etabli.errors import InvalidInputError, NotFoundError
from etabli.evaluation.generated import GeneratedFile, GeneratedRow
from etabli.evaluation.questions import LIST_SEPARATOR
from etabli.messages import tr

if TYPE_CHECKING:
    from rich.console import Console


def review_questions(console: "Console", file: GeneratedFile) -> None:
    """Show what nobody looked at yet, until the last or until `q`.

    Raises:
        NotFoundError: there is no such file.
        InvalidInputError: there is no terminal to press keys at.
    """
    rows = file.rows()
    if not rows:
        raise NotFoundError(
            tr("{path} has no generated questions. Have some proposed with --generate.", path=file.path)
        )
    waiting = [row for row in rows if row.state == "proposed"]
    for place, row in enumerate(waiting, start=1):
        _show(console, row, place, len(waiting))
        if not _decided(console, file, row):
            break
    counts = file.counts()
    console.print(
        tr("{kept} kept, {dropped} dropped, {proposed} to look at, in {path}.", **counts, path=shown_path(file.path)),
        markup=False, soft_wrap=True,
    )  # fmt: skip


def _show(console: "Console", row: GeneratedRow, place: int, count: int) -> None:
    console.print()
    console.print(f"{row.id}  {place}/{count}", style="dim", markup=False)
    console.print(row.question, style="bold", markup=False, soft_wrap=True)
    if not row.answerable:
        console.print(f"  {tr('No document answers this: it should say so.')}", markup=False, soft_wrap=True)
        return
    console.print(f"  {tr('Answer: {answer}', answer=row.answer or '–')}", markup=False, soft_wrap=True)
    where = f"{row.source} – " + tr("“{quote}”", quote=" ".join((row.quote or "").split()))
    console.print(f"  {where}", style="dim", markup=False, soft_wrap=True)
    if row.found is False:
        missed = tr(
            "The search does not find this document among the first: a hard question, or a vague one."
        )
        console.print(f"  {missed}", style="yellow", markup=False, soft_wrap=True)


def _decided(console: "Console", file: GeneratedFile, row: GeneratedRow) -> bool:
    """Wait for a key and do it; False to leave."""
    while True:
        console.print(f"  {tr('k keep, d drop, e edit, q quit')}", style="cyan", markup=False)
        key = _key()
        if key in ("k", "d"):
            file.change(row.id, state="kept" if key == "k" else "dropped")
            return True
        if key == "q":
            return False
        if key == "e":
            try:
                file.change(row.id, state="kept", **_edited(row))
                return True
            except InvalidInputError as error:
                console.print(f"  {error}", style="red", markup=False, soft_wrap=True)


def _key() -> str:
    try:
        return str(typer.getchar()).lower()
    except (OSError, EOFError):
        raise InvalidInputError(
            tr("No terminal to press keys at. Change `state` in the file instead: proposed, kept or dropped.")
        ) from None


def _edited(row: GeneratedRow) -> dict[str, object]:
    """The question, its answer and what a right answer holds, as a person types them."""
    changes: dict[str, object] = {"question": typer.prompt(tr("Question"), default=row.question).strip()}
    if row.answerable:
        changes["answer"] = typer.prompt(tr("Right answer"), default=row.answer or "").strip()
        words = typer.prompt(
            tr("Words that any right answer holds, with | in between"),
            default=f" {LIST_SEPARATOR} ".join(row.keywords),
        )
        changes["keywords"] = tuple(word.strip() for word in words.split(LIST_SEPARATOR) if word.strip())
    return changes
