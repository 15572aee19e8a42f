"""Markdown: its structure, and its text without marks. CommonMark with tables, by markdown-it."""

import re
from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.building import DocumentBuilder
from etabli.knowledge.readers.encoding import decode
from etabli.knowledge.readers.html import add_html_text
from etabli.knowledge.readers.limits import ReaderLimits

_FRONT_MATTER = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|$)", re.S)
_TITLE = re.compile(r"^(?:title|titre)\s*:\s*[\"']?(.+?)[\"']?\s*$", re.M | re.I)
_TAG = re.compile(r"</?[a-zA-Z][^>]*>|<!--.*?-->", re.S)


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read a Markdown file.

    Raises:
        DocumentError: `unsupported` when the bytes are no text, `empty`, `too_large`.
    """
    text = decode(data)
    if text is None:
        raise refusals.unsupported()
    title = None
    front = _FRONT_MATTER.match(text)
    if front is not None:
        declared = _TITLE.search(front[1])
        title = declared[1] if declared else None
        text = text[front.end() :]
    builder = DocumentBuilder(limits)
    parser = MarkdownIt("commonmark", {"maxNesting": 50}).enable("table")
    _add_tokens(builder, parser.parse(text))
    return builder.finish("text/markdown", title=title)


def _add_tokens(builder: DocumentBuilder, tokens: Sequence[Token]) -> None:
    depth = 0
    item_open = False
    heading = 0
    rows: list[list[str]] | None = None
    for token in tokens:
        match token.type:
            case "heading_open":
                heading = int(token.tag[1:])
            case "heading_close":
                heading = 0
            case "bullet_list_open" | "ordered_list_open":
                depth += 1
            case "bullet_list_close" | "ordered_list_close":
                depth -= 1
            case "list_item_open":
                item_open = True
                number = token.info
            case "table_open":
                rows = []
            case "tr_open" if rows is not None:
                rows.append([])
            case "table_close" if rows is not None:
                builder.add_table(rows)
                rows = None
            case "fence" | "code_block":
                builder.add("code", token.content)
            case "html_block":
                add_html_text(builder, token.content)
            case "inline":
                text = _inline_text(token.children or [])
                if rows is not None:
                    rows[-1].append(text)
                elif heading:
                    builder.add("heading", text, level=heading)
                elif depth and item_open:
                    # Only the first paragraph of an item is the item; others follow it as paragraphs.
                    label = f"{number}{token.markup or '.'} " if number else ""
                    builder.add("list_item", label + text, level=depth)
                    item_open = False
                else:
                    builder.add("paragraph", text)


def _inline_text(tokens: Sequence[Token]) -> str:
    """What a reader sees of inline marks: text, code, names of images."""
    parts: list[str] = []
    for token in tokens:
        if token.type in ("text", "code_inline"):
            parts.append(token.content)
        elif token.type == "softbreak":
            parts.append(" ")
        elif token.type == "hardbreak":
            parts.append("\n")
        elif token.type == "image":
            parts.append(_inline_text(token.children or []))
        elif token.type == "html_inline":
            parts.append(_TAG.sub("", token.content))
    return "".join(parts)
