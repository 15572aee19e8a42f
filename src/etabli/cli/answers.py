"""Showing an answer with its sources, while it is written and when it is whole."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.padding import Padding
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from etabli.assistants.answer import Answer, Citation, Event, Stage, TextDelta
from etabli.cli.asking import Ask
from etabli.cli.terminal import WIDEST, seconds
from etabli.messages import tr

_LONGEST_QUOTE = 240
_MARKS = {"verified": ("✓", "green"), "weak": ("~", "yellow"), "unsupported": ("✗", "red")}


def show_answer(console: Console, title: str, ask: Ask) -> Answer:
    """Ask, show the answer while it is written, then its sources.

    Args:
        console: where.
        title: of the assistant.
        ask: asks the question.
    """
    if not console.is_terminal:
        return _print_answer(console, ask)
    stage, text = tr("Searching the documents"), ""
    width = min(console.width, WIDEST)

    def view() -> Group:
        parts: list[Any] = [Padding(Spinner("dots", Text(stage, style="dim"), style="cyan"), (0, 0, 0, 2))]
        if text:
            parts.insert(0, Panel(Text(text), title=title, width=width, title_align="left"))
        return Group(*parts)

    with Live(view(), console=console, transient=True, refresh_per_second=8) as live:

        def follow(event: Event) -> None:
            nonlocal stage, text
            if isinstance(event, Stage):
                stage = stage_words(event)
            elif isinstance(event, TextDelta):
                text += event.text
            live.update(view())

        answer = ask(follow)
    console.print(Panel(_marked(answer), title=Text(title, style="bold"), title_align="left", width=width))
    if answer.citations:
        console.print(Padding(_sources(answer.citations, width - 4), (0, 2)))
    return answer


def _print_answer(console: Console, ask: Ask) -> Answer:
    """The same as plain lines, the text as it comes."""

    def follow(event: Event) -> None:
        if isinstance(event, TextDelta):
            console.out(event.text, end="", highlight=False)

    answer = ask(follow)
    console.out("" if answer.text.strip() else _marked(answer).plain)
    for citation in _first_of_each(answer.citations):
        console.out(
            f"[{citation.number}] {_MARKS[citation.status][0]} {place(citation)} ({status_word(citation)})"
        )
        console.out(f"    {_quote(citation)}")
    return answer


def stage_words(stage: Stage) -> str:
    """What happens now, in words."""
    return {
        "rewriting": tr("Understanding the question"),
        "searching": tr("Searching the documents"),
        "reading": tr("Reading the passages that were found"),
        "writing": tr("Writing the answer"),
        "verifying": tr("Checking the answer against its sources"),
    }[stage.name]


def place(citation: Citation) -> str:
    """Document and page."""
    if citation.page is None:
        return citation.document_name
    return tr("{document}, page {page}", document=citation.document_name, page=citation.page)


def status_word(citation: Citation) -> str:
    """How well the source supports the sentence."""
    return {"verified": tr("verified"), "weak": tr("weak"), "unsupported": tr("unsupported")}[citation.status]


def trace_lines(answer: Answer) -> list[str]:
    """How the answer came about, in plain words."""
    trace = answer.trace
    lines = [tr("Searched for: {question}", question=trace.question)]
    if trace.rewritten:
        lines.append(tr("(rewritten from the conversation)"))
    if terms := trace.search.get("terms"):
        lines.append(tr("Words that the documents know: {terms}", terms=", ".join(map(str, terms))))
    lines.append(tr("Passages found, best first:"))
    for number, passage in enumerate(trace.passages, 1):
        lines.append(f"  {number}. {_passage_words(passage)}")
    times = ", ".join(f"{_time_word(name)} {seconds(value / 1000)}" for name, value in trace.times_ms.items())
    lines.append(tr("Time: {times}", times=times))
    if answer.usage:
        lines.append(
            tr(
                "Tokens: {prompt} read, {completion} written",
                prompt=answer.usage.get("prompt_tokens", "?"),
                completion=answer.usage.get("completion_tokens", "?"),
            )
        )
    return lines


def _time_word(name: str) -> str:
    words = {
        "rewriting": tr("understanding"),
        "searching": tr("searching"),
        "reading": tr("reading"),
        "writing": tr("writing"),
        "verifying": tr("checking"),
        "first_token": tr("first word after"),
        "total": tr("in all"),
    }
    return words.get(name, name)


def _passage_words(passage: dict[str, Any]) -> str:
    """One passage of a trace: where it is, how good, whether the model saw it."""
    name, page = passage["document"], passage.get("page")
    where = name if page is None else tr("{document}, page {page}", document=name, page=page)
    score = passage.get("score")
    seen = tr("given to the model") if passage.get("sent") else tr("left out")
    return f"{where} ({seen})" if score is None else f"{where}, {float(score):.2f} ({seen})"


def _marked(answer: Answer) -> Text:
    """The text with its markers coloured by how well they are supported."""
    if not answer.text.strip():
        return Text(
            tr("The model gave no answer. Ask in other words, or choose a larger model."), style="yellow"
        )
    text = Text(answer.text)
    for citation in answer.citations:
        marker = f"[{citation.number}]"
        start = answer.text.rfind(marker, citation.start_index, citation.end_index)
        if start >= 0:
            text.stylize(f"bold {_MARKS[citation.status][1]}", start, start + len(marker))
    return text


def _first_of_each(citations: Sequence[Citation]) -> list[Citation]:
    """One citation for each different source: number, place and quote."""
    seen: dict[tuple[int, int, int, str], Citation] = {}
    for citation in citations:
        seen.setdefault((citation.number, citation.char_start, citation.char_end, citation.status), citation)
    return sorted(seen.values(), key=lambda one: (one.number, one.char_start))


def _sources(citations: Sequence[Citation], width: int) -> Table:
    table = Table.grid(padding=(0, 1))
    table.add_column(justify="right", style="bold")
    table.add_column()
    table.add_column(max_width=width - 8, overflow="fold")
    for citation in _first_of_each(citations):
        mark, colour = _MARKS[citation.status]
        where = Text(place(citation))
        where.append(f"  {status_word(citation)}", style=colour)
        where.append(f"\n{_quote(citation)}", style="dim")
        if citation.reason:
            where.append(f"\n{citation.reason}", style=colour)
        table.add_row(f"[{citation.number}]".replace("[", r"\["), Text(mark, style=colour), where)
    return table


def _quote(citation: Citation) -> str:
    """The quoted words, on one line."""
    words = " ".join(citation.quote.split())
    if len(words) > _LONGEST_QUOTE:
        words = words[: _LONGEST_QUOTE - 1].rstrip() + "…"
    return tr("“{quote}”", quote=words)
