import os
import random

import pytest
from reader_files import check_invariants, message, report_pdf, text_image, word_file, zipped

from etabli.errors import DocumentError
from etabli.knowledge.readers import image
from etabli.knowledge.readers.detection import detect_format
from etabli.knowledge.readers.dispatch import read_bytes
from etabli.knowledge.readers.limits import ReaderLimits

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)


@pytest.mark.parametrize(
    ("data", "name", "expected"),
    [
        (report_pdf(1), "faux.docx", "pdf"),
        (word_file("<w:p/>"), "faux.pdf", "docx"),
        (
            zipped({"mimetype": "application/vnd.oasis.opendocument.spreadsheet", "content.xml": "x"}),
            "a",
            "ods",
        ),
        (text_image(["a"]), "a.txt", "image"),
        (b"{\\rtf1 a}", "a.doc", "rtf"),
        (b"<!DOCTYPE html><p>a</p>", "a.txt", "html"),
        (message(body="a"), "a.txt", "eml"),
        (b"a;b\n1;2\n3;4\n", "export.txt", "text"),
        (b"a;b\n1;2\n3;4\n", "export", "csv"),
        (b"nom,poste\nAnne,4052\n", "a.csv", "csv"),
        (b"# Titre\n\nTexte\n", "a.md", "markdown"),
        (b"Bonjour.\nVoici: un texte.\n", "a", "text"),
    ],
)
def test_the_content_decides(data: bytes, name: str, expected: str) -> None:
    assert detect_format(data, name) == expected


@pytest.mark.parametrize(
    ("data", "state", "words"),
    [
        (b"", "empty", "empty"),
        (b" \r\n\x00", "empty", "empty"),
        (random.Random(3).randbytes(5_000), "unsupported", "not known"),
        (b"\x7fELF" + bytes(200), "unsupported", "not known"),
        (b"PK\x03\x04 cut", "broken", "damaged"),
        (zipped({"a.txt": "x"}), "unsupported", "not known"),
        (OLE + "WordDocument".encode("utf-16-le"), "unsupported", "save it as .docx"),
        (OLE + "Workbook".encode("utf-16-le"), "unsupported", "save it as .xlsx"),
        (OLE + "PowerPoint Document".encode("utf-16-le"), "unsupported", "save it as .pptx"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "encrypted", "password"),
    ],
)
def test_what_is_refused_and_why(data: bytes, state: str, words: str) -> None:
    with pytest.raises(DocumentError, match=words) as caught:
        read_bytes(data, ReaderLimits(), name="fichier")
    assert caught.value.state == state


def test_damaged_files_of_every_format_end_in_a_state() -> None:
    """Bytes changed at random: each file is read or refused with a state, nothing else."""
    chance = random.Random(11)
    sources = [
        report_pdf(1),
        word_file("<w:p><w:r><w:t>Texte</w:t></w:r></w:p>"),
        message(body="a"),
        b"{\\rtf1 a\\u9}",
    ]
    for source in sources:
        for _ in range(25):
            data = bytearray(source)
            for _ in range(chance.randint(1, 30)):
                data[chance.randrange(len(data))] = chance.randrange(256)
            try:
                check_invariants(
                    read_bytes(bytes(data[: chance.randint(1, len(data))]), ReaderLimits(), name="f")
                )
            except DocumentError as error:
                assert error.state in ("empty", "broken", "unsupported", "unsafe", "encrypted", "too_large")


def test_sizes_of_images_are_known_before_they_are_opened() -> None:
    png = text_image(["a"])
    assert image.pixel_count(png) == pytest.approx(1654 * 2339, rel=0.01)
    bomb = png[:16] + (50_000).to_bytes(4, "big") * 2 + png[24:]
    with pytest.raises(DocumentError, match="2500 million pixels") as caught:
        image.read(bomb, ReaderLimits(tesseract=os.devnull))
    assert caught.value.state == "too_large"


def test_an_image_without_ocr_says_what_to_install() -> None:
    with pytest.raises(DocumentError, match="tesseract-ocr-fra") as caught:
        image.read(text_image(["a"]), ReaderLimits())
    assert caught.value.state == "needs_ocr"
