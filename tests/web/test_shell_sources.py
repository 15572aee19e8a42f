"""What the files of the screens may not hold, and that every sentence of theirs has its French twin."""

import json
import re
import string
from functools import cache
from pathlib import Path

import pytest

from etabli.server.web.pages import PAGES
from etabli.server.web.static_files import static_tree

WEB = Path(__file__).parents[2] / "src" / "etabli" / "server" / "web"
LOCALE = WEB.parents[1] / "locale" / "fr"
SCRIPTS = sorted((WEB / "static" / "js").rglob("*.js"))
TEMPLATES = sorted((WEB / "templates").glob("*.html"))
SHEETS = sorted((WEB / "static" / "css").glob("*.css"))

_STRING = r'"((?:[^"\\\n]|\\.)*)"'
_T = re.compile(r"\bt\(\s*" + _STRING)
_PLURAL = re.compile(r"\bplural\((?:[^\"`]|`[^`]*`)*?" + _STRING + r"\s*,\s*" + _STRING, re.DOTALL)
_ANY_T = re.compile(r"(?<![\w.$])t\(\s*(?![\"\s])")

FORBIDDEN = {
    "innerHTML": r"\binnerHTML\b",
    "outerHTML": r"\bouterHTML\b",
    "insertAdjacentHTML": r"\binsertAdjacentHTML\b",
    "setHTML": r"\bsetHTML\w*\b",
    "document.write": r"\bdocument\s*\.\s*write(ln)?\b",
    "DOMParser": r"\bDOMParser\b",
    "createContextualFragment": r"\bcreateContextualFragment\b",
    "srcdoc": r"\.srcdoc\b",
    "eval": r"\beval\s*\(",
    "new Function": r"\bnew\s+Function\b",
    "a timer with text": r"\bset(Timeout|Interval)\s*\(\s*[\"'`]",
    "style text": r"\.cssText\b|setAttribute\(\s*[\"']style",
    "an address elsewhere": r"[\"'`(](https?:)?//(?!www\.w3\.org/)[a-z]",
}


def without_comments(script: str) -> str:
    return re.sub(r"/\*.*?\*/|(?<![:\"'`\w])//[^\n]*", "", script, flags=re.DOTALL)


@cache
def sentences() -> dict[str, str]:
    """Every sentence of the screens, with the place of a use."""
    found = {page.title: "pages.py" for page in PAGES}
    for path in [*SCRIPTS, *TEMPLATES]:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".js":
            text = without_comments(text)
        literals = [*_T.findall(text)]
        for pair in _PLURAL.findall(text):
            literals += pair
        for literal in literals:
            found.setdefault(json.loads(f'"{literal}"'), str(path.relative_to(WEB)))
    return found


@cache
def french() -> dict[str, str]:
    return {
        english: translation
        for path in sorted(LOCALE.glob("web_*.json"))
        for english, translation in json.loads(path.read_text(encoding="utf-8")).items()
    }


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


def test_every_sentence_has_its_french_twin() -> None:
    missing = {sentence: place for sentence, place in sentences().items() if sentence not in french()}
    assert not missing, json.dumps(missing, ensure_ascii=False, indent=1)


def test_no_translation_is_left_over() -> None:
    assert not french().keys() - sentences().keys()


def test_twins_have_the_same_placeholders() -> None:
    for english, translation in french().items():
        assert placeholders(english) == placeholders(translation), english


def test_french_is_written_as_in_france() -> None:
    for translation in french().values():
        assert not re.search(r" [:;?!»]|« ", translation), f"needs a no-break space: {translation}"
        assert not re.search(r"\w[;?!](\s|$)", translation), f"needs a no-break space: {translation}"
        assert "'" not in translation and '"' not in translation, f"typewriter quotes: {translation}"


def test_a_sentence_has_one_translation() -> None:
    """Two areas of the screens may use the same word, and say it alike."""
    known: dict[str, str] = {}
    for path in sorted(LOCALE.glob("web_*.json")):
        for english, translation in json.loads(path.read_text(encoding="utf-8")).items():
            assert known.setdefault(english, translation) == translation, f"{path.name}: {english}"


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_sentences_are_literals(path: Path) -> None:
    """What is computed cannot be translated."""
    found = _ANY_T.search(without_comments(path.read_text(encoding="utf-8")))
    if path.name == "i18n.js":
        return
    assert found is None


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_scripts_make_no_markup_from_text(path: Path) -> None:
    text = without_comments(path.read_text(encoding="utf-8"))
    for name, pattern in FORBIDDEN.items():
        assert not re.search(pattern, text), f"{path.name} uses {name}"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_templates_hold_no_inline_script_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for attributes, content in re.findall(r"<script\b([^>]*)>(.*?)</script>", text, re.DOTALL):
        assert "application/json" in attributes or (not content.strip() and "src=" in attributes)
    assert (
        "<style" not in text and not re.search(r"\sstyle\s*=", text) and not re.search(r"\son\w+\s*=", text)
    )
    assert "|safe" not in text.replace(" ", "") and "autoescape" not in text and "http" not in text


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.stem)
def test_sheets_load_nothing_and_take_colours_from_tokens(path: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert "@import" not in text
    assert all(url.startswith("../vendor/") for url in re.findall(r"url\([\"']?([^)\"']+)", text))
    if path.name != "tokens.css":
        assert not re.search(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", text), "colours are in tokens.css"


def test_every_import_leads_to_a_file() -> None:
    tree = static_tree()
    for path in SCRIPTS:
        for name in re.findall(
            r"""(?:from|import)\s*\(?\s*["'](\.[^"']+)["']""", path.read_text(encoding="utf-8")
        ):
            target = (path.parent / name).resolve().relative_to(WEB / "static")
            assert target.as_posix() in tree, f"{path.name} imports {name}"


def test_every_icon_is_in_the_sprite() -> None:
    sprite = (WEB / "static" / "icons" / "sprite.svg").read_text(encoding="utf-8")
    known = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    for path in [*SCRIPTS, *TEMPLATES]:
        text = path.read_text(encoding="utf-8")
        used = re.findall(r"\b(?:icon|iconButton)\(\s*\"([a-z0-9-]+)\"", text)
        used += re.findall(r"\bicon: \"([a-z0-9-]+)\"", text) + re.findall(
            r"sprite\.svg\"\) }}#([a-z0-9-]+)", text
        )
        assert not set(used) - known, path.name


def test_the_sprite_is_made_from_its_list() -> None:
    folder = WEB / "static" / "icons"
    names = set((folder / "icons.txt").read_text(encoding="utf-8").split())
    sprite = (folder / "sprite.svg").read_text(encoding="utf-8")
    assert set(re.findall(r'<symbol id="([^"]+)"', sprite)) == names | {"mark"}


def test_vendored_files_have_their_licence() -> None:
    for path in (WEB / "static" / "vendor").iterdir():
        stem = re.match(r"[a-z-]+?-\d+\.\d+\.\d+", path.name)
        assert stem, f"{path.name}: the version is in the name"
        assert (path.parent / f"{stem[0]}-LICENSE.txt").is_file()
