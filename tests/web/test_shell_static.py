"""Files of the screens: found by their hash, compressed, open to anybody; pages with the headers that close them."""

import gzip
import json
import re
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import pytest
from server_parts import BEARER, make_services
from starlette.testclient import TestClient

from etabli.server.app import create_app
from etabli.server.web.pages import PAGES, Page
from etabli.server.web.static_files import StaticTree, static_tree
from etabli.storage.database import Database

HTML = {"accept": "text/html"}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@pytest.fixture
def client(tmp_path: Path, database: Database) -> Iterator[TestClient]:
    with TestClient(create_app(make_services(tmp_path, database=database)), follow_redirects=False) as one:
        yield one


def test_a_file_is_kept_for_good_and_compressed(client: TestClient) -> None:
    for path, file in static_tree().files.items():
        response = client.get(static_tree().url(path), headers={"accept-encoding": "gzip"})
        assert response.status_code == 200 and response.content == file.content, path
        assert "immutable" in response.headers["cache-control"]
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["content-type"] == file.media_type
        assert (response.headers.get("content-encoding") == "gzip") == (not path.endswith(("woff2", "png")))
        if file.compressed is not None:
            assert gzip.decompress(file.compressed) == file.content
            plain = client.get(static_tree().url(path), headers={"accept-encoding": "identity"})
            assert plain.content == file.content and "content-encoding" not in plain.headers


def test_programs_and_other_trees_are_not_served(client: TestClient) -> None:
    known = static_tree().hash
    for path in (
        "icons/make_sprite.py",
        "icons/",
        "",
        "../pages.py",
        "..%2fpages.py",
        "css/tokens.css/",
        "css",
        "js/core/dom.js%00",
    ):
        assert client.get(f"/static/{known}/{path}").status_code == 404, path
    assert client.get("/static/0000000000000000/css/tokens.css").status_code == 404


def test_any_change_changes_the_address(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "a.css").write_text("a{}")
    first = StaticTree(tmp_path).hash
    assert StaticTree(tmp_path).hash == first
    (tmp_path / "css" / "a.css").write_text("b{}")
    assert StaticTree(tmp_path).hash != first


def test_what_a_module_needs_is_found_and_what_it_may_need_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(
        'import "./b.js";\nimport {\n  x,\n} from "./sub/c.js";\nexport { y } from "./d.js";\n'
        'export function later() {\n  return import("./e.js");\n}\nconst text = "./f.js";\n'
    )
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.js").write_text('import z from "../b.js";\n')
    for name in "bdef":
        (tmp_path / f"{name}.js").write_text("")
    assert StaticTree(tmp_path).modules("a.js") == ["a.js", "b.js", "sub/c.js", "d.js"]


def test_several_sheets_are_sent_as_one(tmp_path: Path) -> None:
    (tmp_path / "css").mkdir()
    for name in "ab":
        (tmp_path / "css" / f"{name}.css").write_text(f".{name} {{\n  order: 1;\n}}\n")
    tree = StaticTree(tmp_path)
    path = tree.joined("css/b.css", "css/a.css")
    assert tree[path].content == tree["css/b.css"].content + tree["css/a.css"].content
    assert path.startswith("css/") and tree.joined("css/b.css", "css/a.css") == path
    assert tree.joined("css/a.css", "css/b.css") != path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_all_that_a_page_needs_is_named_in_it(client: TestClient, page: Page) -> None:
    """Nothing is found out one file after the other: sheets are one, every module is named."""
    text = client.get(re.sub(r"\{\w+(:int)?\}", "1", page.path), headers=HTML | BEARER).text
    (sheet,) = re.findall(r'rel="stylesheet" href="([^"]+)"', text)
    assert client.get(sheet).headers["content-type"].startswith("text/css")
    tree = static_tree()
    named = re.findall(r'(?:modulepreload" href|type="module" src)="([^"]+)"', text)
    entries = ("js/shell/shell.js", f"js/pages/{page.name}.js")
    assert sorted(named) == sorted(tree.url(one) for one in tree.modules(*entries, *page.soon))
    data = json.loads(re.findall(r'id="page-data">(.*?)</script>', text, re.DOTALL)[0])
    assert data["later"].keys() == set(page.later)
    for module, addresses in data["later"].items():
        assert {*named, *addresses} >= {tree.url(one) for one in tree.modules(module)}
        assert not {*named} & {*addresses}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_every_page_is_closed(client: TestClient, page: object) -> None:
    path = re.sub(r"\{\w+(:int)?\}", "1", page.path)  # type: ignore[attr-defined]
    assert client.get(path, headers=HTML).status_code == 303
    response = client.get(path, headers=HTML | BEARER)
    assert response.status_code == 200
    assert response.headers["content-security-policy"] == POLICY
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["cross-origin-opener-policy"] == "same-origin"
    assert f"<etabli-{page.name} " in response.text  # type: ignore[attr-defined]


def test_other_pages_are_closed_too(client: TestClient) -> None:
    for path, status in (
        ("/sign-in", 200),
        ("/sign-in?link=x", 403),
        ("/nothing", 404),
        ("/documents/x", 404),
    ):
        response = client.get(path, headers=HTML | BEARER)
        assert (response.status_code, response.headers["content-security-policy"]) == (status, POLICY), path
        assert response.headers["content-type"].startswith("text/html")


def test_programs_keep_their_json(client: TestClient) -> None:
    for path, headers in (("/nothing", BEARER), ("/v1/nothing", BEARER | HTML)):
        response = client.get(path, headers=headers)
        assert response.status_code == 404 and response.json()["error"]["code"] == "not_found"


def test_a_page_that_fails_says_so(tmp_path: Path) -> None:
    with TestClient(create_app(make_services(tmp_path))) as client:  # no database at all
        response = client.get("/documents", headers=HTML | BEARER)
    assert response.status_code == 500 and "Something went wrong." in response.text
    assert response.headers["content-security-policy"] == POLICY and "Traceback" not in response.text


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fr-CA,en;q=0.5", "fr"),
        ("en-US", "en"),
        ("de", "en"),
        ("", "en"),
        ("en;q=0.2, fr;q=0.9", "fr"),
        ("fr;q=x", "en"),
    ],
)
def test_the_browsers_language_is_followed(client: TestClient, header: str, language: str) -> None:
    assert f'<html lang="{language}"' in client.get("/sign-in", headers={"accept-language": header}).text


def test_a_page_is_sent_the_sentences_it_may_say(client: TestClient) -> None:
    """Those of its modules, of the modules that these load later, and no others."""
    text = client.get("/models", headers=HTML | BEARER | {"accept-language": "fr"}).text
    data = re.search(r'id="page-data">(.*?)</script>', text, re.DOTALL)
    assert data
    messages = json.loads(data[1])["messages"]
    assert messages["Close the sidebar"] == "Fermer le volet"
    assert messages["Search or type a command…"] == "Chercher ou taper une commande…", (
        "the palette is loaded later"
    )
    assert "Back to the chat" not in messages, "the error page's"
    said = {
        *re.findall(
            r'\bt\("([^"]+)"',
            "".join(
                static_tree()[path].content.decode()
                for path in static_tree().modules("js/shell/shell.js", "js/pages/models.js", later=True)
            ),
        )
    }
    assert said <= messages.keys()


def test_comments_are_not_sent(tmp_path: Path) -> None:
    (tmp_path / "js").mkdir()
    (tmp_path / "vendor").mkdir()
    script = '/** What it is. */\nconst a = "/** text */"; /* short */\n  /**\n   * @param x\n   */\nf(a);\n'
    for folder in ("js", "vendor"):
        (tmp_path / folder / "a.js").write_text(script)
    tree = StaticTree(tmp_path)
    assert tree["js/a.js"].content == b'const a = "/** text */"; /* short */\nf(a);\n'
    assert tree["vendor/a.js"].content == script.encode(), "with its licence"


def test_the_pages_data_cannot_end_its_element(client: TestClient) -> None:
    nasty = "/c/%3Cscript%3Ealert(1)%3C!--"
    text = client.get(nasty, headers=HTML | BEARER).text
    data = re.search(r'id="page-data">(.*?)</script>', text, re.DOTALL)
    assert data and "<" not in data[1]
    assert json.loads(data[1])["parameters"]["id"] == "<script>alert(1)<!--"
    assert "alert(1)" not in text.replace(data[1], "")


def test_the_files_are_in_the_package() -> None:
    folder = resources.files("etabli.server.web")
    assert (folder / "static" / "js" / "shell" / "shell.js").is_file()
    assert (folder / "templates" / "app.html").is_file()
