"""Building an assistant in the browser: form and text are one, faults, drafts, versions, conflicts."""

import re
from typing import Any

import pytest
import yaml
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.browser
expect.set_options(timeout=20_000)  # a busy machine is slow, a broken page never gets there


def text_of(page: Page) -> Locator:
    return page.get_by_role("textbox", name="YAML")


def says(page: Page, **wanted: Any) -> None:
    """Wait until the YAML means this; None: the key is not there."""
    page.wait_for_function("() => document.querySelector('.yaml-text')?.value.length > 0")
    for _ in range(400):
        values = yaml.safe_load(text_of(page).input_value()) or {}
        if all(values.get(key) == value for key, value in wanted.items()):
            return
        page.wait_for_timeout(50)
    assert {key: values.get(key) for key in wanted} == wanted


def save(page: Page, note: str = "") -> None:
    page.keyboard.press("Control+s")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("What changed?").fill(note)
    page.keyboard.press("Enter")
    expect(page.locator(".toast", has_text=re.compile(r"Version \d+ is saved"))).to_be_visible()


def ready(page: Page) -> Page:
    expect(page.get_by_label("Title", exact=True)).to_be_editable()
    expect(page.get_by_text("4 documents")).to_be_visible()
    return page


def test_from_nothing_to_an_answer(open_page: Any, site: Any) -> None:
    page = ready(open_page("/assistants/new"))
    page.get_by_label("Title", exact=True).fill("Sécurité & accueil")
    expect(page.get_by_label("Short name")).to_have_value("securite-accueil")
    page.get_by_label("Instructions", exact=True).fill("Réponds en une phrase.\nCite l’article.")
    page.get_by_label("clinique").check()
    page.get_by_role("button", name="Add a question").click()
    page.keyboard.type("Où se rassembler ?")
    says(
        page,
        name="securite-accueil",
        title="Sécurité & accueil",
        instructions="Réponds en une phrase.\nCite l’article.",
        collections=["clinique"],
        first_questions=["Où se rassembler ?"],
        passages=None,
    )

    page.get_by_role("log").get_by_role("button", name="Où se rassembler ?").click()
    log = page.get_by_role("log")
    expect(log).to_contain_text("Le point de rassemblement est le parking du personnel")
    expect(log).to_contain_text("First word after")
    assert "Réponds en une phrase." in str(site.engine.bodies)
    with site.workspace.database.owner() as connection:
        assert connection.execute("SELECT count(*) FROM turn").fetchone() == (0,), "a try is not kept"

    save(page, "Le début")
    page.wait_for_url("**/assistants/securite-accueil")
    saved = site.workspace.settings.assistants_dir / "securite-accueil.yaml"
    assert saved.read_text(encoding="utf-8") == text_of(page).input_value()
    page.reload()
    expect(page.get_by_label("Title", exact=True)).to_have_value("Sécurité & accueil")
    expect(page.get_by_text("Your unsaved changes")).to_have_count(0)


def test_the_chat_remembers_what_was_said_before(open_page: Any, site: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    asked = page.get_by_label("Question to the draft")
    for question in ("Où est le point de rassemblement ?", "Et ensuite ?"):
        asked.fill(question)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Stop")).to_be_hidden()
        expect(page.get_by_text("in all").last).to_be_visible()
    assert "Où est le point de rassemblement ?" in str(site.engine.bodies[-1])
    page.get_by_role("button", name="Begin again").click()
    expect(page.get_by_role("log")).not_to_contain_text("Et ensuite ?")


def test_form_and_text_are_the_same(open_page: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    page.get_by_role("heading", name="Finer settings").click()
    page.get_by_label("Passages read for a question").fill("12")
    page.get_by_label("Say when the documents do not hold the answer").uncheck()
    page.get_by_role("button", name="Add an example").click()
    page.keyboard.type("Qui ?")
    page.get_by_label(re.compile("Example 1.*Answer")).fill("Nous.")
    says(page, passages=12, abstain=False, examples=[{"question": "Qui ?", "answer": "Nous."}])

    values = yaml.safe_load(text_of(page).input_value())
    values |= {
        "title": "Autre",
        "temperature": 0.7,
        "first_questions": ["Un ?", "Deux ?"],
        "collections": ["ailleurs"],
    }
    del values["passages"]
    text_of(page).fill(yaml.safe_dump(values, allow_unicode=True))
    expect(page.get_by_label("Title", exact=True)).to_have_value("Autre")
    expect(page.get_by_role("heading", level=1)).to_have_text("Autre")
    expect(page.get_by_label("Temperature")).to_have_value("0.7")
    expect(page.get_by_label("Passages read for a question")).to_have_value(re.compile("^8?$"))
    expect(page.get_by_label("Question 2", exact=True)).to_have_value("Deux ?")
    expect(page.get_by_label("clinique")).not_to_be_checked()
    expect(page.get_by_label("ailleurs")).to_be_checked()
    expect(page.locator("[data-field=collections]")).to_contain_text("There is no collection ailleurs")


def test_guards_and_contact_are_the_same_in_form_text_and_try(
    open_page: Any, site: Any, violations: Any
) -> None:
    page = ready(open_page("/assistants/clinique"))
    guards = page.locator("fieldset[data-field=guards]")
    page.get_by_label("How to reach a person").fill("Mme Roy, au 12.")
    expect(guards.get_by_role("switch", name="What goes out")).not_to_be_checked()  # as the test's file says
    guards.get_by_role("switch", name="Distress").uncheck()
    guards.get_by_label("What no passage supports").select_option("strict")
    says(page, contact="Mme Roy, au 12.", guards={"output": False, "crisis": False})
    guards.get_by_role("switch", name="What goes out").check()
    guards.get_by_role("switch", name="Distress").check()
    says(page, guards=None)

    asked = page.get_by_label("Question to the draft")
    asked.fill("Je veux parler à une personne.")
    page.keyboard.press("Enter")
    log = page.get_by_role("log")
    expect(log).to_contain_text("Mme Roy, au 12.")
    expect(log.locator(".author-mark summary")).to_contain_text("Answered by the product, without the model")
    assert site.engine.bodies == []

    values = yaml.safe_load(text_of(page).input_value())
    text_of(page).fill(yaml.safe_dump({**values, "guards": {"identity": False}}, allow_unicode=True))
    expect(guards.get_by_role("switch", name="Who answers")).not_to_be_checked()
    expect(guards.get_by_role("switch", name="Orders in questions")).to_be_checked()
    text_of(page).fill(yaml.safe_dump({**values, "guards": {"identity": "oui"}}, allow_unicode=True))
    expect(page.locator("[data-field='guards.identity'] .field-error")).to_contain_text("true or false")
    assert violations(page) == []


def test_the_quality_that_is_accepted(open_page: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    page.get_by_role("heading", name="Finer settings").click()
    page.get_by_label("Correct answers").fill("55")
    says(page, quality={"Q1": 0.7, "Q2": 0.55, "Q4": 0.6, "Q5": 0.4})
    page.get_by_label("Right source cited").fill("12")
    expect(page.locator("[data-field='quality.Q3'] .field-error")).to_contain_text("a share from 0.3 to 1")
    page.get_by_label("Right source cited").fill("")
    values = yaml.safe_load(text_of(page).input_value())
    text_of(page).fill(yaml.safe_dump({**values, "quality": {"Q4": 0.625}}, allow_unicode=True))
    expect(page.get_by_label("Says when it does not know")).to_have_value("62.5")
    expect(page.get_by_label("Correct answers")).to_have_value("")
    expect(page.get_by_label("Correct answers")).to_have_attribute("placeholder", "70 % proposed")


def test_lists_are_put_in_order_by_keyboard(open_page: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    before = yaml.safe_load(text_of(page).input_value())["first_questions"]
    first = page.get_by_label("Question 1", exact=True)
    text = first.input_value()
    first.focus()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.get_by_label("Question 2", exact=True)).to_have_value(text)
    expect(page.get_by_label("Question 2", exact=True)).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("Une de plus ?")
    says(page, first_questions=[before[1], before[0], "Une de plus ?", *before[2:]])
    page.get_by_role("button", name="Remove — Question 3".replace(" —", "\u00a0—")).click()
    expect(page.get_by_label("Question 3", exact=True)).to_be_focused()


def test_a_fault_stands_by_the_field_and_by_the_line(open_page: Any, watch: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    page.get_by_role("heading", name="Finer settings").click()
    field = page.get_by_label("Passages read for a question")
    field.fill("99")
    expect(page.locator("[data-field=passages] .field-error")).to_contain_text("1 to 30")
    expect(field).to_have_attribute("aria-invalid", "true")
    fault = page.get_by_role("button", name=re.compile(r"Line \d+.*passages is 99", re.IGNORECASE))
    line = int(re.search(r"Line\s(\d+)", fault.inner_text())[1])  # type: ignore[index]
    assert text_of(page).input_value().split("\n")[line - 1] == "passages: 99"
    page.keyboard.press("Control+s")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(field).to_be_focused()

    field.fill("9")
    expect(page.locator("[data-field=passages] .field-error")).to_have_count(0)
    expect(page.locator(".yaml-fault")).to_have_count(0)


def test_a_text_with_a_fault_makes_the_form_wait(open_page: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    title = page.get_by_label("Title", exact=True).input_value()
    text_of(page).fill("title: [Ouvert\n")
    expect(page.get_by_label("Title", exact=True)).to_be_disabled()
    expect(page.get_by_text("The text has a fault")).to_be_visible()
    page.get_by_role("button", name="Go back to the form").click()
    expect(page.get_by_label("Title", exact=True)).to_be_enabled()
    says(page, title=title)


def test_faults_of_list_entries_stand_by_their_row(open_page: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    page.get_by_role("button", name="Add an example").click()
    page.keyboard.type("Une question sans réponse")
    answer = page.get_by_label(re.compile("Example 1.*Answer"))
    expect(answer).to_have_attribute("aria-invalid", "true")
    answer.fill("La voici.")
    expect(answer).to_have_attribute("aria-invalid", "false")


def test_remarks_that_the_form_drops_can_be_brought_back(open_page: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    before = text_of(page).input_value()
    assert before.startswith("# ")
    page.get_by_label("Description").fill("Autre chose")
    expect(page.get_by_text("The form has no place for the remarks")).to_be_visible()
    says(page, description="Autre chose")
    assert "#" not in text_of(page).input_value().split("\n")[0]
    page.get_by_role("button", name="Take the form’s changes back").click()
    expect(text_of(page)).to_have_value(before)
    expect(page.get_by_text("The form has no place")).to_have_count(0)
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()


def test_changes_survive_a_reload_and_can_be_thrown_away(open_page: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    warned: list[str] = []
    page.on("dialog", lambda dialog: (warned.append(dialog.type), dialog.accept()))
    title = page.get_by_label("Title", exact=True).input_value()
    page.get_by_label("Title", exact=True).fill("Pas encore enregistré")
    expect(page.get_by_text("Unsaved changes", exact=True)).to_be_visible()
    page.reload()
    assert warned == ["beforeunload"]
    expect(page.get_by_label("Title", exact=True)).to_have_value("Pas encore enregistré")
    expect(page.get_by_text("are here again")).to_be_visible()
    page.get_by_role("button", name="Throw them away").click()
    page.get_by_role("button", name="Throw away", exact=True).click()
    expect(page.get_by_label("Title", exact=True)).to_have_value(title)
    page.reload()
    expect(page.get_by_label("Title", exact=True)).to_have_value(title)
    assert warned == ["beforeunload"], "there is nothing to warn of any more"


def test_history_shows_what_changed_and_restores(open_page: Any, site: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    first = text_of(page).input_value()
    page.get_by_label("Description").fill("Seconde description")
    save(page, "Description plus courte")
    page.get_by_role("button", name="History").click()
    dialog = page.get_by_role("dialog")
    newest = dialog.get_by_role("button", name=re.compile("Version 2"))
    expect(newest).to_contain_text("Description plus courte")
    added = dialog.locator(".diff-added").filter(has_text="Seconde description")
    expect(added).to_have_count(1)
    expect(added).to_contain_text("+")
    expect(added.locator(".visually-hidden")).to_have_text("added")
    expect(dialog.locator(".diff-removed").filter(has_text="Répond aux questions")).to_contain_text("−")
    expect(dialog.get_by_role("button", name="Restore this version")).to_be_disabled()
    newest.focus()
    page.keyboard.press("ArrowDown")
    dialog.get_by_role("button", name="Difference to now").click()
    expect(dialog.locator(".diff-added").filter(has_text="Seconde description")).to_have_count(1)
    dialog.get_by_role("button", name="Restore this version").click()
    expect(page.locator(".toast", has_text="Version 1 is the newest again, as version 3.")).to_be_visible()
    expect(text_of(page)).to_have_value(first)
    saved = site.workspace.settings.assistants_dir / "clinique.yaml"
    assert saved.read_text(encoding="utf-8") == first


@pytest.mark.parametrize("choice", ["Keep mine", "Take theirs", "Go on editing"])
def test_two_tabs_that_save_are_told_of_each_other(
    open_page: Any, site: Any, watch: Any, choice: str
) -> None:
    watch.allowed.append("409")
    mine = ready(open_page("/assistants/clinique"))
    theirs = ready(open_page("/assistants/clinique"))
    theirs.get_by_label("Title", exact=True).fill("Leur titre")
    save(theirs, "la leur")
    mine.get_by_label("Title", exact=True).fill("Mon titre")
    mine.keyboard.press("Control+s")
    expect(mine.get_by_label("What changed?")).to_be_focused()
    mine.keyboard.press("Enter")
    dialog = mine.get_by_role("dialog", name="Somebody saved version 2 meanwhile")
    expect(dialog).to_contain_text("la leur")
    expect(dialog.locator(".diff-removed")).to_contain_text("Leur titre")
    expect(dialog.locator(".diff-added")).to_contain_text("Mon titre")
    dialog.get_by_role("button", name=choice).click()
    wanted = {"Keep mine": "Mon titre", "Take theirs": "Leur titre", "Go on editing": "Leur titre"}[choice]
    if choice == "Keep mine":
        expect(mine.locator(".toast", has_text="Version 3 is saved.")).to_be_visible()
    shown = "Leur titre" if choice == "Take theirs" else "Mon titre"
    expect(mine.get_by_label("Title", exact=True)).to_have_value(shown)
    text = (site.workspace.settings.assistants_dir / "clinique.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["title"] == wanted


def test_another_tab_of_the_same_browser_follows(open_page: Any, watch: Any) -> None:
    page = ready(open_page("/assistants/clinique"))
    other = page.context.new_page()
    watch.over(other)
    other.goto(page.url)
    ready(other)
    page.get_by_label("Description").fill("Nouvelle")
    save(page)
    expect(other.get_by_label("Description")).to_have_value("Nouvelle")


def test_a_taken_name_is_said_by_the_field(open_page: Any, watch: Any) -> None:
    watch.allowed.append("409")
    page = ready(open_page("/assistants/new"))
    page.get_by_label("Title", exact=True).fill("Clinique")
    says(page, name="clinique")
    page.keyboard.press("Control+s")
    expect(page.get_by_label("What changed?")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("[data-field=name] .field-error")).to_contain_text("Choose another name")


def test_a_new_one_is_not_blamed_before_it_is_written(open_page: Any) -> None:
    page = ready(open_page("/assistants/new"))
    page.get_by_label("Instructions", exact=True).fill("Réponds.")
    says(page, instructions="Réponds.")
    expect(page.locator(".field-error:visible, .yaml-fault")).to_have_count(0)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Title", exact=True)).to_be_focused()
    expect(page.locator("[data-field=title] .field-error")).to_be_visible()


def test_a_picture_is_shown_and_taken_away(open_page: Any, site: Any, tmp_path: Any) -> None:
    from PIL import Image

    path = tmp_path / "face.png"
    Image.new("RGB", (300, 200), (200, 30, 30)).save(path)
    page = ready(open_page("/assistants/clinique"))
    page.locator("input[type=file]").set_input_files(path)
    face = page.locator(".picture-face img")
    expect(face).to_have_attribute("src", re.compile("/picture"))
    page.wait_for_function("() => document.querySelector('.picture-face img').naturalWidth === 256")
    page.get_by_role("button", name="Remove the picture").click()
    expect(face).to_have_count(0)
    expect(page.locator(".picture-face")).to_have_text("AC")
    path.write_bytes(b"no picture at all")
    page.locator("input[type=file]").set_input_files(
        {"name": "x.txt", "mimeType": "text/plain", "buffer": b"x"}
    )
    expect(page.locator(".toast", has_text="A picture is a PNG, JPEG or WebP file")).to_be_visible()


def test_an_assistant_can_be_built_by_keyboard_alone(open_page: Any, site: Any) -> None:
    page = ready(open_page("/assistants/new"))

    def reach(name: str) -> None:
        for _ in range(80):
            found = page.evaluate(
                "() => document.activeElement?.labels?.[0]?.textContent ?? document.activeElement?.textContent"
            )
            if (found or "").strip() == name:
                return
            page.keyboard.press("Tab")
        raise AssertionError(f"{name} cannot be reached")

    reach("Title")
    page.keyboard.type("Au clavier")
    reach("Instructions")
    page.keyboard.type("Sois bref.")
    says(page, instructions="Sois bref.", name="au-clavier")
    page.keyboard.press("Control+s")
    expect(page.get_by_label("What changed?")).to_be_focused()
    page.keyboard.type("sans souris")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/assistants/au-clavier")
    assert (site.workspace.settings.assistants_dir / "au-clavier.yaml").exists()


def test_on_a_phone_the_parts_are_tabs(open_page: Any) -> None:
    page = open_page("/assistants/clinique", width=360, height=740, language="fr")
    expect(page.get_by_label("Titre", exact=True)).to_be_visible()
    expect(text_of(page)).to_be_hidden()
    page.get_by_role("tab", name="Formulaire").press("ArrowRight")
    expect(text_of(page)).to_be_visible()
    page.get_by_role("tab", name="Essayer").click()
    expect(page.get_by_label("Question au brouillon")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize(
    ("theme", "language", "width"), [("light", "fr", 1440), ("dark", "en", 1440), ("dark", "fr", 360)]
)
def test_the_page_is_accessible(
    open_page: Any, violations: Any, theme: str, language: str, width: int
) -> None:
    page = open_page("/assistants/clinique", theme=theme, language=language, width=width)
    title = page.get_by_label("Titre" if language == "fr" else "Title", exact=True)
    title.fill("")
    expect(page.locator("[data-field=title] .field-error")).to_be_visible()
    page.locator(".builder-more > summary").click()
    assert violations(page) == []
    title.fill("Avec un titre")
    expect(page.locator("[data-field=title] .field-error")).to_have_count(0)
    page.keyboard.press("Control+s")
    page.locator("dialog summary").click()
    assert violations(page) == []


def test_what_an_assistant_says_of_itself_runs_nothing(open_page: Any, site: Any) -> None:
    evil = "<img src=x onerror=\"document.title='run'\">"
    (site.workspace.settings.assistants_dir / "evil.yaml").write_text(
        yaml.safe_dump({"title": evil, "description": evil, "first_questions": [evil]}), encoding="utf-8"
    )
    page = open_page("/assistants")
    expect(page.get_by_role("heading", name=evil)).to_be_visible()
    page = open_page("/assistants/evil")
    expect(page.get_by_role("heading", level=1)).to_have_text(evil)
    page = open_page("/assistants/evil/compare")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.title() != "run"
