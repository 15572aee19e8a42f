"""The reference of the API names every route, and no other."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from unittest.mock import MagicMock

from fastapi import FastAPI
from server_parts import MakeServices
from starlette.routing import BaseRoute, Route

from etabli.server.app import create_app
from etabli.server.web.pages import PAGES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
PLACEHOLDER = re.compile(r"\{[^}]+\}")
OF_THE_SCREENS = {page.path for page in PAGES}


def routes(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Method and path of every route but those of the pages and their files."""
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            yield method.upper(), path
    for route in plain_routes(app.routes):
        if route.path not in OF_THE_SCREENS and not route.path.startswith(("/static/", "/openapi.json")):
            for method in (route.methods or set()) - {"HEAD"}:
                yield method, route.path


def plain_routes(routes: Iterable[BaseRoute]) -> Iterator[Route]:
    """Those that the description leaves out, also of the routers that were included."""
    for route in routes:
        if isinstance(route, Route):
            if not route.include_in_schema:
                yield route
        elif (included := getattr(route, "original_router", None)) is not None:
            yield from plain_routes(included.routes)


def test_the_reference_names_every_route(services: MakeServices) -> None:
    table = REFERENCE.read_text(encoding="utf-8").partition("## All routes")[2]
    named = re.findall(r"^\| `([A-Z]+) (/\S*)` \| \S", table, re.MULTILINE)
    assert len(named) == len(set(named)), "each stands there once"
    documented = {(method, PLACEHOLDER.sub("{}", path)) for method, path in named}
    app = create_app(services(certification=MagicMock()))
    there = {(method, PLACEHOLDER.sub("{}", path)) for method, path in routes(app)}
    assert there - documented == set(), "say what it does in the table of docs/reference/api.md"
    assert documented - there == set(), "no such route is left"
