"""Blocks to OpenDocument text (ODT), written by hand: the format is a zip of five small XML files.

Source: OASIS Open Document Format 1.3, parts 2 (packages) and 3 (schema).
"""

from xml.sax.saxutils import escape

from . import palette
from .archive import EPOCH_ISO, pack
from .blocks import Block, Heading, ItemList, Line, Notice, PageBreak, Paragraph, Source, Table

MEDIA_TYPE = "application/vnd.oasis.opendocument.text"

_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMES = (
    " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for prefix, name in (
            ("office", "office"),
            ("style", "style"),
            ("text", "text"),
            ("table", "table"),
            ("fo", "xsl-fo-compatible"),
            ("meta", "meta"),
        )
    )
    + ' xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


def render(source: Source) -> bytes:
    """The ODT of a source."""
    return pack(
        [
            ("mimetype", MEDIA_TYPE.encode()),
            ("META-INF/manifest.xml", _manifest()),
            ("meta.xml", _meta(source)),
            ("styles.xml", _styles(source)),
            ("content.xml", _content(source)),
        ]
    )


def _manifest() -> bytes:
    entries = [("/", MEDIA_TYPE), *((name, "text/xml") for name in ("content.xml", "styles.xml", "meta.xml"))]
    lines = "".join(
        f'<manifest:file-entry manifest:full-path="{path}" manifest:media-type="{kind}"/>'
        for path, kind in entries
    )
    name = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
    text = f'<manifest:manifest xmlns:manifest="{name}" manifest:version="1.3">{lines}</manifest:manifest>'
    return (_XML + text).encode()


def _meta(source: Source) -> bytes:
    return (
        f'{_XML}<office:document-meta {_NAMES} office:version="1.3"><office:meta>'
        f"<dc:title>{escape(source.title)}</dc:title><dc:language>{source.language}</dc:language>"
        f"<meta:initial-creator>{palette.CLINIC}</meta:initial-creator>"
        f"<meta:creation-date>{EPOCH_ISO}</meta:creation-date><dc:date>{EPOCH_ISO}</dc:date>"
        "</office:meta></office:document-meta>"
    ).encode()


def _paragraph_style(name: str, *, paragraph: str = "", text: str = "", display: str = "") -> str:
    shown = f' style:display-name="{display}"' if display else ""
    return (
        f'<style:style style:name="{name}"{shown} style:family="paragraph">'
        f"<style:paragraph-properties {paragraph}/><style:text-properties {text}/></style:style>"
    )


def _styles(source: Source) -> bytes:
    bold = f'fo:font-weight="bold" fo:color="#{palette.DARK}"'
    after = 'fo:margin-bottom="0.2cm"'
    body = 'fo:font-family="Liberation Sans" fo:font-size="11pt"'
    named = "".join(
        [
            _paragraph_style("Standard", paragraph=after, text=body),
            _paragraph_style("Title", paragraph=after, text=f'{bold} fo:font-size="22pt"'),
            _paragraph_style("Subtitle", paragraph=after, text=f'fo:color="#{palette.GREY}" fo:font-size="13pt"'),
            _paragraph_style("Heading_20_1", display="Heading 1", paragraph='fo:margin-top="0.5cm"',
                             text=f'{bold} fo:font-size="15pt"'),
            _paragraph_style("Heading_20_2", display="Heading 2", paragraph='fo:margin-top="0.3cm"',
                             text=f'{bold} fo:font-size="12.5pt"'),
            _paragraph_style("Notice", paragraph=f'fo:background-color="#{palette.LIGHT}" fo:padding="0.2cm"'),
        ]
    )  # fmt: skip
    before, between = palette.PAGE_OF[source.language].split("{page}")
    head = escape(f"{palette.CLINIC} – {source.title} – {source.reference}")
    foot = escape(f"{palette.FICTION[source.language]} – {source.version} – {before}")
    return (
        f'{_XML}<office:document-styles {_NAMES} office:version="1.3"><office:styles>{named}</office:styles>'
        '<office:automatic-styles><style:page-layout style:name="A4"><style:page-layout-properties '
        'fo:page-width="21cm" fo:page-height="29.7cm" fo:margin="2cm"/></style:page-layout>'
        '</office:automatic-styles><office:master-styles><style:master-page style:name="Standard" '
        'style:page-layout-name="A4">'
        f"<style:header><text:p>{head}</text:p></style:header>"
        f"<style:footer><text:p>{foot}<text:page-number/>{escape(between.replace('{total}', ''))}<text:page-count/>"
        "</text:p></style:footer></style:master-page></office:master-styles></office:document-styles>"
    ).encode()


def _content(source: Source) -> bytes:
    about = f"{source.reference} – {source.version} – {palette.OWNER[source.language]}\u00a0: {source.owner}"
    opening = f'<text:p text:style-name="Title">{escape(source.title)}</text:p>'
    if source.subtitle:
        opening += f'<text:p text:style-name="Subtitle">{escape(source.subtitle)}</text:p>'
    opening += f'<text:p text:style-name="Standard">{escape(about)}</text:p>'
    automatic = (
        _text_style("Bold", 'fo:font-weight="bold"')
        + _text_style("Italic", 'fo:font-style="italic"')
        + _list_style(
            "Bullets", '<text:list-level-style-bullet text:level="1" text:bullet-char="•">', "bullet"
        )
        + _list_style(
            "Numbers",
            '<text:list-level-style-number text:level="1" style:num-format="1" style:num-suffix=".">',
            "number",
        )
        + '<style:style style:name="Break" style:family="paragraph">'
        '<style:paragraph-properties fo:break-before="page"/></style:style>'
        '<style:style style:name="Cell" style:family="table-cell">'
        '<style:table-cell-properties fo:border="0.5pt solid #8AA64A" fo:padding="0.1cm"/></style:style>'
    )
    body = opening + "".join(_block(block) for block in source.blocks)
    return (
        f'{_XML}<office:document-content {_NAMES} office:version="1.3">'
        f"<office:automatic-styles>{automatic}</office:automatic-styles>"
        f"<office:body><office:text>{body}</office:text></office:body></office:document-content>"
    ).encode()


def _text_style(name: str, properties: str) -> str:
    return f'<style:style style:name="{name}" style:family="text"><style:text-properties {properties}/></style:style>'


def _list_style(name: str, level: str, kind: str) -> str:
    return (
        f'<text:list-style style:name="{name}">{level}'
        '<style:list-level-properties text:space-before="0.4cm" text:min-label-width="0.5cm"/>'
        f"</text:list-level-style-{kind}></text:list-style>"
    )


def _block(block: Block) -> str:
    match block:
        case Heading(level, text):
            style = f"Heading_20_{level}"
            return f'<text:h text:style-name="{style}" text:outline-level="{level}">{escape(text)}</text:h>'
        case Paragraph(line):
            return f'<text:p text:style-name="Standard">{_spans(line)}</text:p>'
        case Notice(line):
            return f'<text:p text:style-name="Notice">{_spans(line)}</text:p>'
        case ItemList(items, ordered):
            lines = (f"<text:list-item><text:p>{_spans(item)}</text:p></text:list-item>" for item in items)
            style = "Numbers" if ordered else "Bullets"
            return f'<text:list text:style-name="{style}">{"".join(lines)}</text:list>'
        case Table(head, rows):
            return _table(head, rows)
        case PageBreak():
            return '<text:p text:style-name="Break"/>'
    raise ValueError(f"no rendering for {block!r}")


def _table(head: tuple[Line, ...], rows: tuple[tuple[Line, ...], ...]) -> str:
    def row(cells: tuple[Line, ...]) -> str:
        inner = "".join(
            f'<table:table-cell table:style-name="Cell" office:value-type="string"><text:p>{_spans(cell)}</text:p>'
            "</table:table-cell>"
            for cell in cells
        )
        return f"<table:table-row>{inner}</table:table-row>"

    columns = f'<table:table-column table:number-columns-repeated="{len(head)}"/>'
    header = f"<table:table-header-rows>{row(head)}</table:table-header-rows>"
    return f"<table:table>{columns}{header}{''.join(map(row, rows))}</table:table>"


def _spans(line: Line) -> str:
    pieces = []
    for run in line:
        text = escape(run.text)
        style = "Bold" if run.bold else "Italic" if run.italic else ""
        pieces.append(f'<text:span text:style-name="{style}">{text}</text:span>' if style else text)
    return "".join(pieces)
