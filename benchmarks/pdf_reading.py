"""How fast PDFs become blocks with boxes, beside PDFium's bare text and pypdf in the same run.

    python benchmarks/pdf_reading.py [FOLDER] [--json]

Without a folder, reports are made on the spot: headings, prose of about 2,500 characters a page, lists and
ruled tables. One process, one core. `pip install pypdf reportlab` gives the peer and the maker.
"""

import argparse
import io
import json
import resource
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pypdfium2
from rich.console import Console
from rich.progress import track
from rich.table import Table

from etabli.knowledge.readers import pdf
from etabli.knowledge.readers.limits import ReaderLimits

PAGES = 40
FILES = 5
PROSE = (
    "Le salarié qui travaille la nuit bénéficie d’un repos compensateur dont la durée dépend du nombre d’heures "
    "accomplies entre vingt et une heures et sept heures. L’employeur affiche le planning quinze jours avant le "
    "premier jour du mois et ne le modifie qu’avec un délai de sept jours ouvrés. "
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", nargs="?", type=Path, help="folder of PDFs to read instead")
    parser.add_argument("--json", action="store_true", help="print figures for programs")
    parser.add_argument("--rounds", type=int, default=3, help="times each file is read; the median counts")
    options = parser.parse_args()
    files = (
        [path.read_bytes() for path in sorted(options.folder.rglob("*.pdf"))]
        if options.folder
        else make_files()
    )
    results = [
        measure(name, read, files, options.rounds, quiet=options.json) for name, read in readers().items()
    ]
    if options.json:
        json.dump({"files": len(files), "rounds": options.rounds, "results": results}, sys.stdout, indent=2)
        print()
        return
    table = Table(title=f"{len(files)} PDFs, one core, median of {options.rounds}")
    for column in ("reader", "pages/s", "pages", "characters", "boxes", "failed"):
        table.add_column(column, justify="left" if column == "reader" else "right")
    for result in results:
        table.add_row(
            *(str(result[key]) for key in ("reader", "pages_per_s", "pages", "characters", "boxes", "failed"))
        )
    Console().print(table)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    Console().print(f"peak memory of the whole run: {peak:.0f} MiB")


def readers() -> dict[str, Callable[[bytes], tuple[int, int, int]]]:
    """Each gives (pages, characters, boxes) of a file."""
    found: dict[str, Callable[[bytes], tuple[int, int, int]]] = {
        "etabli: blocks with boxes": read_etabli,
        "pypdfium2: bare text": read_pdfium,
    }
    try:
        import pypdf  # noqa: F401
    except ImportError:
        return found
    return {**found, "pypdf: bare text": read_pypdf}


def read_etabli(data: bytes) -> tuple[int, int, int]:
    document = pdf.read(data, ReaderLimits())
    return document.page_count or 0, len(document.text), sum(len(block.boxes) for block in document.blocks)


def read_pdfium(data: bytes) -> tuple[int, int, int]:
    document = pypdfium2.PdfDocument(data)
    characters = 0
    for page in document:
        text = page.get_textpage()
        characters += len(text.get_text_range())
        text.close()
        page.close()
    pages = len(document)
    document.close()
    return pages, characters, 0


def read_pypdf(data: bytes) -> tuple[int, int, int]:
    import pypdf

    document = pypdf.PdfReader(io.BytesIO(data))
    return len(document.pages), sum(len(page.extract_text()) for page in document.pages), 0


def measure(
    name: str, read: Callable[[bytes], tuple[int, int, int]], files: list[bytes], rounds: int, *, quiet: bool
) -> dict[str, object]:
    totals = [0, 0, 0]
    seconds, failed = 0.0, 0
    for data in track(files, description=name, disable=quiet, transient=True):
        times: list[float] = []
        counts = (0, 0, 0)
        try:
            for _ in range(rounds):
                # CPU time, so that other programs on the machine do not count.
                start = time.process_time()
                counts = read(data)
                times.append(time.process_time() - start)
        except Exception:
            failed += 1
            continue
        seconds += statistics.median(times)
        totals = [total + count for total, count in zip(totals, counts, strict=True)]
    speed = round(totals[0] / seconds, 1) if seconds else 0.0
    return {
        "reader": name, "pages_per_s": speed, "pages": totals[0], "characters": totals[1], "boxes": totals[2],
        "failed": failed,
    }  # fmt: skip


def make_files() -> list[bytes]:
    from reportlab.lib import colors
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import ListFlowable, ListItem, PageBreak, Paragraph, SimpleDocTemplate
    from reportlab.platypus import Table as Grid

    styles = getSampleStyleSheet()
    files = []
    for number in range(FILES):
        story: list[object] = []
        for page in range(PAGES):
            story += [Paragraph(f"{page + 1}. Chapitre {number}-{page}", styles["Heading1"])]
            story += [Paragraph(PROSE * 2, styles["BodyText"]) for _ in range(4)]
            story += [
                ListFlowable(
                    [ListItem(Paragraph(PROSE[:90], styles["BodyText"])) for _ in range(3)],
                    bulletType="bullet",
                ),
                Grid(
                    [["Poste", "Horaires", "Durée"]]
                    + [[f"Poste {i}", "7 h – 19 h", "12 h"] for i in range(4)],
                    style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black)],
                ),
                PageBreak(),
            ]
        target = io.BytesIO()
        SimpleDocTemplate(target).build(story)
        files.append(target.getvalue())
    return files


if __name__ == "__main__":
    main()
