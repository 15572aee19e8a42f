"""Signing in: links that work once, and the sessions that they open.

A token is 256 random bits, shown once to the person or the browser that holds it; the database keeps its SHA-256. (A
slow hash is for secrets that can be guessed; these cannot.) Source: OWASP Session Management Cheat Sheet.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta

from etabli.storage.database import Database

LINK_LIFE = timedelta(minutes=15)
SESSION_LIFE = timedelta(days=30)
"""From the last time it was used."""
_SEEN_EVERY = timedelta(hours=1)
"""A session's end is moved at most this often, so that a page of requests does not write a row each."""
_LONGEST_TOKEN = 200
_LONGEST_AGENT = 300


@dataclass(frozen=True, slots=True)
class Session:
    """A session that holds.

    Args:
        account_id: whose it is.
        prolonged: whether its end was moved just now, so that the browser should keep its cookie longer too.
    """

    account_id: int
    prolonged: bool = False


class Sessions:
    """Sign-in links and sessions. Every method blocks, so call it from a thread.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def make_link(self, account_id: int, *, life: timedelta = LINK_LIFE) -> str:
        """The token of a new link, which signs in once until its life ends."""
        token = secrets.token_urlsafe(32)
        with self._database.owner() as connection:
            connection.execute("DELETE FROM sign_in_link WHERE expires_at < now()")
            connection.execute(
                "INSERT INTO sign_in_link (digest, account_id, expires_at) VALUES (%s, %s, now() + %s)",
                (_digest(token), account_id, life),
            )
        return token

    def sign_in(self, link: str, *, user_agent: str = "", life: timedelta = SESSION_LIFE) -> str | None:
        """Use a link.

        Args:
            link: its token.
            user_agent: of the browser, to tell sessions apart.
            life: of the session.

        Returns:
            The token of a new session; None when the link is unknown, used or too old.
        """
        if len(link) > _LONGEST_TOKEN:
            return None
        token = secrets.token_urlsafe(32)
        with self._database.owner() as connection:
            row = connection.execute(
                "UPDATE sign_in_link SET used_at = now()"
                " WHERE digest = %s AND used_at IS NULL AND expires_at > now() RETURNING account_id",
                (_digest(link),),
            ).fetchone()
            if row is None:
                return None
            connection.execute("DELETE FROM session WHERE expires_at < now()")
            connection.execute(
                "INSERT INTO session (digest, account_id, expires_at, user_agent) VALUES (%s, %s, now() + %s, %s)",
                (_digest(token), row[0], life, user_agent[:_LONGEST_AGENT].replace("\0", "")),
            )
        return token

    def find(self, token: str) -> Session | None:
        """The session of a token; None when there is none, or it ended. Using it moves its end."""
        if not token or len(token) > _LONGEST_TOKEN:
            return None
        digest = _digest(token)
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT account_id, last_seen_at < now() - %s FROM session WHERE digest = %s AND expires_at > now()",
                (_SEEN_EVERY, digest),
            ).fetchone()
            if row is None:
                return None
            account_id, due = row
            if due:
                connection.execute(
                    "UPDATE session SET last_seen_at = now(), expires_at = now() + %s WHERE digest = %s",
                    (SESSION_LIFE, digest),
                )
        return Session(account_id, prolonged=due)

    def sign_out(self, token: str) -> None:
        """End a session, at once and for every copy of its cookie."""
        if len(token) <= _LONGEST_TOKEN:
            with self._database.owner() as connection:
                connection.execute("DELETE FROM session WHERE digest = %s", (_digest(token),))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()
