"""The owner is there from the beginning, and settings are kept one by one."""

import pytest

from etabli.errors import NotFoundError
from etabli.identity.accounts import OWNER_ID, Accounts
from etabli.storage.database import Database


def test_the_owner_is_there(database: Database) -> None:
    account = Accounts(database).get(OWNER_ID)
    assert (account.id, account.name, account.settings) == (1, "owner", {})


def test_settings_change_one_by_one(database: Database) -> None:
    accounts = Accounts(database)
    accounts.change_settings(OWNER_ID, {"theme": "dark", "language": "fr"})
    accounts.change_settings(OWNER_ID, {"theme": None})
    assert accounts.get(OWNER_ID).settings == {"language": "fr"}


def test_an_unknown_account_is_told(database: Database) -> None:
    with pytest.raises(NotFoundError, match="There is no account 7"):
        Accounts(database).change_settings(7, {"theme": "dark"})


def test_the_next_account_has_its_own_number(database: Database) -> None:
    with database.owner() as connection:
        row = connection.execute("INSERT INTO account (name) VALUES ('other') RETURNING id").fetchone()
    assert row == (2,)
