"""The chat in a real browser: asking, streams, sources, branches, drafts, errors."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.web.chat_page import QUESTION, Chat, until
from tests.web.injection_payloads import HTML
from tests.web.injection_payloads import MARKDOWN as TRAPS

from etabli.assistants.prompting import ABSENT
from etabli.engines.fake import Failure

pytestmark = pytest.mark.browser

OpenPage = Callable[..., Page]
LONG = (
    "Le point de rassemblement est le parking du personnel. " + " ".join(f"mot{n}" for n in range(400)) + "."
)
MARKDOWN = """## Que faire

1. Donner l’**alerte**.
2. Fermer les portes.

| Rôle | Place |
|:--|--:|
| Guide | tête<br>puis file |

```python
def fuir(zone: str) -> bool:
    return zone == "A"
```

Le débit vaut $\\frac{V}{t} \\leq \\sqrt{2\\pi}$, pour 5 $ et 10 $. Voir [le plan](https://example.org/plan?a=1).

- [x] fait
- [ ] à faire
"""


@pytest.fixture
def chat(page: Page) -> Chat:
    return Chat(page)


def follow_up(site: Any, question: str, answer: str, *, delay_s: float) -> None:
    """Script a question that depends on what was said: the engine first puts it so that it stands alone."""
    site.engine.replies = [""] * len(site.engine.bodies) + [question, answer]
    site.engine.delay_s = delay_s


def test_a_cited_answer(chat: Chat, site: Any) -> None:
    page = chat.page
    expect(page.get_by_role("heading", name="Assistant de la Clinique des Tilleuls")).to_be_visible()
    expect(page.locator(".first-question")).to_have_count(4)
    site.engine.delay_s = 0.05
    chat.write()
    expect(chat.line).to_have_text(re.compile("searching|[Rr]eading|writing"))
    expect(page).to_have_url(re.compile(r"/c/conv_\w+$"))
    chat.done()
    expect(chat.line).to_have_text(re.compile(r"^Answered in .+ from 1 source$"))
    expect(chat.answer).to_contain_text("parking du personnel")
    chip = chat.answer.locator(".cite").first
    expect(chip).to_have_attribute("data-status", re.compile("verified|weak|unsupported"))
    expect(chip).to_have_accessible_name(re.compile(r"^Source 1, .+\. (In|Close to|Not in) the source\.$"))
    assert chip.locator(".cite-mark").count() == 1  # a sign, not only a colour
    chip.hover()
    expect(page.get_by_role("tooltip")).to_contain_text(re.compile(r"p\. \d"))
    expect(page.get_by_role("tooltip").locator(".cite-quote")).not_to_be_empty()
    expect(page.get_by_role("tooltip").locator(".cite-meaning")).to_have_text(re.compile("passage"))
    expect(page.get_by_role("navigation").get_by_role("link", name=QUESTION)).to_be_visible()
    assert page.title() == f"{QUESTION} · Établi"
    page.reload()
    expect(chat.answer.locator(".cite").first).to_have_attribute("data-status", re.compile("verified|weak"))
    expect(chat.line).to_have_text(re.compile(r"^Answered in .+ from 1 source$"))


def test_a_source_opens_beside_the_chat(chat: Chat) -> None:
    chat.page.evaluate(
        "document.addEventListener('etabli:open-source', (event) => { window.place = event.detail; })"
    )
    chat.ask()
    chat.answer.locator(".cite").first.click()
    expect(chat.page.locator("#panel")).to_be_visible()
    place = chat.page.evaluate("window.place")
    assert place["document_id"] and place["version_id"] and place["char_end"] > place["char_start"]
    assert place["url"].startswith(f"/documents/{place['document_id']}/versions/{place['version_id']}")
    chat.page.keyboard.press("Escape")
    expect(chat.page.locator("#panel")).to_be_hidden()
    chat.page.locator(".cited-row").first.click()
    expect(chat.page.locator("#panel")).to_be_visible()


def test_a_first_question_is_asked_by_a_press(chat: Chat) -> None:
    button = chat.page.locator(".first-question").nth(2)
    text = button.inner_text()
    button.click()
    chat.done()
    assert chat.questions == [text]


def test_markdown_is_drawn(chat: Chat, site: Any) -> None:
    site.engine.replies = [MARKDOWN]
    with site.workspace.database.owner() as connection:
        connection.execute("UPDATE document SET removed_at = now()")
    chat.ask("Montre-moi du Markdown")
    text = chat.answer
    expect(text.get_by_role("heading", level=3, name="Que faire")).to_be_visible()
    expect(text.locator("ol > li")).to_have_count(2)
    expect(text.locator("strong").first).to_have_text("alerte")
    expect(text.locator("tbody td").nth(1)).to_have_css("text-align", "end")
    expect(text.locator("tbody td br")).to_have_count(1)
    expect(text.locator("code .code-keyword").first).to_have_text("def")
    expect(text.locator(".math").first).to_have_attribute("title", r"\frac{V}{t} \leq \sqrt{2\pi}")
    assert text.locator(".math").count() == 1  # prices are no formulas
    expect(text.get_by_role("checkbox").first).to_be_checked()
    text.locator("figure.code").hover()
    text.get_by_role("button", name="Copy").click()
    expect(text.get_by_role("button", name="Copied")).to_be_visible()


def test_a_link_asks_before_it_is_opened(chat: Chat, site: Any) -> None:
    site.engine.replies = [MARKDOWN]
    chat.ask()
    link = chat.answer.get_by_role("link", name="le plan")
    assert link.get_attribute("href") is None
    link.focus()
    chat.page.keyboard.press("Enter")
    dialog = chat.page.get_by_role("alertdialog")
    expect(dialog).to_contain_text("https://example.org/plan?a=1")
    dialog.get_by_role("button", name="Cancel").click()
    assert len(chat.page.context.pages) == 1


def test_stop_keeps_what_was_written(chat: Chat, site: Any) -> None:
    site.engine.replies, site.engine.delay_s = [LONG], 0.05
    chat.write()
    expect(chat.answer).to_contain_text("mot3")
    chat.page.keyboard.press("Escape")
    chat.done()
    expect(chat.line).to_have_text(re.compile("^Stopped after"))
    kept = chat.answer.inner_text()
    assert "mot3" in kept and "mot399" not in kept
    chat.page.reload()
    expect(chat.answer).to_contain_text("mot3")
    expect(chat.line).to_have_text(re.compile("^Stopped after"))


def test_answering_again_keeps_both(chat: Chat, site: Any) -> None:
    site.engine.replies = ["Première réponse.", "Seconde réponse."]
    chat.ask()
    chat.button("Answer again").click()
    expect(chat.answer).to_contain_text("Seconde réponse")
    chat.done()
    count = chat.page.locator(".siblings .numbers")
    expect(count).to_have_text("2/2")
    chat.button("Version before").click()
    expect(chat.answer).to_contain_text("Première réponse")
    expect(count).to_have_text("1/2")
    chat.page.reload()
    expect(chat.answer).to_contain_text("Première réponse")


def test_a_question_is_changed_and_asked_again(chat: Chat, site: Any) -> None:
    site.engine.replies = ["A.", "B.", "C."]
    chat.ask("Un")
    chat.ask("Deux")
    turn = chat.page.locator(".turn").first
    turn.hover()
    turn.get_by_role("button", name="Change the question and ask again").click()
    field = turn.get_by_role("textbox", name="The question, changed")
    expect(chat.field).to_have_count(1)  # the composer keeps its name for itself
    expect(field).to_have_value("Un")
    field.fill("Un, autrement")
    field.press("Enter")
    expect(chat.page.locator(".turn")).to_have_count(1)
    chat.done()
    assert chat.questions == ["Un, autrement"]
    expect(chat.page.locator(".siblings .numbers")).to_have_text("2/2")
    chat.button("Version before").click()
    expect(chat.page.locator(".bubble")).to_have_text(["Un", "Deux"])


def test_a_draft_survives_a_reload(chat: Chat) -> None:
    chat.field.fill("À moitié écri")
    until(chat.page, "localStorage.getItem('etabli.draft.new')?.includes('moitié')")
    chat.page.reload()
    expect(chat.field).to_have_value("À moitié écri")
    chat.ask("Une question")
    chat.field.fill("La suite")
    until(chat.page, "JSON.stringify(localStorage).includes('La suite')")
    chat.page.goto("/".join(chat.page.url.split("/")[:3]) + "/")
    expect(chat.field).to_have_value("")
    chat.page.go_back()
    expect(chat.field).to_have_value("La suite")


def test_a_lost_connection_is_taken_up_again(chat: Chat, site: Any) -> None:
    site.engine.replies, site.engine.delay_s = [LONG], 0.01
    broken = []

    def cut(route: Any) -> None:
        # The first stream ends in the middle; the server goes on.
        if route.request.method == "POST" and not broken:
            broken.append(True)
            answer = route.fetch()
            text = answer.text()
            route.fulfill(status=200, headers=answer.headers, body=text[: len(text) // 2])
        else:
            route.continue_()

    chat.page.route("**/v1/responses", cut)
    chat.write()
    chat.done()
    expect(chat.answer).to_contain_text("mot399")
    words = re.findall(r"mot\d+", chat.answer.inner_text())
    assert words == [f"mot{n}" for n in range(400)]


def test_without_network_the_answer_goes_on(chat: Chat, site: Any, watch: Any) -> None:
    watch.allowed += ["ERR_INTERNET_DISCONNECTED", "Failed to load resource", "ERR_NETWORK"]
    site.engine.replies, site.engine.delay_s = [LONG], 0.02
    chat.write()
    expect(chat.answer).to_contain_text("mot3")
    page = chat.page
    page.context.set_offline(True)
    page.wait_for_timeout(300)
    page.context.set_offline(False)
    chat.done()
    assert re.findall(r"mot\d+", chat.answer.inner_text()) == [f"mot{n}" for n in range(400)]


def test_a_reload_joins_the_answer_in_the_making(chat: Chat, site: Any) -> None:
    site.engine.replies, site.engine.delay_s = [LONG], 0.02
    chat.write()
    expect(chat.answer).to_contain_text("mot3")
    chat.page.reload()
    expect(chat.page.get_by_role("button", name="Stop the answer")).to_be_visible()
    chat.done()
    assert re.findall(r"mot\d+", chat.answer.inner_text()) == [f"mot{n}" for n in range(400)]


def test_two_tabs_agree(chat: Chat, site: Any, watch: Any) -> None:
    chat.ask()
    other = chat.page.context.new_page()
    watch.over(other)
    other.goto(chat.page.url)
    expect(other.locator(".turn")).to_have_count(1)
    follow_up(site, "Et ensuite, où va-t-on ?", LONG, delay_s=0.02)
    chat.write("Et ensuite ?")
    expect(other.locator(".bubble")).to_have_text([QUESTION, "Et ensuite ?"])
    expect(other.locator(".turn").last.locator(".markdown")).to_contain_text("mot5")
    expect(other.get_by_role("button", name="Stop the answer")).to_be_visible()
    chat.done()
    expect(other.locator(".turn").last.locator(".markdown")).to_contain_text("mot399")


def test_not_found_says_what_to_do(chat: Chat, site: Any) -> None:
    site.engine.replies = [ABSENT]
    chat.ask("Quelle est la couleur du cheval ?")
    expect(chat.line).to_have_text(re.compile("not found$"))
    box = chat.page.locator(".not-found")
    expect(box.get_by_role("link", name="Look through the documents")).to_have_attribute(
        "href", re.compile(r"^/documents\?query=Quelle")
    )
    expect(box.get_by_role("link", name="Add documents")).to_be_visible()
    box.get_by_role("button", name="Say it otherwise").click()
    expect(chat.field).to_have_value("Quelle est la couleur du cheval ?")
    expect(chat.field).to_be_focused()


def test_an_error_of_the_engine_can_be_tried_again(chat: Chat, site: Any) -> None:
    site.engine.replies = [Failure("unavailable"), "Le parking."]
    chat.write()
    alert = chat.page.locator(".turn .banner")
    expect(alert).to_contain_text("engine")
    alert.get_by_role("button", name="Try again").click()
    chat.done()
    expect(chat.answer).to_contain_text("Le parking")
    expect(chat.page.locator(".turn")).to_have_count(1)


def test_the_server_cannot_be_reached(chat: Chat, site: Any, watch: Any) -> None:
    watch.allowed += ["ERR_INTERNET_DISCONNECTED"]
    chat.page.context.set_offline(True)
    chat.write()  # what shows answers is not there yet: the question stays where it is
    expect(chat.page.locator(".toast").last).to_contain_text("A part of the page could not be loaded.")
    expect(chat.field).to_have_value(QUESTION)
    chat.page.context.set_offline(False)
    chat.field.press("Enter")
    chat.done()
    follow_up(site, "Et ensuite ?", "Le parking du personnel [1].", delay_s=0)
    chat.page.context.set_offline(True)
    chat.write("Et ensuite ?")
    expect(chat.page.locator(".turn .banner")).to_contain_text("The connection to the server was lost.")
    chat.page.context.set_offline(False)
    chat.page.get_by_role("button", name="Try again").click()
    chat.done()
    expect(chat.answer).to_contain_text("parking")


def test_feedback(chat: Chat, site: Any) -> None:
    chat.ask()
    chat.button("Good answer").click()
    expect(chat.button("Good answer")).to_have_attribute("aria-pressed", "true")
    chat.button("Bad answer").click()
    form = chat.page.get_by_role("dialog", name="What was wrong?")
    form.get_by_text("A source does not say that").click()
    form.get_by_role("textbox").fill("Ce n’est pas la rue.")
    form.get_by_role("button", name="Send").click()
    expect(chat.page.locator(".toast").last).to_contain_text("Your remark is kept")
    with site.workspace.database.owner() as connection:
        row = connection.execute("SELECT feedback FROM turn").fetchone()
    assert row[0] == {"rating": "down", "reason": "source", "comment": "Ce n’est pas la rue."}
    chat.page.reload()
    expect(chat.button("Bad answer")).to_have_attribute("aria-pressed", "true")


def test_documents_of_a_conversation(chat: Chat, site: Any, tmp_path: Path) -> None:
    note = tmp_path / "cantine.txt"
    note.write_text(
        "La cantine ouvre à 11 h 45 et ferme à 14 h. Le menu du jour coûte 6 euros.", encoding="utf-8"
    )
    site.engine.replies = ["La cantine ouvre à 11 h 45 [1]."]
    chat.page.locator("input[type=file]").set_input_files(note)
    chip = chat.page.locator(".file-chip")
    expect(chip).to_contain_text("cantine.txt")
    expect(chip.locator(".file-state")).to_contain_text("B", timeout=90_000)  # its size: it can be searched
    expect(chat.page).to_have_url(re.compile("/c/conv_"))
    chat.page.reload()  # the draft keeps the document
    expect(chat.page.locator(".file-chip")).to_contain_text("cantine.txt")
    chat.ask("À quelle heure ouvre la cantine ?")
    expect(chat.page.locator(".attached")).to_contain_text("cantine.txt")
    expect(chat.page.locator(".cited-row").first).to_contain_text("cantine")
    expect(chat.page.locator(".file-chip")).to_have_count(0)


def test_dropped_and_refused_files(chat: Chat) -> None:
    chat.page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(["%PDF-1.7 nothing"], "contrat.pdf"));
          const page = document.getElementById("page");
          for (const type of ["dragenter", "dragover"]) {
            page.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
          }
          window.veiled = !document.querySelector(".drop-veil").hidden;
          page.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    assert chat.page.evaluate("window.veiled")
    expect(chat.page.locator(".file-chip.failed")).to_be_visible(timeout=90_000)
    chat.page.get_by_role("button", name="Remove contrat.pdf").click()
    expect(chat.page.locator(".file-chip")).to_have_count(0)


def test_title_and_menu(chat: Chat, site: Any) -> None:
    chat.ask()
    page = chat.page
    page.get_by_role("button", name=f"Rename “{QUESTION}”").click()
    page.get_by_label("Title").fill("Évacuation")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Rename “Évacuation”")).to_be_visible()
    expect(page.get_by_role("navigation").get_by_role("link", name="Évacuation")).to_be_visible()
    page.get_by_role("button", name="More about this conversation").click()
    for label in ("Markdown", "PDF", "JSON"):
        link = page.get_by_role("menuitem", name=label)
        response = page.request.get(site.url + str(link.get_attribute("href")))
        assert response.ok and "attachment" in response.headers["content-disposition"]
    page.get_by_role("menuitem", name="Delete").click()
    expect(page).to_have_url(site.url + "/")
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("navigation").get_by_role("link", name="Évacuation").click()
    expect(chat.answer).to_contain_text("parking")


def test_a_shared_conversation(
    chat: Chat, site: Any, open_page: OpenPage, watch: Any, violations: Any
) -> None:
    chat.ask()
    page = chat.page
    page.locator(".topbar").get_by_role("button", name="Share").click()
    link = page.get_by_role("textbox", name="Link").input_value()
    assert link.startswith(site.url + "/shared/")
    page.keyboard.press("Escape")
    chat.ask("Et la suite ?")
    other = open_page(link.removeprefix(site.url))
    expect(other.get_by_role("heading", level=1, name=QUESTION)).to_be_visible()
    expect(other.locator(".bubble")).to_have_text([QUESTION])
    assert other.get_by_role("button", name="Answer again").count() == 0
    assert other.get_by_role("textbox", name="Your question").count() == 0
    assert violations(other) == []
    other.locator(".cite").first.click()
    expect(other.locator("#panel")).to_be_visible()
    stranger = open_page(link.removeprefix(site.url), signed_in=False)
    expect(stranger).to_have_url(re.compile("/sign-in"))
    page.locator(".topbar").get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Stop sharing").click()
    expect(page.locator(".toast").last).to_contain_text("It is not shared any more.")
    watch.allowed.append("404")
    gone = open_page(link.removeprefix(site.url))
    expect(gone.get_by_role("heading", name="Nothing is shared here")).to_be_visible()


def test_a_conversation_that_is_not_there(open_page: OpenPage, watch: Any) -> None:
    watch.allowed.append("404")
    page = open_page("/c/conv_nowhere")
    expect(page.get_by_role("heading", name="This conversation is not there")).to_be_visible()
    page.get_by_role("link", name="New conversation").last.click()
    expect(page.get_by_role("textbox", name="Your question")).to_be_visible()


def test_keys(chat: Chat, site: Any) -> None:
    site.engine.replies = ["Un.", "B", "Deux.", "B", "Trois."]
    page = chat.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.ask("A")
    chat.ask("B")
    page.locator(".chat-scroll").focus()
    page.keyboard.press("/")
    expect(chat.field).to_be_focused()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator(".turn").nth(0)).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator(".turn").nth(1)).to_be_focused()
    page.keyboard.press("c")
    until(page, "navigator.clipboard.readText().then((text) => text.includes('Deux'))")
    page.keyboard.press("r")
    expect(chat.answer).to_contain_text("Trois")
    chat.done()
    page.keyboard.press("Control+k")
    for title in (
        "Copy the last answer",
        "Answer again",
        "Change the last question",
        "Share this conversation",
    ):
        expect(page.get_by_role("option", name=title)).to_be_attached()


def test_the_list_scrolls_only_for_whoever_follows(chat: Chat, site: Any) -> None:
    text = "\n\n".join(f"Paragraphe {n}." for n in range(120))
    site.engine.replies, site.engine.delay_s = [text], 0.03
    chat.write()
    area = chat.page.locator(".chat-scroll")
    expect(chat.answer).to_contain_text("Paragraphe 40")
    left = "(e) => e.scrollHeight - e.clientHeight - e.scrollTop"
    assert area.evaluate(left) < 60
    area.hover()
    chat.page.mouse.wheel(0, -400)
    chat.page.wait_for_timeout(200)
    top = area.evaluate("(e) => e.scrollTop")
    expect(chat.answer).to_contain_text("Paragraphe 80")
    assert abs(area.evaluate("(e) => e.scrollTop") - top) < 2
    chat.page.get_by_role("button", name="Go to the end").click()
    expect(chat.answer).to_contain_text("Paragraphe 100")
    chat.done()
    until(chat.page, f"({left})(document.querySelector('.chat-scroll')) < 4")


def test_screen_readers_hear_sentences(chat: Chat, site: Any) -> None:
    chat.page.evaluate(
        """() => {
          window.heard = [];
          const all = (change) => change.addedNodes.forEach((node) => heard.push(node.textContent));
          const hear = (changes) => changes.forEach(all);
          new MutationObserver(hear).observe(document.getElementById("live"), { childList: true });
        }"""
    )
    site.engine.replies = ["La **première** phrase est ici [1]. La seconde phrase suit. Fin sans point"]
    chat.ask()
    heard = chat.page.evaluate("window.heard")
    for sentence in ("La première phrase est ici.", "La seconde phrase suit.", "Fin sans point"):
        assert any(one.startswith(sentence) for one in heard), json.dumps(heard)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessibility(open_page: OpenPage, site: Any, violations: Any, theme: str, language: str) -> None:
    site.engine.replies = [f"Le parking du personnel [1].\n\n{MARKDOWN}"]
    page = open_page(theme=theme, language=language)
    name = {"en": "Your question", "fr": "Votre question"}[language]
    expect(page.locator(".first-question")).to_have_count(4)
    assert violations(page) == []
    page.get_by_role("textbox", name=name).fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.locator(".answer-actions")).to_be_visible()
    said = {"en": "Answered in", "fr": "Répondu en"}[language]
    expect(page.locator(".thinking-text")).to_contain_text(said)
    expect(page.locator(".cite[data-status]").first).to_be_visible()
    expect(page.locator("code .code-keyword").first).to_be_visible()
    assert violations(page) == []
    page.locator(".trace-button").click()
    expect(page.locator(".times")).to_be_visible()
    assert violations(page) == []


def test_an_answer_full_of_traps(chat: Chat, site: Any, watch: Any) -> None:
    """Over the whole way, with the policy: nothing runs, nothing is asked for, and nothing even tries to."""
    texts = [text for text in [*HTML, *TRAPS] if len(text) < 500]
    site.engine.replies = ["Voici [1].\n\n" + "\n\n".join(texts)]
    chat.ask("<img src=x onerror=window.__ran=1> **Où** ?")
    assert chat.page.evaluate("window.__ran ?? 0") == 0
    assert chat.questions == ["<img src=x onerror=window.__ran=1> **Où** ?"]
    inside = chat.answer.locator("script, iframe, img, svg:not(.icon):not(.cite-mark), style, link, form, a")
    assert inside.count() == 0
    chat.page.reload()
    chat.done()
    assert chat.page.evaluate("window.__ran ?? 0") == 0
    watch.check()
