import io
from datetime import date, datetime

import docx as python_docx
import openpyxl
import pptx as python_pptx
import pytest
from pptx.util import Inches
from reader_files import BILLION_LAUGHS, check_invariants, kinds, opendocument, word_file, zipped

from etabli.errors import DocumentError
from etabli.knowledge.readers import docx, odf, pptx, xlsx
from etabli.knowledge.readers.limits import ReaderLimits

LIMITS = ReaderLimits()


def saved(document: object) -> bytes:
    target = io.BytesIO()
    document.save(target)  # type: ignore[attr-defined]
    return target.getvalue()


def test_word_headings_lists_and_tables() -> None:
    source = python_docx.Document()
    source.core_properties.title = "Règles de paie"
    source.add_heading("Règles de paie", 0)
    source.add_heading("Primes", 1)
    source.add_paragraph("La prime est versée en juin.")
    source.add_paragraph("premier point", style="List Bullet")
    source.add_paragraph("second point", style="List Number")
    table = source.add_table(2, 2)
    for index, text in enumerate(["Motif", "Montant", "Nuit", "32 €"]):
        table.cell(index // 2, index % 2).text = text
    source.sections[0].header.paragraphs[0].text = "En-tête"
    document = docx.read(saved(source), LIMITS)
    check_invariants(document)
    assert document.title == "Règles de paie"
    assert kinds(document) == [
        ("heading", 1, "Règles de paie"),
        ("heading", 1, "Primes"),
        ("paragraph", 0, "La prime est versée en juin."),
        ("list_item", 1, "premier point"),
        ("list_item", 1, "1. second point"),
        ("table", 0, "Motif | Montant\nNuit | 32 €"),
    ]


def test_word_automatic_numbers_are_counted() -> None:
    numbering = """<w:numbering xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
      <w:abstractNum w:abstractNumId="7"><w:lvl w:ilvl="0"><w:start w:val="3"/><w:numFmt w:val="decimal"/>
      <w:lvlText w:val="Article %1 –"/></w:lvl><w:lvl w:ilvl="1"><w:start w:val="1"/>
      <w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl></w:abstractNum>
      <w:num w:numId="1"><w:abstractNumId w:val="7"/></w:num></w:numbering>"""

    def item(depth: int, text: str) -> str:
        return (
            f'<w:p><w:pPr><w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="1"/></w:numPr></w:pPr>'
            f"<w:r><w:t>{text}</w:t></w:r></w:p>"
        )

    body = item(0, "Objet") + item(1, "un") + item(1, "deux") + item(0, "Durée") + item(1, "trois")
    document = docx.read(word_file(body, numbering=numbering), LIMITS)
    assert [text for _, _, text in kinds(document)] == [
        "Article 3 – Objet",
        "3.a) un",
        "3.b) deux",
        "Article 4 – Durée",
        "4.a) trois",
    ]


def test_word_tracked_changes_notes_and_text_boxes() -> None:
    footnotes = """<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
      <w:footnote w:id="2"><w:p><w:r><w:t>Voir le décret.</w:t></w:r></w:p></w:footnote></w:footnotes>"""
    body = (
        "<w:p><w:r><w:t xml:space='preserve'>Le délai est de </w:t></w:r>"
        "<w:del><w:r><w:delText>dix</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>quinze</w:t></w:r></w:ins><w:r><w:t xml:space='preserve'> jours.</w:t></w:r>"
        "<w:r><w:footnoteReference w:id='2'/></w:r>"
        "<w:r><w:pict><w:txbxContent><w:p><w:r><w:t>Encadré</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>"
    )
    document = docx.read(word_file(body, footnotes=footnotes), LIMITS)
    assert [text for _, _, text in kinds(document)] == [
        "Le délai est de quinze jours.",
        "Encadré",
        "Voir le décret.",
    ]


def test_word_merged_cells() -> None:
    cell = "<w:tc><w:tcPr>{}</w:tcPr><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:tc>".format
    body = (
        "<w:tbl><w:tr>" + cell("<w:gridSpan w:val='2'/>", "Large") + cell("", "c") + "</w:tr>"
        "<w:tr>" + cell("<w:vMerge w:val='restart'/>", "Haut") + cell("", "1") + cell("", "2") + "</w:tr>"
        "<w:tr>" + cell("<w:vMerge/>", "") + cell("", "3") + cell("", "4") + "</w:tr></w:tbl>"
    )
    (block,) = docx.read(word_file(body), LIMITS).blocks
    assert block.cells == (("Large", "", "c"), ("Haut", "1", "2"), ("", "3", "4"))


def test_excel_values_as_a_french_reader_sees_them() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Tarifs"
    sheet.append(["Code", "Prix", "Part", "Depuis", "À", "Actif", "Volume", "Postal"])
    sheet.append(
        ["HB06", 12.8, 0.125, date(2026, 1, 31), datetime(2026, 2, 1, 8, 30), True, 1234567.891, 1300]
    )
    formats = {
        "B2": '#,##0.00 "€"',
        "C2": "0.0%",
        "D2": "dd/mm/yyyy",
        "E2": "dd/mm/yyyy hh:mm",
        "G2": "#,##0",
        "H2": "00000",
    }
    for place, code in formats.items():
        sheet[place].number_format = code
    book.create_sheet("Caché").append(["secret"])
    book["Caché"].sheet_state = "hidden"
    document = xlsx.read(saved(book), LIMITS)
    check_invariants(document)
    (table,) = [block for block in document.blocks if block.kind == "table"]
    assert table.cells[1] == (
        "HB06",
        "12,80\u202f€",
        "12,5\u202f%",
        "31/01/2026",
        "01/02/2026 08:30",
        "VRAI",
        "1\u202f234\u202f567,891",
        "01300",
    )
    assert table.page == 1 and document.page_count == 2
    assert kinds(document)[0] == ("heading", 1, "Tarifs")
    assert "secret" not in document.text and "Caché" in document.notes[0]


def test_excel_titles_and_notes_around_a_table_are_paragraphs() -> None:
    book = openpyxl.Workbook()
    for row in (["Tarifs 2026"], [], ["Code", "Prix"], ["A", 3], [], ["Prix toutes taxes comprises"]):
        book.active.append(row)
    book.active.merge_cells("A1:B1")
    document = xlsx.read(saved(book), LIMITS)
    assert kinds(document)[1:] == [
        ("paragraph", 0, "Tarifs 2026"),
        ("table", 0, "Code | Prix\nA | 3"),
        ("paragraph", 0, "Prix toutes taxes comprises"),
    ]


def test_powerpoint_slides_tables_notes_and_footers() -> None:
    source = python_pptx.Presentation()
    for number in (1, 2, 3):
        slide = source.slides.add_slide(source.slide_layouts[1])
        slide.shapes.title.text = f"Diapositive {number}"
        slide.placeholders[1].text_frame.text = "premier point"
        slide.placeholders[1].text_frame.add_paragraph().text = "second point"
        slide.shapes.add_textbox(
            Inches(1), Inches(7), Inches(4), Inches(0.4)
        ).text_frame.text = f"Clinique – {number}"
    table = source.slides[0].shapes.add_table(2, 2, Inches(1), Inches(4), Inches(4), Inches(1)).table
    for index, text in enumerate(["Vaccin", "Part", "Grippe", "48 %"]):
        table.cell(index // 2, index % 2).text = text
    source.slides[0].notes_slide.notes_text_frame.text = "Dire bonjour."
    document = pptx.read(saved(source), LIMITS)
    check_invariants(document)
    assert [(b.kind, b.page) for b in document.blocks][:5] == [
        ("heading", 1),
        ("list_item", 1),
        ("list_item", 1),
        ("table", 1),
        ("paragraph", 1),
    ]
    assert "Vaccin | Part\nGrippe | 48 %" in document.text and "Dire bonjour." in document.text
    assert "Clinique –" not in document.text
    assert document.page_count == 3


def test_opendocument_text() -> None:
    body = (
        '<text:p text:style-name="Title">Compte rendu</text:p><text:h text:outline-level="2">Point 1</text:h>'
        "<text:p>Le taux<text:s text:c='2'/>atteint<text:tab/>87,4<text:note>"
        "<text:note-citation>1</text:note-citation>"
        "<text:note-body><text:p>Source : direction.</text:p></text:note-body></text:note> %.</text:p>"
        "<text:list><text:list-item><text:p>un</text:p><text:list><text:list-item><text:p>deux</text:p></text:list-item>"
        "</text:list></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell>"
        "<table:table-cell table:number-columns-repeated='2'><text:p>b</text:p></table:table-cell></table:table-row>"
        "</table:table>"
    )
    document = odf.read_text(opendocument("text", body), LIMITS)
    check_invariants(document)
    assert kinds(document) == [
        ("heading", 1, "Compte rendu"),
        ("heading", 2, "Point 1"),
        ("paragraph", 0, "Le taux atteint 87,4 %."),
        ("paragraph", 0, "Source : direction."),
        ("list_item", 1, "un"),
        ("list_item", 2, "deux"),
        ("table", 0, "a | b | b"),
    ]


def test_opendocument_sheets_do_not_multiply_empty_rows() -> None:
    cell = "<table:table-cell><text:p>{}</text:p></table:table-cell>".format
    empty = (
        '<table:table-row table:number-rows-repeated="1048000">'
        '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
    )
    body = (
        f'<table:table table:name="Budget"><table:table-row>{cell("Poste")}{cell("Montant")}</table:table-row>'
        f"<table:table-row>{cell('Linge')}{cell('1,38 €')}</table:table-row>{empty}</table:table>"
    )
    document = odf.read_sheets(opendocument("spreadsheet", body), LIMITS)
    assert kinds(document) == [("heading", 1, "Budget"), ("table", 0, "Poste | Montant\nLinge | 1,38 €")]


def test_opendocument_slides() -> None:
    body = (
        '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Titre</text:p></draw:text-box>'
        "</draw:frame>"
        "<draw:frame><draw:text-box><text:p>Contenu</text:p></draw:text-box></draw:frame></draw:page>"
    )
    document = odf.read_slides(opendocument("presentation", body), LIMITS)
    assert kinds(document) == [("heading", 1, "Titre"), ("paragraph", 0, "Contenu")]
    assert document.blocks[0].page == 1


def test_an_encrypted_opendocument_says_so() -> None:
    manifest = '<m:manifest xmlns:m="urn:m"><m:file-entry><m:encryption-data/></m:file-entry></m:manifest>'
    with pytest.raises(DocumentError) as caught:
        odf.read_text(opendocument("text", "<text:p>x</text:p>", manifest=manifest), LIMITS)
    assert caught.value.state == "encrypted"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_they_grow(encoding: str) -> None:
    bomb = (BILLION_LAUGHS + "<a>&a9;</a>").encode(encoding)
    with pytest.raises(DocumentError) as caught:
        docx.read(zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": bomb}), LIMITS)
    assert caught.value.state == "unsafe"


def test_a_zip_bomb_is_not_unpacked() -> None:
    bomb = zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": b"\0" * 30_000_000})
    with pytest.raises(DocumentError, match="unpacks to far more") as caught:
        docx.read(bomb, LIMITS)
    assert caught.value.state == "unsafe"


def test_a_member_that_lies_about_its_size_is_refused() -> None:
    honest = zipped({"[Content_Types].xml": "<Types/>", "word/document.xml": b"\0" * 3_000_000})
    lying = honest.replace((3_000_000).to_bytes(4, "little"), (30_000).to_bytes(4, "little"))
    with pytest.raises(DocumentError) as caught:
        docx.read(lying, LIMITS)
    assert caught.value.state in ("unsafe", "broken")


def test_names_that_climb_out_of_the_archive_are_only_names() -> None:
    body = "<w:p><w:r><w:t>Texte</w:t></w:r></w:p>"
    source = word_file(body)
    with io.BytesIO(source) as target:
        import zipfile

        with zipfile.ZipFile(target, "a") as archive:
            archive.writestr("../../../../tmp/evil.xml", "x")
            archive.writestr("/etc/passwd", "x")
        data = target.getvalue()
    assert docx.read(data, LIMITS).text == "Texte"


@pytest.mark.parametrize(
    "read", [docx.read, xlsx.read, pptx.read, odf.read_text, odf.read_sheets, odf.read_slides]
)
def test_archives_without_their_main_part_are_broken(read: object) -> None:
    with pytest.raises(DocumentError) as caught:
        read(zipped({"readme.txt": "x"}), LIMITS)  # type: ignore[operator]
    assert caught.value.state == "broken"
