"""Which language a request is answered in: the account's, else the one that the client asks for, else our own.

Source: RFC 9110, section 12.5.4 (Accept-Language).
"""

import asyncio
import logging

import psycopg
from psycopg_pool import PoolTimeout
from starlette.types import ASGIApp, Receive, Scope, Send

from etabli.errors import NotFoundError
from etabli.identity.accounts import Accounts
from etabli.messages import installation_language, speaking
from etabli.storage.database import Database

LANGUAGES = ("fr", "en")
log = logging.getLogger(__name__)


def preferred_language(header: str) -> str:
    """The language of an `Accept-Language` that we have; the installation's when it names neither.

    >>> preferred_language("de, fr-CA;q=0.8, en;q=0.5")
    'fr'
    """
    weighed = []
    for place, part in enumerate(header.split(",")):
        name, _, weight = part.strip().partition(";")
        try:
            value = float(weight.strip().removeprefix("q=")) if weight else 1.0
        except ValueError:
            value = 0.0
        weighed.append((-value, place, name.strip().lower()[:2]))
    known = [name for value, _, name in sorted(weighed) if name in LANGUAGES and value < 0]
    return known[0] if known else installation_language()


class ReaderLanguage:
    """Has every sentence of an answer, refusals included, told in the language that the request asks for.

    The account's own, which is known once its caller is, comes before it: see `Authentication`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        header = b",".join(value for name, value in scope["headers"] if name == b"accept-language")
        with speaking(preferred_language(header.decode("latin-1"))):
            return await self._app(scope, receive, send)


class AccountLanguages:
    """The languages that people chose for themselves. Read once: whoever changes one says so with `note`.

    Args:
        database: where the accounts are; None for a server without.
    """

    def __init__(self, database: Database | None) -> None:
        self._accounts = None if database is None else Accounts(database)
        self._known: dict[int, str | None] = {}

    async def of(self, account_id: int) -> str | None:
        """What the person of an account chose; None where they did not, or where nobody can say now."""
        if account_id not in self._known and self._accounts is not None:
            try:
                account = await asyncio.to_thread(self._accounts.get, account_id)
            except (NotFoundError, psycopg.Error, PoolTimeout):
                log.warning("the language of account %d could not be read", account_id)
                return None
            chosen = account.settings.get("language")
            # Somebody may have chosen while this was read: what they chose stays.
            self._known.setdefault(account_id, chosen if chosen in LANGUAGES else None)
        return self._known.get(account_id)

    def note(self, account_id: int, language: str | None) -> None:
        """Keep what the person of an account chose just now."""
        self._known[account_id] = language
