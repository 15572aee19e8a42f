"""Accounts and sessions for the server's routes. Every method blocks, so call it from a thread."""

from datetime import UTC, datetime

from pydantic import ValidationError

from etabli import __version__
from etabli.identity.accounts import Account, Accounts
from etabli.identity.sessions import LINK_LIFE, Sessions
from etabli.server.auth import Caller
from etabli.server.identity.protocol import Me, MeAccount, MeChange, MeSettings, SignInLink
from etabli.storage.database import Database


class Identity:
    """Who the callers are.

    Args:
        database: where accounts and sessions are.
    """

    def __init__(self, database: Database) -> None:
        self._accounts = Accounts(database)
        self._sessions = Sessions(database)

    def me(self, caller: Caller) -> Me:
        """The caller's account."""
        return _me(self._accounts.get(caller.account_id))

    def change(self, caller: Caller, change: MeChange) -> Me:
        """Keep the settings that were named."""
        named = change.settings.model_dump(exclude_unset=True)
        return _me(self._accounts.change_settings(caller.account_id, named))

    def make_link(self, caller: Caller) -> SignInLink:
        """A link that signs in to the caller's account."""
        token = self._sessions.make_link(caller.account_id)
        return SignInLink(path=f"/sign-in?link={token}", expires_at=datetime.now(UTC) + LINK_LIFE)

    def sign_in(self, link: str, *, user_agent: str) -> str | None:
        """The token of a new session; None when the link opens nothing."""
        return self._sessions.sign_in(link, user_agent=user_agent)

    def is_signed_in(self, token: str | None) -> bool:
        """Whether a token is that of a session."""
        return token is not None and self._sessions.find(token) is not None

    def sign_out(self, token: str) -> None:
        """End a session."""
        self._sessions.sign_out(token)


def _me(account: Account) -> Me:
    try:
        settings = MeSettings.model_validate(dict(account.settings))
    except ValidationError:  # kept by another version of this program: nothing is worth refusing the page for
        settings = MeSettings()
    return Me(account=MeAccount(id=account.id, name=account.name), settings=settings, version=__version__)
