"""Tables as text: the separator is found, the first row is the header, long tables are cut into blocks."""

import csv
import io

from etabli.knowledge.blocks import ParsedDocument
from etabli.knowledge.readers import refusals
from etabli.knowledge.readers.building import DocumentBuilder
from etabli.knowledge.readers.encoding import decode
from etabli.knowledge.readers.limits import ReaderLimits

_SEPARATORS = ";\t,|"
_SAMPLE_LINES = 50
_MAX_FIELD = 1_000_000


def read(data: bytes, limits: ReaderLimits) -> ParsedDocument:
    """Read a CSV or TSV file.

    Raises:
        DocumentError: `unsupported` when the bytes are no text, `broken`, `empty`, `too_large`.
    """
    text = decode(data)
    if text is None:
        raise refusals.unsupported()
    first, _, rest = text.lstrip("\ufeff").partition("\n")
    if first.lower().startswith("sep=") and len(first.strip()) == 5:
        separator, text = first.strip()[4], rest
    else:
        separator = find_separator(text)
    csv.field_size_limit(_MAX_FIELD)
    builder = DocumentBuilder(limits)
    try:
        rows = list(csv.reader(io.StringIO(text.replace("\x00", ""), newline=""), delimiter=separator))
    except csv.Error:
        raise refusals.broken("CSV") from None
    builder.add_table(rows)
    return builder.finish("text/csv")


def find_separator(text: str) -> str:
    """The separator that cuts the first lines into the same number of cells, the more the better.

    >>> find_separator("nom;prix\\nvis;12,50\\nclou;3,20")
    ';'
    """
    lines = [line for line in text.splitlines()[:_SAMPLE_LINES] if line.strip()]
    best, best_score = ";", 0.0
    for separator in _SEPARATORS:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        usual = max(set(widths), key=widths.count, default=1)
        score = (usual > 1) * widths.count(usual) / max(1, len(widths)) + 0.001 * usual
        if usual > 1 and score > best_score:
            best, best_score = separator, score
    return best
