"""A conversation as a file: Markdown, JSON or PDF. Takes turns in the shape in which the API shows them."""

import json
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote

from etabli.conversations.items import JSON
from etabli.conversations.values import Conversation
from etabli.messages import set_language, tr

ExportFormat = Literal["markdown", "json", "pdf"]
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Export:
    """A file to be saved."""

    name: str
    media_type: str
    content: bytes

    @property
    def headers(self) -> dict[str, str]:
        """Headers under which browsers save it and never show it (RFC 6266)."""
        plain = unicodedata.normalize("NFKD", self.name).encode("ascii", "ignore").decode() or "conversation"
        disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(self.name, safe='')}"
        return {"content-disposition": disposition, "x-content-type-options": "nosniff"}


def export(conversation: Conversation, turns: Sequence[JSON], form: ExportFormat) -> Export:
    """The file of a conversation.

    Args:
        conversation: its title and times.
        turns: of one branch, the oldest first.
        form: of the file.
    """
    title = title_of(conversation)
    stem = "".join(char if char.isalnum() or char in " -_’'" else " " for char in title)
    stem = " ".join(stem.split())[:_LONGEST_NAME].strip() or "conversation"
    if form == "json":
        return Export(f"{stem}.json", "application/json", _as_json(conversation, turns))
    if form == "pdf":
        from etabli.conversations.export_pdf import pdf_of  # loads a typesetter that nothing else needs

        return Export(f"{stem}.pdf", "application/pdf", pdf_of(conversation, turns))
    return Export(f"{stem}.md", "text/markdown; charset=utf-8", markdown_of(conversation, turns).encode())


def export_pdf(conversation: Conversation, turns: Sequence[JSON], words: str) -> Export:
    """The PDF of a conversation, for a process of its own: long ones take long.

    Args:
        conversation: its title and times.
        turns: of one branch, the oldest first.
        words: language of what stands around the texts; becomes that of the process.
    """
    set_language(words)
    return export(conversation, turns, "pdf")


def title_of(conversation: Conversation) -> str:
    """The title, or what stands for it."""
    return conversation.title or tr("Conversation without a title")


def sources_of(turn: JSON) -> list[tuple[int, str]]:
    """The sources of an answer: number and what people are told of it, each number once, in order."""
    found: dict[int, str] = {}
    for annotation in turn["annotations"]:
        whole = annotation.get("etabli") or {}
        number = whole.get("number")
        if number is None or number in found:
            continue
        page = tr(", page {page}", page=whole["page"]) if whole.get("page") else ""
        text = f"{annotation['title']}{page}"
        if whole.get("quote"):
            text += tr(": “{quote}”", quote=" ".join(str(whole["quote"]).split()))
        found[number] = text
    return sorted(found.items())


def guard_name(guard: str) -> str:
    """What people call a guard; its own name where nothing better is known."""
    names = {
        "crisis": tr("distress"),
        "contact": tr("wish for a person"),
        "identity": tr("who answers"),
        "instructions": tr("orders to the assistant"),
        "impartial": tr("people the documents do not know"),
        "passages": tr("orders in documents"),
        "links": tr("foreign links"),
        "leak": tr("leak of the instructions"),
        "repetition": tr("endless repetition"),
        "grounding": tr("what no passage supports"),
    }
    return names.get(guard, guard)


def author_of(turn: JSON) -> str | None:
    """A sentence about who wrote an answer, where that was not the model alone; None where it was."""
    guard = guard_name(turn["guarded"]) if turn.get("guarded") else None
    if turn.get("written_by") == "product":
        if guard is None:
            return tr("Answered by the product, without the model.")
        return tr("Answered by the product, without the model (guard: {guard}).", guard=guard)
    return None if guard is None else tr("A guard left something out ({guard}).", guard=guard)


def status_of(turn: JSON) -> str | None:
    """A sentence about an answer that is not whole; None for one that is."""
    match turn["status"]:
        case "failed":
            return tr("The answer failed: {reason}", reason=(turn["error"] or {}).get("message", ""))
        case "cancelled" | "incomplete" | "in_progress":
            return tr("The answer was not finished.")
    return None


def markdown_of(conversation: Conversation, turns: Sequence[JSON]) -> str:
    """The conversation as Markdown: answers are Markdown already, questions are quoted as they are."""
    lines = [f"# {_inline(title_of(conversation))}", "", _inline(_about(conversation)), ""]
    for turn in turns:
        lines += ["---", "", f"**{tr('Question')}**", ""]
        lines += [f"> {line}".rstrip() for line in turn["input_text"].splitlines() or [""]]
        lines += [f"> 📎 {_inline(one['name'])}" for one in turn["attachments"]]
        lines += ["", f"**{_inline(turn['assistant'] or turn['model'] or tr('Answer'))}**", ""]
        if turn["output_text"]:
            lines += [turn["output_text"], ""]
        for told in (author_of(turn), status_of(turn)):
            if told:
                lines += [f"*{_inline(told)}*", ""]
        sources = sources_of(turn)
        if sources:
            lines += [f"{tr('Sources')}", ""]
            lines += [f"- [{number}] {_inline(text)}" for number, text in sources]
            lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _as_json(conversation: Conversation, turns: Sequence[JSON]) -> bytes:
    value = {
        "id": conversation.id,
        "title": conversation.title,
        "assistant": conversation.model,
        "created_at": conversation.created_at.isoformat(),
        "updated_at": conversation.updated_at.isoformat(),
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "turns": list(turns),
    }
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode("utf-8", "replace")


def _about(conversation: Conversation) -> str:
    day = conversation.created_at.strftime("%Y-%m-%d")
    if conversation.model:
        return tr("{assistant}, {day}", assistant=conversation.model, day=day)
    return day


def _inline(text: str) -> str:
    """One line in which nothing is Markdown or HTML."""
    flat = " ".join(text.split())
    return "".join(f"\\{char}" if char in "\\`*_[]<>#" else char for char in flat)
