"""Links work once, sessions end, and the database holds nothing to sign in with."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from etabli.identity.accounts import OWNER_ID
from etabli.identity.sessions import Session, Sessions
from etabli.storage.database import Database


@pytest.fixture
def sessions(database: Database) -> Iterator[Sessions]:
    yield Sessions(database)


def signed_in(sessions: Sessions, **options: timedelta) -> str:
    token = sessions.sign_in(sessions.make_link(OWNER_ID), user_agent="Firefox", **options)
    assert token is not None
    return token


def test_a_link_works_once(sessions: Sessions) -> None:
    link = sessions.make_link(OWNER_ID)
    token = sessions.sign_in(link)
    assert token is not None and token != link
    assert sessions.find(token) == Session(OWNER_ID)
    assert sessions.sign_in(link) is None


def test_an_old_link_and_an_invented_one_open_nothing(sessions: Sessions) -> None:
    assert sessions.sign_in(sessions.make_link(OWNER_ID, life=timedelta(0))) is None
    for link in ("", "x", "é\x00", "\udce9", "a" * 100_000):
        assert sessions.sign_in(link) is None
        assert sessions.find(link) is None


def test_a_link_is_no_session_and_a_session_no_link(sessions: Sessions) -> None:
    link = sessions.make_link(OWNER_ID)
    assert sessions.find(link) is None
    assert sessions.sign_in(signed_in(sessions)) is None


def test_a_session_ends(sessions: Sessions) -> None:
    assert sessions.find(signed_in(sessions, life=timedelta(0))) is None


def test_signing_out_ends_this_session_only(sessions: Sessions) -> None:
    one, other = signed_in(sessions), signed_in(sessions)
    sessions.sign_out(one)
    assert sessions.find(one) is None
    assert sessions.find(other) == Session(OWNER_ID)


def test_using_a_session_moves_its_end(sessions: Sessions, database: Database) -> None:
    token = signed_in(sessions, life=timedelta(days=1))
    with database.owner() as connection:
        connection.execute("UPDATE session SET last_seen_at = now() - interval '2 hours'")
    assert sessions.find(token) == Session(OWNER_ID, prolonged=True)
    assert sessions.find(token) == Session(OWNER_ID), "not with every request"
    with database.owner() as connection:
        row = connection.execute("SELECT expires_at > now() + interval '29 days' FROM session").fetchone()
    assert row == (True,)


def test_no_token_is_kept(sessions: Sessions, database: Database) -> None:
    link = sessions.make_link(OWNER_ID)
    token = sessions.sign_in(link)
    assert token is not None
    with database.owner() as connection:
        for table in ("session", "sign_in_link"):
            rows = str(connection.execute(f"SELECT {table}::text FROM {table}".encode()).fetchall())
            assert rows and token not in rows and link not in rows
            assert token.encode().hex() not in rows and link.encode().hex() not in rows


def test_what_is_over_is_cleared_away(sessions: Sessions, database: Database) -> None:
    sessions.make_link(OWNER_ID, life=timedelta(0))
    signed_in(sessions, life=timedelta(0))
    signed_in(sessions)
    with database.owner() as connection:
        assert connection.execute("SELECT count(*) FROM session").fetchone() == (1,)
        assert connection.execute(
            "SELECT count(*) FROM sign_in_link WHERE expires_at < now()"
        ).fetchone() == (0,)


def test_a_reader_sees_none_of_it(sessions: Sessions, database: Database) -> None:
    import psycopg

    for table in ("account", "session", "sign_in_link"):
        with (
            pytest.raises(psycopg.errors.InsufficientPrivilege),
            database.reader(["user:1"]) as connection,
        ):
            connection.execute(f"SELECT * FROM {table}".encode())
