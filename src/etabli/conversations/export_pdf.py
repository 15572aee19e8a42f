"""A conversation as a PDF: answers are Markdown, set with headings, lists, tables and code.

Everything in a conversation is text: what could be markup of the typesetter is escaped, no picture is fetched, and
links are shown, not followed. Fonts are a subset of DejaVu (`fonts/LICENSE.txt`); a character they lack is a box.
"""

import io
import logging
from collections.abc import Sequence
from functools import cache
from importlib import resources
from xml.sax.saxutils import escape

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode
from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    Flowable,
    HRFlowable,
    KeepTogether,
    ListFlowable,
    ListItem,
    Paragraph,
    Preformatted,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)
from reportlab.platypus.doctemplate import LayoutError

from etabli.conversations.export import author_of, sources_of, status_of, title_of
from etabli.conversations.items import JSON
from etabli.conversations.values import Conversation
from etabli.messages import language, tr

_SANS, _BOLD, _MONO = "DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono"
_INK, _MUTED, _LINE, _SOFT = "#1d2125", "#5b636b", "#e4e1da", "#f4f2ee"
_BOX = "□"
_CODE_COLUMNS = 92
_MOST_COLUMNS = 12
_DEEPEST = 12
"""Lists and quotes within each other; deeper ones are set as text."""
log = logging.getLogger(__name__)


def pdf_of(conversation: Conversation, turns: Sequence[JSON]) -> bytes:
    """The file.

    Args:
        conversation: its title and times.
        turns: of one branch, as the API shows them, the oldest first.
    """
    try:
        return _made(conversation, turns, plain=False)
    except LayoutError:  # a row of a table that is higher than a page
        log.warning("an answer of %s cannot be set: its Markdown is printed as it is", conversation.id)
        return _made(conversation, turns, plain=True)


def _made(conversation: Conversation, turns: Sequence[JSON], *, plain: bool) -> bytes:
    _register_fonts()
    target = io.BytesIO()
    title = title_of(conversation)
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=20 * mm,
        title=title,
        author="Établi",
        lang=language(),
    )
    document.build(
        [*_opening(conversation, title), *(one for turn in turns for one in _turn(turn, plain=plain))],
        onFirstPage=_page_number,
        onLaterPages=_page_number,
    )
    return target.getvalue()


def _opening(conversation: Conversation, title: str) -> list[Flowable]:
    day = conversation.created_at.strftime("%Y-%m-%d")
    about = " · ".join(filter(None, (conversation.model, day)))
    return [_text(title, _style("title")), _text(about, _style("muted")), Spacer(0, 4 * mm)]


def _turn(turn: JSON, *, plain: bool) -> list[Flowable]:
    """A question in a grey box, the answer below it, then where it comes from."""
    asked: list[Flowable] = [_text(line, _style("question")) for line in turn["input_text"].splitlines()]
    asked += [_text(f"– {one['name']}", _style("question")) for one in turn["attachments"]]
    head = _text(tr("Question"), _style("label"))
    said: list[Flowable] = [_text(turn["assistant"] or turn["model"] or tr("Answer"), _style("label"))]
    if plain:
        said += [_text(line, _style("body")) for line in turn["output_text"].splitlines()]
    else:
        said += _blocks(_parsed(turn["output_text"]), 0)
    said += [_text(told, _style("muted")) for told in (author_of(turn), status_of(turn)) if told]
    sources = sources_of(turn)
    if sources:
        said.append(_text(tr("Sources"), _style("label")))
        said += [_text(f"[{number}] {text}", _style("muted")) for number, text in sources]
    first = [head, *asked[:1]]
    return [Spacer(0, 3 * mm), KeepTogether(first), *asked[1:], Spacer(0, 2 * mm), *said]


def _parsed(markdown: str) -> SyntaxTreeNode:
    reader = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    return SyntaxTreeNode(reader.parse(markdown))


def _blocks(node: SyntaxTreeNode, depth: int) -> list[Flowable]:
    """The flowables of a node's children."""
    return [flowable for child in node.children for flowable in _block(child, depth)]


def _block(node: SyntaxTreeNode, depth: int) -> list[Flowable]:
    match node.type:
        case "heading":
            return [Paragraph(_inline(node), _style("h1" if node.tag in ("h1", "h2") else "h2"))]
        case "paragraph":
            return [Paragraph(_inline(node), _style("body"))]
        case "fence" | "code_block":
            return [Preformatted(node.content.rstrip("\n"), _style("code"), maxLineLength=_CODE_COLUMNS)]
        case "hr":
            return [HRFlowable(width="100%", color=colors.HexColor(_LINE), spaceBefore=6, spaceAfter=6)]
        case "bullet_list" | "ordered_list" if depth < _DEEPEST:
            return [_list(node, depth)]
        case "blockquote" if depth < _DEEPEST:
            return _blocks(node, depth + 1)
        case "table":
            return [_table(node)]
    return [_text(_plain(node), _style("body"))]


def _list(node: SyntaxTreeNode, depth: int) -> ListFlowable:
    ordered = node.type == "ordered_list"
    items = [ListItem(_blocks(child, depth + 1) or [Spacer(0, 1)]) for child in node.children]
    options = {"start": int(node.attrs.get("start") or 1)} if ordered else {"start": "•"}
    return ListFlowable(
        items,
        bulletType="1" if ordered else "bullet",
        bulletFontName=_SANS,
        bulletFontSize=9,
        leftIndent=16,
        spaceAfter=6,
        **options,
    )


def _table(node: SyntaxTreeNode) -> Flowable:
    rows = [
        [Paragraph(_inline(cell), _style("cell")) for cell in row.children[:_MOST_COLUMNS]]
        for part in node.children
        for row in part.children
    ]
    widest = max(len(row) for row in rows)
    cells = [row + [""] * (widest - len(row)) for row in rows]
    table = Table(cells, repeatRows=1, splitInRow=1, spaceBefore=4, spaceAfter=8)
    table.setStyle(
        TableStyle(
            [
                ("GRID", (0, 0), (-1, -1), 0.5, colors.HexColor(_LINE)),
                ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor(_SOFT)),
                ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ]
        )
    )
    return table


def _inline(node: SyntaxTreeNode) -> str:
    """A node's text in the typesetter's markup: bold, code and line ends; everything else escaped."""
    return "".join(_inline_part(child) for child in node.children)


def _inline_part(node: SyntaxTreeNode) -> str:
    match node.type:
        case "text":
            return _escaped(node.content)
        case "code_inline":
            return f'<font name="{_MONO}">{_escaped(node.content)}</font>'
        case "strong":
            return f"<b>{_inline(node)}</b>"
        case "s":
            return f"<strike>{_inline(node)}</strike>"
        case "softbreak":
            return " "
        case "hardbreak":
            return "<br/>"
        case "link":
            address = str(node.attrs.get("href") or "")
            said = _inline(node)
            return said if said == _escaped(address) else f"{said} ({_escaped(address)})"
        case "image":
            return _escaped(node.content)
    return _inline(node) if node.children else _escaped(node.content)


def _plain(node: SyntaxTreeNode) -> str:
    """Every text of a node."""
    return " ".join(child.content for child in node.walk() if child.type in ("text", "code_inline", "fence"))


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    """A paragraph of text that is no markup."""
    return Paragraph(_escaped(text), style)


def _escaped(text: str) -> str:
    """Text that is no markup, with a box for what the font lacks."""
    glyphs = pdfmetrics.getFont(_SANS).face.charToGlyph
    return escape("".join(one if ord(one) in glyphs else " " if one.isspace() else _BOX for one in text))


def _page_number(canvas: Canvas, document: SimpleDocTemplate) -> None:
    canvas.setFont(_SANS, 8)
    canvas.setFillColor(colors.HexColor(_MUTED))
    canvas.drawCentredString(A4[0] / 2, 10 * mm, str(document.page))


@cache
def _style(name: str) -> ParagraphStyle:
    """The styles of the file."""
    base = {
        "fontName": _SANS,
        "fontSize": 10,
        "leading": 14.5,
        "textColor": colors.HexColor(_INK),
        "alignment": TA_LEFT,
        "spaceAfter": 5,
        "splitLongWords": True,
    }
    changes = {
        "title": {"fontName": _BOLD, "fontSize": 16, "leading": 21},
        "h1": {"fontName": _BOLD, "fontSize": 13, "leading": 17, "spaceBefore": 8, "keepWithNext": True},
        "h2": {"fontName": _BOLD, "fontSize": 11, "leading": 15, "spaceBefore": 6, "keepWithNext": True},
        "label": {
            "fontName": _BOLD,
            "fontSize": 8,
            "textColor": colors.HexColor(_MUTED),
            "keepWithNext": True,
        },
        "muted": {"fontSize": 8.5, "leading": 12, "textColor": colors.HexColor(_MUTED), "spaceAfter": 3},
        "question": {"backColor": colors.HexColor(_SOFT), "borderPadding": 4, "spaceAfter": 6},
        "cell": {"fontSize": 8.5, "leading": 11.5, "spaceAfter": 0},
        "code": {
            "fontName": _MONO,
            "fontSize": 8,
            "leading": 11,
            "backColor": colors.HexColor(_SOFT),
            "borderPadding": 4,
            "spaceBefore": 4,
            "spaceAfter": 8,
        },
    }
    return ParagraphStyle(name, **{**base, **changes.get(name, {})})


@cache
def _register_fonts() -> None:
    """Make the fonts known to the typesetter, once."""
    folder = resources.files("etabli.conversations") / "fonts"
    for name in (_SANS, _BOLD, _MONO):
        pdfmetrics.registerFont(TTFont(name, io.BytesIO((folder / f"{name}.ttf").read_bytes())))
    pdfmetrics.registerFontFamily(_SANS, normal=_SANS, bold=_BOLD, italic=_SANS, boldItalic=_BOLD)
    pdfmetrics.registerFontFamily(_MONO, normal=_MONO, bold=_MONO, italic=_MONO, boldItalic=_MONO)
