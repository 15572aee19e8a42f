"""The frame of every page in a real browser: signing in, themes, languages, keys, drawer, accessibility, weight."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

BOTH = [(theme, language) for theme in ("light", "dark") for language in ("en", "fr")]
LIMIT_BYTES = 200_000
"""Of everything that the first page loads, as it goes over the wire."""
LIMIT_ANSWERS = 56
"""How many of them."""

OpenPage = Callable[..., Page]


def test_signing_in_leads_where_one_wanted_to_go(open_page: OpenPage, site: Any) -> None:
    page = open_page("/documents", signed_in=False)
    expect(page).to_have_url(re.compile(r"/sign-in\?next=/documents$"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    expect(page.get_by_text("etabli sign-in")).to_be_visible()
    page.goto(site.link("/documents"))
    expect(page).to_have_url(site.url + "/documents")
    cookie = page.context.cookies()[0]
    assert cookie["name"].startswith("etabli_session_")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert page.evaluate("document.cookie") == ""


def test_a_link_works_once(open_page: OpenPage, site: Any, watch: Any) -> None:
    watch.allowed.append("403")
    link = site.link()
    open_page().goto(link)
    page = open_page("/sign-in", signed_in=False)
    page.goto(link)
    expect(page.get_by_text("This link was used already")).to_be_visible()


def test_signing_out_reaches_every_tab(page: Page) -> None:
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("button", name="Settings")).to_be_visible()
    page.evaluate("localStorage.setItem('etabli.draft', '1')")
    page.get_by_role("button", name="Settings").click()
    page.get_by_role("menuitem", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))
    expect(other).to_have_url(re.compile("/sign-in$"))
    assert page.evaluate("localStorage.length + sessionStorage.length") == 0


def test_a_session_that_ended_leads_to_sign_in(page: Page, site: Any, watch: Any) -> None:
    watch.allowed.append("401")
    page.wait_for_load_state("networkidle")
    with site.workspace.database.owner() as connection:
        connection.execute("DELETE FROM session")
    page.get_by_role("searchbox", name="Search conversations").fill("congés")
    expect(page).to_have_url(re.compile(r"/sign-in\?next=%2F$"))


def test_the_policy_holds(page: Page, watch: Any) -> None:
    """An inline script that got into the page would not run, nor a style, nor a picture from elsewhere."""
    watch.allowed.append("Content Security Policy")
    assert page.evaluate(
        """async () => {
          const refused = [];
          addEventListener("securitypolicyviolation", (event) => refused.push(event.effectiveDirective));
          const script = document.createElement("script");
          script.textContent = "window.executed = true";
          const style = document.createElement("style");
          style.textContent = "body { --executed: 1 }";
          const picture = document.createElement("img");
          picture.src = "https://elsewhere.invalid/x.png";
          document.body.append(script, style, picture);
          await new Promise((resolve) => setTimeout(resolve, 200));
          return [window.executed ?? null, refused.sort()];
        }"""
    ) == [None, ["img-src", "script-src-elem", "style-src-elem"]]
    watch.faults = [fault for fault in watch.faults if "elsewhere.invalid" not in fault]


def test_the_theme_is_kept_and_followed_by_other_tabs(open_page: OpenPage, site: Any) -> None:
    page = open_page()
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    assert page.evaluate(paper) == "rgb(250, 249, 246)"
    other = page.context.new_page()
    other.goto(site.url + "/models")
    expect(other.get_by_role("button", name="Settings")).to_be_visible()
    page.bring_to_front()
    page.get_by_role("button", name="Settings").click()
    with page.expect_response("**/v1/etabli/me"):
        page.get_by_role("menuitemradio", name="Dark").click()
    expect(page.locator("html")).to_have_css("background-color", "rgb(21, 24, 26)")
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    assert page.evaluate(paper) == "rgb(21, 24, 26)"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_systems_theme_is_followed_until_one_is_chosen(open_page: OpenPage, theme: str) -> None:
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    wanted = {"light": "rgb(250, 249, 246)", "dark": "rgb(21, 24, 26)"}
    assert open_page(theme=theme).evaluate(paper) == wanted[theme]


def test_the_language_is_the_browsers_until_one_is_chosen(open_page: OpenPage) -> None:
    page = open_page(language="fr")
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.get_by_role("link", name="Nouvelle discussion")).to_be_visible()
    page.get_by_role("button", name="Réglages").click()
    page.get_by_role("menuitemradio", name="English").click()
    expect(page.get_by_role("link", name="New conversation")).to_be_visible()
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_the_menu_by_keyboard(page: Page) -> None:
    settings = page.get_by_role("button", name="Settings")
    settings.focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("menuitemradio", name="As the system")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("menuitem", name="Sign out")).to_be_focused()
    page.keyboard.press("l")
    expect(page.get_by_role("menuitemradio", name="Light")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(settings).to_be_focused()
    expect(settings).to_have_attribute("aria-expanded", "false")


def test_the_palette_by_keyboard(page: Page, site: Any) -> None:
    page.get_by_role("button", name="Settings").focus()
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Search and commands")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(field).to_have_count(0)
    expect(page.get_by_role("button", name="Settings")).to_be_focused()
    page.keyboard.press("Control+k")
    page.keyboard.type("mod")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Models")
    page.keyboard.press("Enter")
    expect(page).to_have_url(site.url + "/models")


def test_the_palette_finds_without_accents_and_says_when_nothing_is_found(open_page: OpenPage) -> None:
    page = open_page(language="fr")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("theme SOM")
    expect(page.get_by_role("option")).to_have_count(1)
    expect(page.get_by_role("option")).to_contain_text("Thème sombre")
    page.keyboard.type("zzz")
    expect(page.get_by_role("option")).to_have_text("Aucun résultat.")


def test_the_keys_are_shown(page: Page) -> None:
    page.locator("#main").focus()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_contain_text("New conversation")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)


def test_keys_go_to_pages_but_not_while_typing(page: Page, site: Any) -> None:
    field = page.get_by_role("searchbox", name="Search conversations")
    page.locator("#main").focus()
    page.keyboard.press("s")
    expect(field).to_be_focused()
    page.keyboard.type("g d?")
    expect(field).to_have_value("g d?")
    expect(page).to_have_url(site.url + "/")
    page.locator("#main").focus()
    page.keyboard.press("g")
    page.keyboard.press("a")
    expect(page).to_have_url(site.url + "/assistants")


def test_the_sidebar_is_closed_and_stays_so(page: Page) -> None:
    page.get_by_role("button", name="Close the sidebar").click()
    toggle = page.get_by_role("button", name="Open the sidebar")
    expect(toggle).to_be_focused()
    expect(page.get_by_role("navigation")).to_be_hidden()
    page.reload()
    expect(page.get_by_role("navigation")).to_be_hidden()
    page.keyboard.press("Control+b")
    expect(page.get_by_role("navigation")).to_be_visible()


def test_the_sidebar_is_a_drawer_on_a_phone(open_page: OpenPage) -> None:
    page = open_page("/models", width=360, height=740)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    sidebar = page.get_by_role("navigation")
    expect(sidebar).to_be_hidden()
    toggle = page.get_by_role("button", name="Open the sidebar")
    toggle.click()
    expect(sidebar).to_be_visible()
    expect(page.get_by_role("button", name="Close the sidebar")).to_be_focused()
    assert page.evaluate("document.getElementById('main').inert")
    page.keyboard.press("Escape")
    expect(sidebar).to_be_hidden()
    expect(toggle).to_be_focused()
    toggle.click()
    page.mouse.click(350, 400)
    expect(sidebar).to_be_hidden()
    assert not page.evaluate("document.getElementById('main').inert")


def test_the_first_stop_of_the_tab_key_goes_to_the_content(open_page: OpenPage) -> None:
    page = open_page("/models")
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="Go to the content")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


@pytest.mark.parametrize(("theme", "language"), BOTH)
def test_axe_finds_nothing(
    open_page: OpenPage, violations: Callable[[Page], list[str]], watch: Any, theme: str, language: str
) -> None:
    watch.allowed.append("404")
    page = open_page(theme=theme, language=language)
    expect(page.get_by_role("navigation")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Settings" if language == "en" else "Réglages").click()
    assert violations(page) == [], "the menu"
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()
    assert violations(page) == [], "the palette"
    page.keyboard.press("Escape")
    page.locator("#main").focus()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert violations(page) == [], "the keys"
    page.goto(page.url + "nothing")
    assert violations(page) == [], "the error page"
    page.context.clear_cookies()
    page.goto(page.url.replace("nothing", "sign-in"))
    assert violations(page) == [], "the sign-in page"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_axe_finds_nothing_in_the_drawer(
    open_page: OpenPage, violations: Callable[[Page], list[str]], language: str
) -> None:
    page = open_page(language=language, width=360, height=740)
    page.locator("#sidebar-toggle").click()
    expect(page.get_by_role("navigation")).to_be_visible()
    assert violations(page) == []


def test_the_first_page_is_light(open_page: OpenPage, site: Any, watch: Any) -> None:
    """Cold, with everything that its modules load."""
    watch.allowed.append("404")
    page = open_page("/nothing", language="fr")  # signed in, and nothing of the chat is loaded
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Network.setCacheDisabled", {"cacheDisabled": True})
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(int(event["encodedDataLength"])))
    page.goto(site.url + "/")
    page.wait_for_load_state("networkidle")
    assert 10 < len(sizes) <= LIMIT_ANSWERS and sum(sizes) <= LIMIT_BYTES, (
        f"{sum(sizes)} bytes in {len(sizes)} answers"
    )
