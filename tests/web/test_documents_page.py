"""The documents page in a real browser: adding, finding, undoing, by mouse, by keyboard, on a phone."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect
from tests.web.conftest import OpenPage, Site, Watch
from tests.web.documents_parts import BADGE, add, ask, collection_id, documents, pdf

pytestmark = pytest.mark.browser
expect.set_options(timeout=30_000)  # a busy machine is slow, and nothing here is about speed
BADGES = f"# Badges\n\n{BADGE}\n"


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """The documents, shown."""
    shown = open_page("/documents")
    expect(shown.locator(".document-name").first).to_be_visible()
    return shown


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.locator(".document-name", has_text=name))


def choose(page: Page, item: str, files: Any) -> None:
    """Choose files through a menu item of the button that adds."""
    page.get_by_role("button", name="Add", exact=True).click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("menuitem", name=item).click()
    chooser.value.set_files(files)


def plain(name: str, text: str) -> Any:
    return {"name": name, "mimeType": "text/markdown", "buffer": text.encode()}


def no_sideways_scroll(page: Page) -> None:
    wide = page.evaluate(
        "['html', '.documents-scroll'].map((name) => document.querySelector(name))"
        ".map((element) => element.scrollWidth - element.clientWidth)"
    )
    assert wide == [0, 0]


def test_a_file_is_added_read_and_found(page: Page) -> None:
    choose(page, "Files", [plain("badges.md", BADGES)])
    sent = page.locator("etabli-uploads")
    expect(sent.locator("[data-name='badges.md']")).to_be_visible()
    expect(row(page, "badges.md").locator("[data-stage='ready']")).to_be_visible()
    expect(sent).to_contain_text("1 file added")
    expect(sent.locator("[data-name='badges.md'] .badge")).to_have_text("Ready")
    expect(page.locator(".documents-tools")).to_contain_text("5 documents")
    page.get_by_role("searchbox", name="Search in the documents").fill("replacing a lost badge")
    first = page.locator(".result").first
    expect(first.locator(".result-link")).to_have_text("Badges")
    assert {"Replacing", "lost", "badge"} <= set(first.locator("mark").all_text_contents())
    first.locator(".result-link").click()
    panel = page.locator("#panel")
    expect(panel.locator("mark.passage").last).to_contain_text("10 euros")
    expect(panel.locator("mark.passage").last).to_be_in_viewport()


def test_a_whole_folder_keeps_its_paths(page: Page, tmp_path: Path, site: Site) -> None:
    folder = tmp_path / "notes"
    (folder / "2026").mkdir(parents=True)
    (folder / "badges.md").write_text(BADGES, encoding="utf-8")
    (folder / "2026" / "lunch.txt").write_text("Lunch is at noon.\n", encoding="utf-8")
    (folder / ".DS_Store").write_bytes(b"\0\0\0\1")
    choose(page, "A whole folder", str(folder))
    expect(page.locator("etabli-uploads")).to_contain_text("2 files added")
    expect(row(page, "lunch.txt")).to_contain_text("notes / 2026")
    assert {"notes/badges.md", "notes/2026/lunch.txt"} <= documents(site).keys()


def test_files_are_dropped_on_a_collection(page: Page, site: Site) -> None:
    ask(site, "POST", "/v1/etabli/collections", json={"name": "canteen"})
    page.reload()
    target = page.locator(".collection-row", has_text="canteen")
    expect(target).to_be_visible()
    transfer = page.evaluate_handle(
        "() => { const data = new DataTransfer();"
        " data.items.add(new File(['Lunch is at noon.'], 'lunch.txt', {type: 'text/plain'})); return data; }"
    )
    target.dispatch_event("dragenter", {"dataTransfer": transfer})
    target.dispatch_event("dragover", {"dataTransfer": transfer})
    expect(page.locator(".drop-hint")).to_contain_text("Drop to add to “canteen”")
    target.dispatch_event("drop", {"dataTransfer": transfer})
    expect(page.locator(".drop-hint")).to_be_hidden()
    expect(page.locator("etabli-uploads")).to_contain_text("1 file added")
    target.locator(".collection-link").click()
    expect(row(page, "lunch.txt").locator("[data-stage='ready']")).to_be_visible()
    assert documents(site)["lunch.txt"]["collection"] == "canteen"
    assert "collection=" in page.url


def test_a_file_that_cannot_be_read_says_what_to_do(page: Page, watch: Watch) -> None:
    watch.allowed += ["400", "415", "422"]
    film = {"name": "film.mp4", "mimeType": "video/mp4", "buffer": b"\0\0\0\x18ftypmp42\0\xff\xfe" * 500}
    choose(page, "Files", [film])
    sent = page.locator("etabli-uploads [data-name='film.mp4']")
    expect(sent.locator(".badge")).to_have_text("Not added")
    expect(sent.locator(".upload-fault")).to_contain_text(re.compile("format|read"))
    expect(page.locator("etabli-uploads")).to_contain_text("1 was not added")
    expect(sent.get_by_role("button", name="Send film.mp4 again")).to_be_visible()
    choose(
        page, "Files", [{"name": "broken.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7\nnothing"}]
    )
    line = row(page, "broken.pdf")
    expect(line.locator("[data-stage='failed']")).to_be_visible()
    expect(line.locator(".fault")).not_to_be_empty()
    line.locator(".document-name").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("A corrected file of the same name takes its place")
    dialog.get_by_role("button", name="Delete").click()
    expect(line).to_have_count(0)


def test_sending_is_cancelled_and_tried_again(page: Page) -> None:
    page.route(
        "**/v1/etabli/documents", lambda route: None if route.request.method == "POST" else route.continue_()
    )
    choose(
        page,
        "Files",
        [plain("slow.md", BADGES), plain("later.md", BADGES), plain("last.md", "# Last\n\nOne.")],
    )
    expect(page.locator("etabli-uploads [data-name='last.md'] .badge")).to_have_text("Waiting")
    page.get_by_role("button", name="Cancel slow.md").click()
    expect(page.locator("etabli-uploads [data-name='slow.md'] .badge")).to_have_text("Cancelled")
    page.get_by_role("button", name="Cancel all").click()
    expect(page.locator("etabli-uploads .badge", has_text="Cancelled")).to_have_count(3)
    page.unroute("**/v1/etabli/documents")
    page.get_by_role("button", name="Send slow.md again").click()
    expect(row(page, "slow.md").locator("[data-stage='ready']")).to_be_visible()


def test_deleting_a_document_is_undone(page: Page, site: Site) -> None:
    line = row(page, "regles-conges.docx")
    line.get_by_role("button").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(line).to_have_count(0)
    toast = page.locator(".toast", has_text="was deleted")
    expect(toast).to_contain_text("regles-conges.docx")
    assert "rh/regles-conges.docx" not in documents(site)
    toast.get_by_role("button", name="Undo").click()
    expect(line).to_have_count(1)
    expect(line.locator("[data-stage='ready']")).to_be_visible()
    assert "rh/regles-conges.docx" in documents(site)


def test_a_document_is_read_again(page: Page) -> None:
    line = row(page, "staff-guide.pdf")
    line.get_by_role("button").click()
    page.get_by_role("menuitem", name="Read again").click()
    expect(page.locator(".toast")).to_contain_text("is being read again")
    expect(line.locator("[data-stage='ready']")).to_be_visible()


def test_collections_are_made_renamed_and_deleted(page: Page, site: Site) -> None:
    page.get_by_role("button", name="New collection").click()
    field = page.get_by_role("dialog").get_by_label("Name")
    field.fill("clinique")
    field.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Another collection has this name.")
    field.fill("canteen")
    field.press("Enter")
    expect(page.locator(".collection-row.current")).to_contain_text("canteen")
    expect(page.locator(".empty")).to_contain_text("Drop files here")
    line = page.locator(".collection-row", has_text="canteen")
    line.get_by_role("button").click()
    page.get_by_role("menuitem", name="Rename").click()
    field.fill("kitchen")
    field.press("Enter")
    line = page.locator(".collection-row", has_text="kitchen")
    expect(line).to_be_visible()
    add(site, "lunch.md", b"# Lunch\n\nAt noon.\n", collection="kitchen")
    page.reload()
    line.get_by_role("button").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("Its document is no longer found by anyone")
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(line).to_have_count(0)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(line).to_be_visible()
    expect(row(page, "lunch.md")).to_be_visible()
    assert collection_id(site, "kitchen")


def test_a_collection_that_an_assistant_needs_stays(page: Page, watch: Watch) -> None:
    watch.allowed.append("409")
    page.locator(".collection-row", has_text="clinique").get_by_role("button").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".toast.error")).to_contain_text("Assistants answer from “clinique”")
    expect(page.locator(".collection-row", has_text="clinique")).to_be_visible()


def test_an_installation_without_collections_says_how_to_begin(site: Site, open_page: OpenPage) -> None:
    with site.workspace.database.owner() as connection:
        connection.execute("UPDATE collection SET removed_at = now()")
    page = open_page("/documents")
    expect(page.locator(".empty")).to_contain_text("Begin with a collection")
    page.locator(".empty").get_by_role("button", name="New collection").click()
    page.get_by_role("dialog").get_by_label("Name").fill("first")
    page.keyboard.press("Enter")
    expect(page.locator(".collection-row.current")).to_contain_text("first")


def test_sorting_and_filtering(page: Page, site: Site) -> None:
    names = page.locator(".document-name")
    expect(names).to_have_text(
        ["regles-conges.docx", "regles-visiteurs.html", "securite-incendie.pdf", "staff-guide.pdf"]
    )
    page.get_by_role("button", name="Size").click()
    sizes = [one["size_bytes"] for one in documents(site).values()]
    largest = max(documents(site).items(), key=lambda item: item[1]["size_bytes"])[0]
    assert len(set(sizes)) == 4
    expect(names.first).to_have_text(largest.split("/")[-1])
    expect(page.get_by_role("columnheader", name="Size")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("button", name="Size").click()
    expect(names.last).to_have_text(largest.split("/")[-1])
    page.reload()
    expect(page.get_by_role("columnheader", name="Size")).to_have_attribute("aria-sort", "ascending")
    page.locator(".documents-tools select").select_option("failed")
    expect(page.locator(".empty")).to_contain_text("No document is in this state")
    page.get_by_role("button", name="Show all").click()
    expect(names).to_have_count(4)


def test_five_thousand_documents(site: Site, open_page: OpenPage) -> None:
    with site.workspace.database.owner() as connection:
        connection.execute(
            "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
            " SELECT %s, (SELECT min(acl_set) FROM document), 'files/f-' || lpad(i::text, 5, '0') || '.pdf',"
            " md5(i::text) || md5(i::text), i * 1000, 'broken' FROM generate_series(1, 5000) i",
            (collection_id(site),),
        )
        connection.execute("ANALYZE document")
    page = open_page("/documents")
    expect(page.locator(".documents-tools")).to_contain_text("5,004 documents")
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "5005")
    assert page.locator("tbody tr").count() < 60
    worst = page.evaluate(
        "async () => { const scroller = document.querySelector('.documents-scroll'); let worst = 0;"
        " for (let i = 0; i < 80; i += 1) { const then = performance.now(); scroller.scrollTop = i * 3500;"
        " await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);"
        " if (!document.querySelector('tbody tr')) throw new Error('empty');"
        " worst = Math.max(worst, performance.now() - then); } return worst; }"
    )
    assert worst < 1000
    page.locator(".documents-scroll").evaluate("element => element.scrollTo(0, 0)")
    page.locator(".document-name").first.focus()
    page.keyboard.press("End")
    expect(page.locator(".document-name", has_text="staff-guide.pdf")).to_be_focused()
    expect(page.locator(".document-name", has_text="staff-guide.pdf")).to_be_in_viewport()
    assert page.locator("tbody tr").count() < 60


def test_the_search_looks_here_or_everywhere(page: Page, site: Site) -> None:
    ask(site, "POST", "/v1/etabli/collections", json={"name": "canteen"})
    add(site, "badges.md", BADGES.encode(), collection="canteen")
    page.reload()
    expect(page.locator(".collection-row", has_text="canteen")).to_be_visible()
    page.locator(".collection-row", has_text="clinique").locator("a").click()
    expect(page.locator(".document-name")).to_have_count(4)
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search in the documents")
    expect(field).to_be_focused()
    field.fill("replacing a lost badge costs")
    expect(page.locator(".result").first).to_be_visible()
    expect(page.locator(".result-link", has_text=re.compile("^Badges$"))).to_have_count(0)
    page.get_by_label("Where to search").select_option("all")
    expect(page.locator(".result-link").first).to_have_text("Badges")
    expect(page.locator(".result-where").first).to_contain_text("canteen")
    field.fill("securite incendie")
    expect(page.locator(".result-name")).to_contain_text("securite-incendie.pdf")
    field.press("Escape")
    expect(page.locator(".document-name").first).to_be_visible()


def test_the_documents_by_keyboard_alone(page: Page, site: Site) -> None:
    page.get_by_role("button", name="Changed").focus()
    page.keyboard.press("Tab")
    names = page.locator(".document-name")
    expect(names.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(names.nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    panel = page.locator("#panel")
    expect(panel.locator("h2")).to_be_focused()
    expect(panel.locator(".source-page[data-drawn]").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(names.nth(2)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitem", name="Open", exact=True)).to_be_focused()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Delete")
    expect(names).to_have_count(3)
    expect(names.nth(2)).to_be_focused()
    expect(page.locator(".toast", has_text="was deleted")).to_be_visible()
    page.keyboard.press("F6")
    page.keyboard.press("Enter")
    expect(names).to_have_count(4)
    page.keyboard.press("Home")


def test_two_tabs_agree(page: Page, site: Site) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator(".document-name")).to_have_count(4)
    row(page, "staff-guide.pdf").get_by_role("button").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(other.locator(".document-name")).to_have_count(3)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("language", ["fr", "en"])
def test_axe_finds_nothing(
    site: Site, open_page: OpenPage, violations: Any, theme: str, language: str
) -> None:
    add(site, "broken.pdf", b"%PDF-1.7\nnothing")
    page = open_page("/documents", theme=theme, language=language)
    expect(page.locator(".document-name").first).to_be_visible()
    choose_files = page.locator("input[type=file]").first
    choose_files.set_input_files([plain("badges.md", BADGES)])
    expect(page.locator("etabli-uploads [data-stage='ready']")).to_be_visible()
    assert violations(page) == []
    page.locator("etabli-documents input[type=search]").fill("badge parking")
    expect(page.locator(".result").first).to_be_visible()
    assert violations(page) == []
    page.locator(".result-link").first.click()
    expect(page.locator("#panel :is(mark.passage, .source-mark.passage)").first).to_be_visible()
    assert violations(page) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone(site: Site, open_page: OpenPage, violations: Any, theme: str) -> None:
    add(site, "rapport annuel de la commission des relations avec les usagers.pdf", pdf([["One page."]]))
    page = open_page("/documents", width=360, height=720, theme=theme, language="fr")
    expect(page.locator(".document-name")).to_have_count(5)
    no_sideways_scroll(page)
    page.get_by_role("button", name="Trier").click()
    page.get_by_role("menuitemradio", name="Taille").click()
    largest = max(documents(site).items(), key=lambda item: item[1]["size_bytes"])[0]
    expect(page.locator(".document-name").first).to_have_text(largest.split("/")[-1])
    page.locator("input[type=file]").first.set_input_files([plain("badges.md", BADGES)])
    expect(page.locator("etabli-uploads [data-stage='ready']")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Fermer").click()
    page.get_by_role("searchbox", name="Chercher dans les documents").fill("badge perdu")
    expect(page.locator(".result").first).to_be_visible()
    no_sideways_scroll(page)
    assert violations(page) == []
