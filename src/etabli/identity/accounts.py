"""The people of an installation and how they like their screens. One so far: the owner."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from etabli.errors import NotFoundError
from etabli.messages import tr
from etabli.storage.database import Database

OWNER_ID = 1
"""The account that every installation begins with; the API key is its."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person.

    Args:
        id: its number.
        name: for people.
        settings: what they chose on the screens, such as `language` and `theme`.
    """

    id: int
    name: str
    settings: Mapping[str, Any]


class Accounts:
    """The accounts. Every method blocks, so call it from a thread.

    Args:
        database: where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, account_id: int) -> Account:
        """One account.

        Raises:
            NotFoundError: there is none of this number.
        """
        with self._database.owner() as connection:
            row = connection.execute(
                "SELECT id, name, settings FROM account WHERE id = %s", (account_id,)
            ).fetchone()
        if row is None:
            raise NotFoundError(tr("There is no account {number}.", number=account_id))
        return Account(*row)

    def change_settings(self, account_id: int, changes: Mapping[str, Any]) -> Account:
        """Keep some settings; None takes one away, and what is not named stays.

        Raises:
            NotFoundError: there is no account of this number.
        """
        with self._database.owner() as connection:
            connection.execute(
                "UPDATE account SET settings = jsonb_strip_nulls(settings || %s) WHERE id = %s",
                (Jsonb(dict(changes)), account_id),
            )
        return self.get(account_id)
