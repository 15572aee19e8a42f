"""Sources in a real browser: the right page, the highlight over the passage's letters, finding, zoom, text, keys."""

import io
import re
from typing import Any

import pypdfium2
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from tests.web.conftest import OpenPage, Site, Watch
from tests.web.documents_parts import BADGE, add, ask, documents, pdf, range_of, version_path, workbook

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)  # a busy machine is slow, and nothing here is about speed
PDF = "securite/securite-incendie.pdf"
PASSAGE = "Le point de rassemblement est le parking B"
DRAWN = ".source-page[data-drawn]"


def place(site: Site, entry: dict[str, Any], words: str, *, page: int | None = None) -> dict[str, Any]:
    start, end = range_of(site, entry, words)
    found: dict[str, Any] = {"document_id": entry["id"], "version_id": entry["version_id"]}
    return found | {"page": page, "char_start": start, "char_end": end}


def address(where: dict[str, Any]) -> str:
    page = f"?page={where['page']}" if where["page"] else ""
    return (
        f"/documents/{where['document_id']}/versions/{where['version_id']}{page}"
        f"#char={where['char_start']},{where['char_end']}"
    )


def open_beside(page: Page, where: dict[str, Any]) -> None:
    """Open a source beside the documents, as a click on a citation does."""
    page.evaluate("detail => document.dispatchEvent(new CustomEvent('etabli:open-source', {detail}))", where)


def pixels(page: Page) -> Image.Image:
    return Image.open(io.BytesIO(page.screenshot())).convert("RGB")


def box_of(page: Page, selector: str) -> dict[str, float]:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return dict(box)


def is_highlight(colour: tuple[int, int, int]) -> bool:
    """Yellow: the paper under a mark."""
    red, green, blue = colour
    return red > 235 and green > 205 and blue < 200


def colours(image: Image.Image, box: tuple[float, float, float, float]) -> list[tuple[int, int, int]]:
    left, top, right, bottom = (round(side) for side in box)
    return [image.getpixel((x, y)) for y in range(top, bottom) for x in range(left, right)]  # type: ignore[misc]


def rectangle(content: bytes, page: int, words: str) -> tuple[float, float, float, float]:
    """Where words stand on a page, as pdfium says it: parts of the page's width and height from its top-left."""
    with pypdfium2.PdfDocument(content) as document:
        sheet = document[page - 1]
        width, height = sheet.get_size()
        text = sheet.get_textpage()
        found = text.search(words).get_next()
        assert found is not None
        boxes = [text.get_charbox(found[0] + step) for step in range(found[1])]
        left, right = min(box[0] for box in boxes), max(box[2] for box in boxes)
        bottom, top = min(box[1] for box in boxes), max(box[3] for box in boxes)
        return left / width, 1 - top / height, right / width, 1 - bottom / height


def on_screen(
    page: Page, number: int, parts: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    box = box_of(page, f".source-page[data-page='{number}']")
    left, top, right, bottom = parts
    return (
        box["x"] + left * box["width"],
        box["y"] + top * box["height"],
        box["x"] + right * box["width"],
        box["y"] + bottom * box["height"],
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_highlight_lies_over_the_letters_of_the_passage(
    site: Site, open_page: OpenPage, theme: str
) -> None:
    entry = documents(site)[PDF]
    page = open_page(address(place(site, entry, PASSAGE, page=2)), theme=theme, height=900)
    expect(page.locator(f"{DRAWN}[data-page='2']")).to_be_visible()
    expect(page.locator(".source-mark.passage").first).to_be_visible()
    expect(page.get_by_label("Page number")).to_have_value("2")
    expect(page.locator("h1")).to_have_text("Consignes de sécurité incendie")
    content = (site.workspace.settings.workspace / "documents/clinique" / PDF).read_bytes()
    passage = on_screen(page, 2, rectangle(content, 2, PASSAGE))
    height = passage[3] - passage[1]
    image = pixels(page)
    inside = colours(image, passage)
    dark = [colour for colour in inside if max(colour) < 110]
    yellow = [colour for colour in inside if is_highlight(colour)]
    assert len(dark) > len(inside) * 0.08, "the letters are there"
    assert len(yellow) > len(inside) * 0.4, "and the paper between them is marked"
    # Two lines further down nothing is marked.
    shift = 2.2 * height
    below = colours(image, (passage[0], passage[1] + shift, passage[2], passage[3] + shift))
    assert sum(map(is_highlight, below)) < len(below) * 0.02


def test_the_page_is_scrolled_to_the_passage(site: Site, open_page: OpenPage) -> None:
    pages = [[f"Line {line} of page {number}." for line in range(40)] for number in range(1, 31)]
    pages[22][30] = BADGE
    entry = add(site, "long.pdf", pdf(pages))
    page = open_page(address(place(site, entry, BADGE)), width=1000, height=700)
    mark = page.locator(".source-mark.passage").first
    expect(mark).to_be_in_viewport()
    expect(page.get_by_label("Page number")).to_have_value("23")
    box = mark.bounding_box()
    assert box is not None and 100 < box["y"] < 450


def test_five_hundred_pages_are_as_quick_as_five(site: Site, open_page: OpenPage) -> None:
    pages = [[f"Line {line} of page {number}." for line in range(20)] for number in range(1, 501)]
    entry = add(site, "manual.pdf", pdf(pages))
    page = open_page(f"/documents/{entry['id']}/versions/{entry['version_id']}?page=480")
    expect(page.locator(f"{DRAWN}[data-page='480']")).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    frame = page.locator("etabli-source-pages")
    frame.evaluate(
        "async (frame) => { for (let i = 0; i < 60; i += 1) { frame.scrollTop = i * 5000;"
        " await new Promise(requestAnimationFrame); } }"
    )
    field = page.get_by_label("Page number")
    field.fill("250")
    field.press("Enter")
    expect(page.locator(f"{DRAWN}[data-page='250']")).to_be_visible()
    assert page.locator(".source-page").count() < 12, "only pages near the window exist"
    pictures = [url for url in asked if ".png" in url]
    assert len(pictures) < 120, "pages that fly by are not drawn"


def test_finding_words_in_the_document(site: Site, open_page: OpenPage) -> None:
    entry = documents(site)[PDF]
    page = open_page(f"/documents/{entry['id']}/versions/{entry['version_id']}")
    expect(page.locator(DRAWN).first).to_be_visible()
    page.keyboard.press("Control+f")
    field = page.get_by_role("searchbox", name="Find in the document")
    expect(field).to_be_focused()
    field.fill("POSTE de securite")
    field.fill("rassemblement")
    count = page.locator(".source-find-count")
    expect(count).to_have_text(re.compile(r"^1 of \d+$"))
    total = int((count.text_content() or "").split()[-1])
    expect(page.locator(".source-mark.hit.current")).to_be_in_viewport()
    first = page.get_by_label("Page number").input_value()
    page.keyboard.press("Enter")
    expect(count).to_have_text(f"2 of {total}")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    expect(count).to_have_text(f"{total} of {total}")
    page.keyboard.press("Enter")
    expect(count).to_have_text(f"1 of {total}")
    expect(page.get_by_label("Page number")).to_have_value(first)
    content = (site.workspace.settings.workspace / "documents/clinique" / PDF).read_bytes()
    number = int(first)
    expect(page.locator(f"{DRAWN}[data-page='{number}']")).to_be_visible()
    hit = page.locator(".source-mark.hit.current").bounding_box()
    truth = on_screen(page, number, rectangle(content, number, "rassemblement"))
    assert hit is not None
    assert abs(hit["x"] - truth[0]) < 14 and abs(hit["x"] + hit["width"] - truth[2]) < 14, "over the word"
    field.fill("introuvable ici")
    expect(count).to_have_text("Nothing found")
    expect(page.locator(".source-mark.hit")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()


def test_zoom(site: Site, open_page: OpenPage) -> None:
    entry = documents(site)[PDF]
    page = open_page(address(place(site, entry, PASSAGE, page=2)))
    expect(page.locator(DRAWN).first).to_be_visible()
    before = box_of(page, ".source-page[data-page='2']")["width"]
    page.keyboard.press("Control++")
    page.keyboard.press("Control++")
    larger = box_of(page, ".source-page[data-page='2']")["width"]
    assert larger > before * 1.2
    expect(page.locator(".source-mark.passage").first).to_be_in_viewport()
    page.get_by_role("button", name="Zoom out").click()
    assert box_of(page, ".source-page[data-page='2']")["width"] < larger
    page.keyboard.press("Control+0")
    assert abs(box_of(page, ".source-page[data-page='2']")["width"] - before) < 1
    # The words over the picture stay where the letters are.
    line = page.locator(".source-line", has_text="Le point de rassemblement est").first.bounding_box()
    content = (site.workspace.settings.workspace / "documents/clinique" / PDF).read_bytes()
    truth = on_screen(page, 2, rectangle(content, 2, PASSAGE))
    assert line is not None and abs(line["x"] - truth[0]) < 3 and abs(line["y"] - truth[1]) < 8


def test_pages_and_text_are_one_click_apart(site: Site, open_page: OpenPage) -> None:
    entry = documents(site)[PDF]
    page = open_page(address(place(site, entry, PASSAGE, page=2)))
    expect(page.locator(DRAWN).first).to_be_visible()
    button = page.get_by_role("button", name="Text", exact=True)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    mark = page.locator("mark.passage")
    expect(mark.first).to_be_in_viewport()
    assert "".join(mark.all_text_contents()) == PASSAGE
    expect(page.locator(".text-heading").filter(has_text="point de rassemblement")).to_be_visible()
    expect(page.locator("etabli-source-text table").first).to_be_attached()
    button.click()
    expect(page.locator(".source-mark.passage").first).to_be_in_viewport()


def test_other_formats_open_at_the_passage(site: Site, open_page: OpenPage) -> None:
    entry = documents(site)["rh/regles-conges.docx"]
    text = ask(site, "GET", version_path(entry))["text"]
    words = text[-400:-300]
    page = open_page(address(place(site, entry, words)))
    mark = page.locator("mark.passage")
    expect(mark.first).to_be_in_viewport()
    assert re.sub(r"\s", "", "".join(mark.all_text_contents())) == re.sub(r"\s", "", words)


def test_a_long_sheet_is_a_table_at_its_row(site: Site, open_page: OpenPage) -> None:
    rows = [["Article", "Price"], *([f"Article {number}", number * 1.5] for number in range(1, 2001))]
    entry = add(site, "tarifs.xlsx", workbook(rows))
    page = open_page(address(place(site, entry, "Article 1500", page=1)))
    mark = page.locator("mark.passage")
    expect(mark).to_have_text("Article 1500")
    expect(mark).to_be_in_viewport()
    assert page.locator("etabli-source-text tr").count() < 1000, "far rows do not exist"
    cells = page.locator("tr", has=mark).locator("td").all_text_contents()
    assert cells[0] == "Article 1500" and "2250" in cells[1].replace("\u202f", "").replace(" ", "")


def test_letters_outside_the_basic_plane_do_not_shift_the_passage(site: Site, open_page: OpenPage) -> None:
    entry = add(site, "emoji.md", f"# 🏥🏥 Badges 🎫\n\nBefore 🙂. {BADGE} After.\n".encode())
    page = open_page(address(place(site, entry, BADGE)))
    expect(page.locator("mark.passage")).to_have_text(BADGE)


def test_a_mail_shows_its_headers(site: Site, open_page: OpenPage) -> None:
    mail = (
        "From: Anne <anne@example.org>\r\nTo: Paul <paul@example.org>\r\nSubject: The badges\r\n"
        f"Date: Tue, 3 Mar 2026 10:00:00 +0100\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{BADGE}\r\n"
    )
    entry = add(site, "badges.eml", mail.encode())
    page = open_page(address(place(site, entry, BADGE)))
    expect(page.locator(".text-mail dd").first).to_contain_text("anne@example.org")
    expect(page.locator("mark.passage")).to_have_text(BADGE)


def test_documents_are_never_markup(site: Site, open_page: OpenPage) -> None:
    nasty = (
        '# <img src=x onerror="window.hit=1">\n\n<script>window.hit=1</script> [x](javascript:window.hit=1)\n'
    )
    entry = add(site, "nasty.txt", nasty.encode())
    page = open_page(f"/documents/{entry['id']}/versions/{entry['version_id']}")
    expect(page.locator("etabli-source-text")).to_contain_text("<script>")
    assert page.evaluate("window.hit") is None
    assert page.locator("etabli-source-text :is(img, script, a)").count() == 0


def test_an_old_version_says_that_there_is_a_newer_one(site: Site, open_page: OpenPage) -> None:
    old = add(site, "note.md", b"# Note\n\nThe fee is 10 euros.\n")
    new = add(site, "note.md", b"# Note\n\nThe fee is 12 euros.\n")
    page = open_page(address(place(site, old, "10 euros")))
    expect(page.locator("mark.passage")).to_have_text("10 euros")
    notice = page.locator(".source-notice")
    expect(notice).to_contain_text("A newer version of this document exists")
    notice.get_by_role("link").click()
    page.wait_for_url(f"**/documents/{new['id']}/versions/{new['version_id']}")
    expect(page.locator("etabli-source-text")).to_contain_text("12 euros")
    expect(page.locator(".source-notice")).to_be_empty()


def test_what_is_not_there_is_said(site: Site, open_page: OpenPage, watch: Watch) -> None:
    watch.allowed.append("404")
    page = open_page("/documents/999/versions/999")
    expect(page.get_by_role("alert").filter(has_text="cannot be shown")).to_be_visible()


def test_the_panel_beside_a_page(site: Site, open_page: OpenPage) -> None:
    found = documents(site)
    first = place(site, found[PDF], PASSAGE, page=2) | {"number": 1, "quote": PASSAGE, "status": "verified"}
    second = place(site, found["english/staff-guide.pdf"], "buddy", page=2) | {"number": 2, "quote": "buddy"}
    page = open_page("/documents")
    opener = page.locator(".document-name").first
    opener.focus()
    open_beside(page, first | {"citations": [first, second]})
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_have_text("Consignes de sécurité incendie")
    expect(panel.locator("h2")).to_be_focused()
    expect(panel.locator(".source-mark.passage").first).to_be_in_viewport()
    expect(panel.locator("blockquote")).to_contain_text(PASSAGE)
    expect(panel.locator(".source-steps")).to_contain_text("1 of 2")
    panel.get_by_role("button", name="Next source").click()
    expect(panel.locator("h2")).to_have_text("Guide for international staff")
    expect(panel.locator(".source-steps")).to_contain_text("2 of 2")
    expect(panel.get_by_role("button", name="Next source")).to_be_focused()
    expect(panel.locator(".source-mark.passage").first).to_be_in_viewport()
    panel.locator("h2").focus()
    page.keyboard.press("Control+f")
    expect(panel.get_by_role("searchbox", name="Find in the document")).to_be_focused()
    page.keyboard.press("Escape")
    expect(panel).to_be_visible()
    grip = panel.get_by_role("separator")
    before = box_of(page, "#panel")["width"]
    grip.focus()
    page.keyboard.press("ArrowLeft")
    assert box_of(page, "#panel")["width"] > before
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_source_by_keyboard_alone(site: Site, open_page: OpenPage) -> None:
    entry = documents(site)[PDF]
    page = open_page(f"/documents/{entry['id']}/versions/{entry['version_id']}")
    expect(page.locator(DRAWN).first).to_be_visible()
    field = page.get_by_label("Page number")
    field.focus()
    page.keyboard.type("3")
    page.keyboard.press("Enter")
    expect(page.locator(f"{DRAWN}[data-page='3']")).to_be_in_viewport()
    names = []
    for _ in range(12):
        page.keyboard.press("Tab")
        names.append(
            page.evaluate(
                "document.activeElement.getAttribute('aria-label') || document.activeElement.textContent"
            )
        )
    for name in (
        "Zoom out",
        "Zoom in",
        "Text",
        "Find in the document",
        "Download the original",
        "About this document",
    ):
        assert name in names, names
    assert "Pages of the document" in names, "the pages scroll by keyboard"


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_finds_nothing(
    site: Site, open_page: OpenPage, violations: Any, theme: str, language: str
) -> None:
    entry = documents(site)[PDF]
    where = address(place(site, entry, PASSAGE, page=2))
    page = open_page(where, theme=theme, language=language)
    expect(page.locator(DRAWN).first).to_be_visible()
    page.keyboard.press("Control+f")
    page.keyboard.type("poste")
    expect(page.locator(".source-mark.hit").first).to_be_attached()
    assert violations(page) == []
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Texte" if language == "fr" else "Text", exact=True).click()
    expect(page.locator("mark.passage").first).to_be_visible()
    page.get_by_role("button", name="À propos" if language == "fr" else "About").click()
    assert violations(page) == []


@pytest.mark.parametrize("path", ["page", "panel"])
def test_a_phone(site: Site, open_page: OpenPage, violations: Any, path: str) -> None:
    entry = documents(site)[PDF]
    where = place(site, entry, PASSAGE, page=2)
    page = open_page(address(where) if path == "page" else "/documents", width=360, height=700)
    if path == "panel":
        expect(page.locator(".document-name").first).to_be_visible()
        open_beside(page, where | {"quote": PASSAGE, "number": 1})
        expect(page.locator("#panel")).to_be_visible()
        assert box_of(page, "#panel")["width"] == 360
    expect(page.locator(DRAWN).first).to_be_visible()
    expect(page.locator(".source-mark.passage").first).to_be_in_viewport()
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 360
    shown = page.locator("etabli-source-toolbar :is(button, a, input):visible")
    for number in range(shown.count()):
        box = shown.nth(number).bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= 360
    assert violations(page) == []
