"""Pages from templates: sentences in the reader's language, addresses of files, the data that scripts begin with."""

import gzip
import json
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from etabli import __version__
from etabli.server.web.security import PAGE_HEADERS
from etabli.server.web.static_files import StaticTree, accepts_gzip

SHEETS = tuple(
    f"css/{name}.css" for name in ("tokens", "base", "components", "fields", "overlays", "layout", "panel")
)
"""What every page is drawn with."""
_WORTH_COMPRESSING = 1024


@cache
def french_sentences() -> dict[str, str]:
    """The sentences of the screens: the files `locale/fr/web_*.json` together."""
    sentences: dict[str, str] = {}
    folder = resources.files("etabli") / "locale" / "fr"
    for entry in sorted(folder.iterdir(), key=lambda item: item.name):
        if entry.name.startswith("web_") and entry.name.endswith(".json"):
            sentences.update(json.loads(entry.read_text(encoding="utf-8")))
    return sentences


def json_for_html(value: object) -> Markup:
    """JSON that nothing in it can end: safe between `<script type="application/json">` and its end.

    >>> json_for_html({"a": "</script>"})
    Markup('{"a": "\\\\u003c/script\\\\u003e"}')
    """
    text = json.dumps(value, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


class Renderer:
    """Makes pages.

    Args:
        tree: the files that they name.
    """

    def __init__(self, tree: StaticTree) -> None:
        self._tree = tree
        self._said: dict[tuple[str, ...], dict[str, str]] = {}
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("etabli.server.web"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
        )

    def page(
        self,
        request: Request,
        template: str,
        *,
        name: str,
        language: str,
        theme: str | None = None,
        account: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
        scripts: Sequence[str] = (),
        sheets: Sequence[str] = (),
        soon: Sequence[str] = (),
        later: Sequence[str] = (),
        status: int = 200,
        values: Mapping[str, Any] | None = None,
    ) -> Response:
        """Render one page.

        Args:
            request: decides only whether the page is compressed.
            template: its file.
            name: of the page; `css/<name>.css` and `js/pages/<name>.js` are used where they exist.
            language: `fr` or `en`.
            theme: `light`, `dark` or None for the system's.
            account: who reads it, for scripts.
            parameters: of the address, for scripts.
            scripts: modules besides the page's own.
            sheets: names of sheets besides the page's own.
            soon: modules that are imported late and needed at once.
            later: modules that are imported late, if at all.
            status: of the answer.
            values: for the template.
        """
        sentences = french_sentences() if language == "fr" else {}
        entries = [one for one in (*scripts, f"js/pages/{name}.js") if one in self._tree]
        own = (f"css/{one}.css" for one in (*sheets, name))
        sheet = self._tree.joined(*(one for one in (*SHEETS, *own) if one in self._tree))
        modules = self._tree.modules(*entries, *soon)
        data = {
            "name": name,
            "parameters": dict(parameters or {}),
            "language": language,
            "theme": theme,
            "account": account,
            "version": __version__,
            "messages": self._sentences_of(tuple(entries)) if language == "fr" else {},
            "later": {
                one: [self._tree.url(path) for path in self._tree.modules(one) if path not in modules]
                for one in later
            },
        }

        def translate(sentence: str, **filled: object) -> str:
            return _fill(sentences.get(sentence, sentence), filled)

        html = self._templates.get_template(template).render(
            {
                "language": language,
                "theme": theme,
                "sheet": sheet,
                "scripts": entries,
                "modules": [one for one in modules if one not in entries],
                "data": json_for_html(data),
                "static": self._tree.url,
                "t": translate,
                **(values or {}),
            }
        )
        return _html(request, html, status)

    def _sentences_of(self, entries: tuple[str, ...]) -> dict[str, str]:
        """The French of what these modules, and those that they may load, say."""
        if entries not in self._said:
            modules = self._tree.modules(*entries, later=True)
            text = "".join(self._tree[path].content.decode() for path in modules)
            self._said[entries] = {
                english: french
                for english, french in french_sentences().items()
                if json.dumps(english, ensure_ascii=False) in text
            }
        return self._said[entries]


def _fill(template: str, values: Mapping[str, object]) -> str:
    return template.format(**values) if values else template


def _html(request: Request, html: str, status: int) -> Response:
    content = html.encode()
    headers = {**PAGE_HEADERS, "vary": "accept-encoding, accept-language, cookie"}
    # A page holds no secret that a length could tell, so it may be compressed.
    if len(content) >= _WORTH_COMPRESSING and accepts_gzip(request.headers.get("accept-encoding", "")):
        content = gzip.compress(content, 6, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(content, status_code=status, media_type="text/html; charset=utf-8", headers=headers)
