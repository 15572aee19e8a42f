"""Build the documents of the fictional "Clinique des Tilleuls" from their sources.

    python examples/clinique/build.py [--output FOLDER]

`source/rh/regles-conges.docx.md` becomes `documents/rh/regles-conges.docx`: the name of a source says what it
becomes. The web pages, plain texts, tables of values and e-mails in `documents/` are their own sources and are left
alone. The same sources give the same bytes. Needs reportlab besides what the product itself uses.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from builders import blocks, opendocument, pdf, scan, slides, word, workbook

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "source"

RENDERERS: dict[str, Callable[[Path], bytes]] = {
    ".pdf.md": lambda path: pdf.render(blocks.load(path)),
    ".scan.md": lambda path: scan.render(blocks.load(path)),
    ".docx.md": lambda path: word.render(blocks.load(path)),
    ".odt.md": lambda path: opendocument.render(blocks.load(path)),
    ".pptx.md": lambda path: slides.render(blocks.load(path)),
    ".xlsx.yaml": workbook.render,
}


def build(source: Path, output: Path) -> Path:
    """Make one document and return where it is.

    Raises:
        ValueError: the source is not written in the subset that the builders know.
        KeyError: no builder for this kind of name; see `RENDERERS`.
    """
    folder = output / source.relative_to(SOURCES).parent
    folder.mkdir(parents=True, exist_ok=True)
    kind = "".join(source.suffixes[-2:])
    name = source.name.removesuffix(kind) + (".pdf" if kind == ".scan.md" else source.suffixes[-2])
    target = folder / name
    target.write_bytes(RENDERERS[kind](source))
    return target


def main() -> None:
    """Build every document and say what was written."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=HERE / "documents", help="folder to write into")
    output: Path = parser.parse_args().output
    for source in sorted(path for path in SOURCES.rglob("*") if path.is_file()):
        target = build(source, output)
        print(f"{target.stat().st_size:>9,}  {target.relative_to(output)}")


if __name__ == "__main__":
    main()
