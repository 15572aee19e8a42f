"""Conversations come back from a backup as they were: trees, heads, copies, what is searched. Sessions do not."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from etabli.conversations.conversations import Conversations
from etabli.conversations.sharing import Sharing
from etabli.conversations.turns import Turns
from etabli.conversations.values import Turn
from etabli.identity.accounts import OWNER_ID
from etabli.identity.sessions import Sessions
from etabli.settings import load_settings
from etabli.storage.backup import create_backup
from etabli.storage.database import Database
from etabli.storage.embedded import EmbeddedPostgres
from etabli.storage.restore import restore_backup

Tell = Callable[..., Turn]


def test_backup_and_restore(
    database: Database,
    conversations: Conversations,
    turns: Turns,
    tell: Tell,
    people: tuple[Any, Any],
    postgres: EmbeddedPostgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner = people[0]
    key = conversations.create(owner, metadata={"a": "b"}).id
    first = tell("Première question, accentuée", conversation=key)
    tell("deux", conversation=key)
    tell("deux autrement", conversation=key, previous=first.id)
    turns.judge(first.id, owner, {"rating": "up", "reason": None, "comment": None})
    session = Sessions(database).sign_in(Sessions(database).make_link(OWNER_ID))
    assert session is not None and Sessions(database).find(session) is not None
    token = Sharing(database).share(key, owner, [{"annotations": []}])

    folder = tmp_path / "office"
    folder.mkdir()
    (folder / "etabli.toml").write_text("port = 8555\n", encoding="utf-8")
    create_backup(load_settings(folder, database_url=database.conninfo), tmp_path / "office.backup")

    name = f"restored_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    url = postgres.conninfo.replace("dbname=etabli", f"dbname={name}")
    monkeypatch.setenv("ETABLI_DATABASE_URL", url)
    restore_backup(tmp_path / "office.backup", tmp_path / "restored")
    with Database(url) as restored:
        again = Conversations(restored)
        assert again.get(key, owner) == conversations.get(key, owner)
        page, _ = again.page(key, owner, before=None, limit=10)
        assert page == conversations.page(key, owner, before=None, limit=10)[0]
        assert [len(beside) for _, beside in page] == [1, 2]
        assert again.listing(owner, query="premiere ACCENTUEE")[0][0].snippet is not None
        assert Sharing(restored).open(token, owner).turns == Sharing(database).open(token, owner).turns
        assert Turns(restored).trace(first.id, owner) == turns.trace(first.id, owner)
        with restored.reader(people[1].principals) as connection:
            assert connection.execute("SELECT count(*) FROM turn").fetchone() == (0,)
        again.remove(key, owner)  # keys between the tables are there again
        assert Sessions(restored).find(session) is None
        new = again.create(owner).id
        assert again.get(new, owner).number > conversations.get(key, owner).number
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
