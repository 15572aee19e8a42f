import io
import shutil

import pytest
from reader_files import (
    SENTENCE,
    check_invariants,
    drawn_pdf,
    encrypted_pdf,
    kinds,
    looping_pdf,
    report_pdf,
    scanned_pdf,
    striped_table_pdf,
)
from reportlab.pdfgen.canvas import Canvas

from etabli.errors import DocumentError
from etabli.knowledge.readers import pdf, quality
from etabli.knowledge.readers.limits import ReaderLimits

LIMITS = ReaderLimits()
TESSERACT = shutil.which("tesseract")
needs_tesseract = pytest.mark.skipif(TESSERACT is None, reason="tesseract is not installed")


def test_structure_of_a_report() -> None:
    document = pdf.read(report_pdf(), LIMITS)
    check_invariants(document)
    assert document.title == "Charte des données"
    assert document.language == "fr"
    found = kinds(document)
    assert found[0] == ("heading", 1, "Charte des données")
    assert ("heading", 1, "1. Section 1") in found
    (detail,) = [level for kind, level, text in found if text == "2.1 Détail" and kind == "heading"]
    assert detail > 1
    assert ("list_item", 1, "premier point") in found
    assert ("paragraph", 0, (SENTENCE * 5).strip()) in found


def test_a_ruled_table_keeps_its_cells() -> None:
    document = pdf.read(report_pdf(1), LIMITS)
    (table,) = [block for block in document.blocks if block.kind == "table"]
    assert table.cells == (
        ("Nom", "Service", "Poste"),
        ("Anne Martin", "Pharmacie", "4052, puis le poste de garde la nuit"),
        ("Luc Petit", "Urgences", "4115"),
    )


def test_a_table_between_horizontal_rules_keeps_wrapped_cells_whole() -> None:
    document = pdf.read(striped_table_pdf(), LIMITS)
    check_invariants(document)
    (table,) = [block for block in document.blocks if block.kind == "table"]
    assert table.cells == (
        ("Intervention", "Molécule", "Dose"),
        ("Cholécystectomie cœlioscopique sans facteur de risque", "Aucune", "–"),
        ("Hernie", "Céfazoline", "2 g IV"),
    )


def test_a_table_without_rules_is_seen_by_its_columns() -> None:
    rows = [("Produit", "Prix"), ("Vis", "12,50 €"), ("Clou", "3,20 €")]
    lines = [(72, 100 + 14 * i, a) for i, (a, _) in enumerate(rows)]
    lines += [(300, 100 + 14 * i, b) for i, (_, b) in enumerate(rows)]
    document = pdf.read(drawn_pdf([lines]), LIMITS)
    (table,) = [block for block in document.blocks if block.kind == "table"]
    assert table.cells == tuple(rows)


def test_running_footers_go_and_the_text_stays() -> None:
    document = pdf.read(report_pdf(6), LIMITS)
    assert document.page_count is not None and document.page_count >= 3
    assert "Clinique des Tilleuls" not in document.text
    assert document.text.count("premier point") == 6


def test_a_line_that_stands_on_one_page_only_is_no_footer() -> None:
    lines = [(72, 100, SENTENCE[:60]), (72, 800, "Texte unique en bas de page")]
    document = pdf.read(drawn_pdf([lines, [(72, 100, SENTENCE[:60])], [(72, 100, SENTENCE[:60])]]), LIMITS)
    assert "Texte unique en bas de page" in document.text


def test_boxes_hold_the_words_of_their_range() -> None:
    document = pdf.read(
        drawn_pdf([[(72, 100, "Premier alinéa du texte."), (72, 160, "Second alinéa du texte.")]]), LIMITS
    )
    first, second = [block.boxes[0] for block in document.blocks]
    assert document.text[second.char_start : second.char_end] == "Second alinéa du texte."
    assert (first.page, round(first.x0), round(first.y1)) == (1, 73, 100)
    assert 140 < second.y0 < 160


def test_words_broken_at_line_ends_are_joined_and_compounds_keep_their_hyphen() -> None:
    lines = [
        "Le présent règle-",
        "ment est approuvé par le sous-",
        "traitant et peut-",
        "être par la direc-",
        "tion.",
    ]
    document = pdf.read(drawn_pdf([[(72, 100 + 14 * i, line) for i, line in enumerate(lines)]]), LIMITS)
    assert document.text == (
        "Le présent règlement est approuvé par le sous-traitant et peut-être par la direction."
    )
    pieces = [document.text[box.char_start : box.char_end] for box in document.blocks[0].boxes]
    assert pieces == [
        "Le présent règle",
        "ment est approuvé par le sous-",
        "traitant et peut-",
        "être par la direc",
        "tion.",
    ]


def test_a_paragraph_goes_on_over_the_page_end() -> None:
    pages = [
        [(72, 740, "Le début de la phrase se trouve en bas de la page")],
        [(72, 100, "et sa fin en haut de la suivante.")],
    ]
    document = pdf.read(drawn_pdf(pages), LIMITS)
    assert [box.page for box in document.blocks[0].boxes] == [1, 2]
    assert len(document.blocks) == 1


@pytest.mark.parametrize("by_rows", [True, False])
def test_two_columns_are_read_one_after_the_other(by_rows: bool) -> None:
    left = [f"Gauche {i} avec assez de mots ici" for i in range(12)]
    right = [f"Droite {i} avec assez de mots ici" for i in range(12)]
    pairs = [
        [(60, 120 + 14 * i, a), (310, 120 + 14 * i, b)]
        for i, (a, b) in enumerate(zip(left, right, strict=True))
    ]
    lines = (
        [line for pair in pairs for line in pair]
        if by_rows
        else [p[0] for p in pairs] + [p[1] for p in pairs]
    )
    text = pdf.read(
        drawn_pdf([[(60, 80, "Un titre sur toute la largeur de la page, au-dessus des colonnes"), *lines]]),
        LIMITS,
    ).text
    places = [text.index(line) for line in left + right]
    assert places == sorted(places)
    assert text.startswith("Un titre")


def test_a_rotated_page_has_its_boxes_as_displayed() -> None:
    target = io.BytesIO()
    canvas = Canvas(target, pagesize=(400, 600))
    canvas.setPageRotation(90)
    canvas.translate(400, 0)
    canvas.rotate(90)
    canvas.drawString(50, 350, "Une page tournée d’un quart de tour")
    canvas.save()
    (block,) = pdf.read(target.getvalue(), LIMITS).blocks
    (box,) = block.boxes
    assert 48 < box.x0 < 54 and 35 < box.y0 < 55 and box.x1 < 600


def test_values_of_form_fields_are_text() -> None:
    target = io.BytesIO()
    canvas = Canvas(target)
    canvas.drawString(72, 700, "Nom du demandeur :")
    canvas.acroForm.textfield(name="nom", value="Durand Émile", x=200, y=690, width=200, height=20)
    canvas.save()
    assert "Durand Émile" in pdf.read(target.getvalue(), LIMITS).text


def test_the_outline_gives_levels_and_dotted_leaders_are_no_headings() -> None:
    target = io.BytesIO()
    canvas = Canvas(target)
    canvas.setFont("Helvetica", 11)
    canvas.drawString(72, 740, "1. Champ d’application . . . . . . . . . . . . . . . . . . 3")
    canvas.drawString(72, 700, "1. Champ d’application")
    canvas.drawString(72, 660, SENTENCE)
    for level, title in enumerate(["Titre", "Champ d’application"]):
        canvas.bookmarkPage(title)
        canvas.addOutlineEntry(title, title, level)
    canvas.save()
    found = kinds(pdf.read(target.getvalue(), LIMITS))
    assert found[0] == ("list_item", 1, "1. Champ d’application … 3")
    assert found[1] == ("heading", 2, "1. Champ d’application")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("", "empty"),
        ("Page 3", "empty"),
        (SENTENCE, "good"),
        ("\uf041\uf042 \ufffd\ufffd" * 20, "garbage"),
        ("lesalariéquitravaillelanuitbénéficiedunreposcompensateur " * 4, "garbage"),
        ("https://www.exemple.fr/une-adresse-assez-longue " + SENTENCE, "good"),
    ],
)
def test_the_quality_gate(text: str, verdict: str) -> None:
    assert quality.judge(text) == verdict


@pytest.mark.parametrize(
    ("data", "state"),
    [
        (encrypted_pdf(), "encrypted"),
        (b"%PDF-1.7\n" + b"garbage " * 50, "broken"),
        (drawn_pdf([[]]), "empty"),
    ],
)
def test_what_cannot_be_read_says_why(data: bytes, state: str) -> None:
    with pytest.raises(DocumentError) as caught:
        pdf.read(data, LIMITS)
    assert caught.value.state == state


def test_too_many_pages() -> None:
    with pytest.raises(DocumentError, match="3 pages; at most 2") as caught:
        pdf.read(drawn_pdf([[(72, 100, "Texte")]] * 3), ReaderLimits(max_pages=2))
    assert caught.value.state == "too_large"


def test_a_truncated_file_gives_text_or_says_broken() -> None:
    data = report_pdf(6)
    for size in (len(data) // 4, len(data) // 2, len(data) - 100):
        try:
            check_invariants(pdf.read(data[:size], LIMITS))
        except DocumentError as error:
            assert error.state in ("broken", "empty")


def test_a_pdf_that_calls_itself_ends() -> None:
    try:
        assert "calls itself" in pdf.read(looping_pdf(), LIMITS).text
    except DocumentError as error:
        assert error.state in ("broken", "empty")


def test_a_scan_without_ocr_says_what_to_install() -> None:
    with pytest.raises(DocumentError, match="tesseract-ocr-fra") as caught:
        pdf.read(scanned_pdf(["Texte"], pages=2), ReaderLimits(tesseract=None))
    assert caught.value.state == "needs_ocr"


@needs_tesseract
def test_a_scan_is_recognised_with_its_places() -> None:
    lines = ["Note de service du personnel", "Le parking de la clinique ferme à vingt heures."]
    document = pdf.read(scanned_pdf(lines), ReaderLimits(tesseract=TESSERACT))
    check_invariants(document)
    assert "parking de la clinique ferme" in document.text
    box = next(
        b
        for block in document.blocks
        for b in block.boxes
        if "parking" in document.text[b.char_start : b.char_end]
    )
    assert abs(box.x0 - 72) < 6 and 105 < box.y0 < 125


@needs_tesseract
def test_ocr_stops_when_its_time_is_over_and_says_which_pages() -> None:
    document = pdf.read(
        scanned_pdf(["Le parking ferme"], pages=2), ReaderLimits(tesseract=TESSERACT, cpu_seconds=0.2)
    )
    assert "parking" in document.text
    assert document.notes == ("Scanned pages that could not be recognised in the time allowed: 2.",)
    with pytest.raises(DocumentError) as caught:
        pdf.read(scanned_pdf(["Texte"]), ReaderLimits(tesseract=TESSERACT, cpu_seconds=0))
    assert caught.value.state == "timeout"
