"""Signing in by a link, staying signed in by a cookie, and who may use that cookie."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from server_parts import BEARER, KEY, make_services
from starlette.testclient import TestClient

from etabli.identity.accounts import OWNER_ID
from etabli.identity.sessions import Sessions
from etabli.server.app import create_app
from etabli.server.auth import SessionCookie
from etabli.storage.database import EVERYONE, Database

COOKIE = SessionCookie.of(KEY).name
HTML = {"accept": "text/html,*/*;q=0.8"}
OURS = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def client(tmp_path: Path, database: Database) -> Iterator[TestClient]:
    """A browser that is not signed in."""
    app = create_app(make_services(tmp_path, database=database))
    with TestClient(app, follow_redirects=False, base_url="http://chat.test") as one:
        yield one


@pytest.fixture
def link(database: Database) -> Callable[[], str]:
    return lambda: Sessions(database).make_link(OWNER_ID)


@pytest.fixture
def browser(client: TestClient, link: Callable[[], str]) -> TestClient:
    """A browser that is signed in."""
    assert client.get(f"/sign-in?link={link()}").status_code == 303
    return client


def test_a_page_leads_to_sign_in_and_back(client: TestClient, link: Callable[[], str]) -> None:
    led = client.get("/documents?query=a%20b", headers=HTML)
    assert led.status_code == 303
    assert led.headers["location"] == "/sign-in?next=/documents%3Fquery%3Da%2520b"
    back = client.get(f"{led.headers['location']}&link={link()}", headers=HTML)
    assert (back.status_code, back.headers["location"]) == (303, "/documents?query=a%20b")
    cookie = back.headers["set-cookie"]
    assert re.match(
        r"etabli_session_[0-9a-f]{8}=[\w-]{43}; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax$", cookie
    )
    assert client.get("/documents", headers=HTML).status_code == 200


def test_the_cookie_is_secure_over_https(client: TestClient, link: Callable[[], str]) -> None:
    client.base_url = "https://chat.test"  # type: ignore[assignment]
    assert "Secure" in client.get(f"/sign-in?link={link()}").headers["set-cookie"]


@pytest.mark.parametrize(
    "next", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:alert(1)", "/%09/evil", "x"]
)
def test_nobody_is_led_elsewhere(client: TestClient, link: Callable[[], str], next: str) -> None:
    assert client.get(f"/sign-in?link={link()}&next={next}").headers["location"] == "/"


def test_a_used_link_says_so_unless_one_is_signed_in(client: TestClient, link: Callable[[], str]) -> None:
    used = link()
    assert client.get(f"/sign-in?link={used}").status_code == 303
    assert client.get(f"/sign-in?link={used}").headers["location"] == "/"
    client.cookies.clear()
    again = client.get(f"/sign-in?link={used}")
    assert again.status_code == 403 and "used already" in again.text and used not in again.text
    assert "set-cookie" not in again.headers


def test_a_guess_of_the_browser_does_not_use_a_link_up(client: TestClient, link: Callable[[], str]) -> None:
    one = link()
    assert (
        client.get(f"/sign-in?link={one}", headers={"sec-purpose": "prefetch;prerender"}).status_code == 204
    )
    assert client.get(f"/sign-in?link={one}").status_code == 303


def test_the_sign_in_page_is_open_and_says_how(client: TestClient) -> None:
    page = client.get("/sign-in", headers={"accept-language": "fr"})
    assert page.status_code == 200 and "etabli sign-in" in page.text and 'lang="fr"' in page.text


def test_programs_get_401_and_their_json(client: TestClient) -> None:
    for path in ("/v1/etabli/me", "/v1/models"):
        response = client.get(path, headers=HTML)
        assert response.status_code == 401 and response.json()["error"]["code"] == "invalid_api_key"
    assert client.get("/", headers={"accept": "*/*"}).status_code == 401
    assert client.post("/", headers=HTML).status_code == 401


def test_me_and_its_settings(browser: TestClient) -> None:
    me = browser.get("/v1/etabli/me").json()
    assert me["account"] == {"id": 1, "name": "owner"}
    assert me["settings"] == {"language": None, "theme": None} and me["version"]
    changed = browser.patch("/v1/etabli/me", json={"settings": {"theme": "dark"}}, headers=OURS)
    assert changed.json()["settings"] == {"language": None, "theme": "dark"}
    browser.patch("/v1/etabli/me", json={"settings": {"language": "fr"}}, headers=OURS)
    page = browser.get("/", headers=HTML | {"accept-language": "en"}).text
    assert '<html lang="fr" data-theme="dark">' in page
    browser.patch("/v1/etabli/me", json={"settings": {"theme": None, "language": None}}, headers=OURS)
    assert '<html lang="en">' in browser.get("/", headers=HTML | {"accept-language": "en"}).text
    for wrong in ({"theme": "blue"}, {"language": "de"}, {"font": "x"}):
        assert browser.patch("/v1/etabli/me", json={"settings": wrong}, headers=OURS).status_code == 400


def test_the_key_is_the_owners(client: TestClient) -> None:
    assert client.get("/v1/etabli/me", headers=BEARER).json()["account"]["id"] == OWNER_ID


def test_a_wrong_key_is_wrong_beside_a_right_cookie(browser: TestClient) -> None:
    assert browser.get("/v1/etabli/me", headers={"x-api-key": "wrong"}).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://chat.test"}, 200),
        ({"sec-fetch-site": "cross-site", "origin": "http://chat.test"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "none"}, 403),
        ({"origin": "http://evil.test"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://chat.test.evil"}, 403),
        ({}, 403),
    ],
)
def test_another_site_cannot_use_the_cookie(
    browser: TestClient, headers: dict[str, str], status: int
) -> None:
    body = {"settings": {"theme": "dark"}}
    response = browser.patch("/v1/etabli/me", json=body, headers=headers)
    assert response.status_code == status
    if status == 403:
        assert response.json()["error"]["code"] == "cross_site_request"
        assert browser.get("/v1/etabli/me").json()["settings"]["theme"] is None


def test_the_key_needs_no_origin(client: TestClient) -> None:
    body = {"settings": {"theme": "dark"}}
    assert client.patch("/v1/etabli/me", json=body, headers=BEARER).status_code == 200


def test_two_installations_on_one_host_keep_their_sessions(
    browser: TestClient, tmp_path: Path, database: Database, link: Callable[[], str]
) -> None:
    """Browsers send a host's cookies to all of its ports."""
    other = create_app(make_services(tmp_path, database=database, api_key="another installation's"))
    with TestClient(other, follow_redirects=False, base_url="http://chat.test:81") as second:
        second.cookies = browser.cookies
        assert second.get("/v1/etabli/me").status_code == 401
        assert second.get(f"/sign-in?link={link()}").status_code == 303
        assert second.get("/v1/etabli/me").status_code == 200
        browser.cookies = second.cookies
        assert browser.get("/v1/etabli/me").status_code == 200


def test_signing_out_works_at_once(browser: TestClient) -> None:
    token = browser.cookies[COOKIE]
    assert browser.post("/sign-out").status_code == 403, "another site signs nobody out"
    out = browser.post("/sign-out", headers=OURS)
    assert out.status_code == 204 and "Max-Age=0" in out.headers["set-cookie"]
    browser.cookies.set(COOKIE, token)
    assert browser.get("/v1/etabli/me").status_code == 401


def test_a_used_session_is_kept_longer(browser: TestClient, database: Database) -> None:
    token = browser.cookies[COOKIE]
    assert "set-cookie" not in browser.get("/v1/etabli/me").headers
    with database.owner() as connection:
        connection.execute("UPDATE session SET last_seen_at = now() - interval '1 day'")
    assert browser.get("/v1/etabli/me").headers["set-cookie"].startswith(f"{COOKIE}={token};")


@pytest.mark.parametrize("cookie", ["a[b]=1; {}", '{}; x="', "étrange=é; {}", f"{COOKIE}=; {{}}"])
def test_strange_cookies_do_not_hide_ours(browser: TestClient, cookie: str) -> None:
    token = browser.cookies[COOKIE]
    browser.cookies.clear()
    sent = cookie.format(f"{COOKIE}={token}").encode()
    headers: Any = [(b"cookie", sent)]
    assert browser.get("/v1/etabli/me", headers=headers).status_code == 200


def test_links_are_made_over_the_api(client: TestClient) -> None:
    assert client.post("/v1/etabli/sign-in-links").status_code == 401
    made = client.post("/v1/etabli/sign-in-links", headers=BEARER)
    assert made.status_code == 201 and made.json()["expires_at"]
    assert client.get(made.json()["path"]).status_code == 303


def test_callers_have_everyones_rights_and_their_own() -> None:
    from etabli.server.auth import Caller

    assert Caller.of_account(3).principals == (EVERYONE, "user:3")
