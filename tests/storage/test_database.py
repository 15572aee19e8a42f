import subprocess
import sys
import uuid
from pathlib import Path

import psycopg
import pytest

from etabli.errors import StorageError
from etabli.storage.database import EVERYONE, Database
from etabli.storage.embedded import EmbeddedPostgres
from etabli.storage.migrations import available, migrate


def test_migrations_run_once(database: Database) -> None:
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        assert migrate(connection) == []


def test_several_processes_may_migrate_at_once(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute("CREATE DATABASE race")
    conninfo = postgres.conninfo.replace("dbname=etabli", "dbname=race")
    program = f"from etabli.storage.database import Database; Database({conninfo!r}).close()"
    starts = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(4)]
    assert [start.wait() for start in starts] == [0, 0, 0, 0]
    with psycopg.connect(conninfo) as connection:
        rows = connection.execute("SELECT number FROM migration ORDER BY number").fetchall()
    assert [row[0] for row in rows] == sorted(available())


def test_a_newer_database_is_refused(database: Database) -> None:
    with database.owner() as connection:
        connection.execute("INSERT INTO migration (number) VALUES (9999)")
    with pytest.raises(StorageError, match="9999"):
        Database(database.conninfo)


def test_a_reader_without_principals_sees_nothing(database: Database) -> None:
    with database.owner() as connection:
        connection.execute("INSERT INTO collection (name, acl_set) VALUES ('a', 1)")
    for principals, seen in (([EVERYONE], 1), ([], 0), (["group:doctors"], 0), (["group:everyone\n"], 1)):
        with database.reader(principals) as connection:
            assert connection.execute("SELECT count(*) FROM collection").fetchone() == (seen,), principals


def test_a_reader_cannot_write_or_read_bookkeeping(database: Database) -> None:
    for statement in (
        "DELETE FROM collection",
        "SELECT * FROM job",
        "SELECT * FROM term",
        "SELECT * FROM acl_set",
    ):
        with pytest.raises(psycopg.Error), database.reader([EVERYONE]) as connection:
            connection.execute(statement)


def test_rights_end_with_the_transaction(database: Database) -> None:
    with Database(database.conninfo, most_connections=1) as single:
        with single.reader([EVERYONE]):
            pass
        with single.owner() as connection:
            assert connection.execute("SELECT current_setting('etabli.principals', true)").fetchone() in (
                ("",),
                (None,),
            )
            connection.execute("INSERT INTO collection (name, acl_set) VALUES ('b', 1)")


def test_every_table_with_permissions_is_protected(database: Database) -> None:
    with database.owner() as connection:
        connection.execute("CALL create_embedding_table(1, 3)")
        rows = connection.execute(
            "SELECT c.relname, c.relrowsecurity FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
            " WHERE a.attname = 'acl_set' AND c.relkind = 'r'"
        ).fetchall()
    assert len(rows) >= 5
    assert [name for name, protected in rows if not protected] == []


def test_the_embedded_server_is_shared_and_stopped_by_the_last(tmp_path: Path) -> None:
    def server() -> EmbeddedPostgres:
        return EmbeddedPostgres(
            tmp_path / "cluster", run_dir=tmp_path / "run", log_path=tmp_path / "log", memory_bytes=2**30
        )

    first, second = server(), server()
    first.start()
    conninfo = second.start()
    first.stop()
    with psycopg.connect(conninfo) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    second.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(conninfo)


def test_a_long_workspace_path_still_gets_a_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 60) / ("y" * 60)
    server = EmbeddedPostgres(
        deep / "cluster", run_dir=deep / "run", log_path=deep / "log", memory_bytes=2**30
    )
    conninfo = server.start()
    with psycopg.connect(conninfo) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    server.stop()


def test_an_address_without_database_is_a_clear_error() -> None:
    with pytest.raises(StorageError, match="ETABLI_DATABASE_URL"):
        Database("postgresql://127.0.0.1:1/nothing?connect_timeout=2")


def test_a_user_who_may_create_no_role(tmp_path: Path) -> None:
    """The error gives the statements; once an administrator ran them, everything works, permissions included."""
    server = EmbeddedPostgres(
        tmp_path / "cluster", run_dir=tmp_path / "run", log_path=tmp_path / "log", memory_bytes=2**30
    )
    server.start()
    try:
        conninfo = server.conninfo.replace("dbname=etabli", "dbname=office")
        url = conninfo.replace("user=postgres", "user=Owner")
        with psycopg.connect(server.conninfo, autocommit=True) as administrator:
            administrator.execute('CREATE ROLE "Owner" LOGIN')
            administrator.execute('CREATE DATABASE office OWNER "Owner"')
        with psycopg.connect(conninfo, autocommit=True) as administrator:
            administrator.execute("CREATE EXTENSION vector")
            with pytest.raises(StorageError, match="needs the role etabli_reader") as caught:
                Database(url)
            statements = [line.strip() for line in str(caught.value).splitlines()[1:]]
            assert statements == ["CREATE ROLE etabli_reader NOLOGIN;", 'GRANT etabli_reader TO "Owner";']
            administrator.execute(statements[0].encode())
            with pytest.raises(StorageError) as caught:
                Database(url)
            assert str(caught.value).splitlines()[1:] == ['  GRANT etabli_reader TO "Owner";']
            administrator.execute(statements[1].encode())
        with Database(url) as database:
            with database.owner() as connection:
                connection.execute("INSERT INTO collection (name, acl_set) VALUES ('a', 1)")
            for principals, seen in (([EVERYONE], 1), ([], 0)):
                with database.reader(principals) as connection:
                    assert connection.execute("SELECT count(*) FROM collection").fetchone() == (seen,)
    finally:
        server.stop()


def test_another_right_that_is_missing_is_said(postgres: EmbeddedPostgres, database: Database) -> None:
    name, role = "locked", f"locked_{uuid.uuid4().hex}"
    with psycopg.connect(postgres.conninfo, autocommit=True) as administrator:
        administrator.execute(f"CREATE DATABASE {name}")
        administrator.execute(f"CREATE ROLE {role} LOGIN IN ROLE etabli_reader")
    url = postgres.conninfo.replace("dbname=etabli", f"dbname={name}").replace(
        "user=postgres", f"user={role}"
    )
    with pytest.raises(StorageError, match=f"permission denied for schema public. Have .* {role}"):
        Database(url)


def test_what_was_kept_before_migration_6_is_searched_and_told(postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.conninfo, autocommit=True) as connection:
        connection.execute("CREATE DATABASE before_six")
    conninfo = postgres.conninfo.replace("dbname=etabli", "dbname=before_six")
    with psycopg.connect(conninfo, autocommit=True) as connection:
        migrate(connection, up_to=5)
        connection.execute("INSERT INTO collection (name, acl_set) VALUES ('a', 1)")
        connection.execute(
            "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state, message)"
            " VALUES (1, 1, 'x', '', 0, 'broken', 'Damaged.'), (1, 1, 'y', '', 0, 'ready', NULL)"
        )
        connection.execute("INSERT INTO conversation (key, account_id, acl_set) VALUES ('conv_1', 1, 1)")
        connection.execute(
            "INSERT INTO turn (key, conversation_id, parent_id, account_id, acl_set, depth, status, model) VALUES"
            " ('a', 1, NULL, 1, 1, 1, 'completed', 'm'), ('b', 1, 1, 1, 1, 2, 'completed', 'm'),"
            " ('c', 1, 1, 1, 1, 2, 'completed', 'm')"
        )
        connection.execute("UPDATE conversation SET head_id = 3")
        connection.execute("INSERT INTO turn_text SELECT id, 1, 1, 'ete ' || key FROM turn")
        assert 6 in migrate(connection)
        shown = connection.execute("SELECT turn_id FROM turn_text WHERE shown ORDER BY 1").fetchall()
        assert shown == [(1,), (3,)]
        found = connection.execute(
            "SELECT count(*) FROM turn_text WHERE grams @>& text_grams('ete')"
        ).fetchone()
        assert found == (3,)
        messages = connection.execute("SELECT message FROM document ORDER BY id").fetchall()
        assert messages == [("Damaged.",), (None,)]


@pytest.mark.parametrize(
    ("text", "grams"),
    [("", 0), ("ab", 0), ("abc", 1), ("abcabc", 3), ("ab cd efg", 1), ("日本語", 1), ("a bcd", 1)],
)
def test_the_letters_of_a_text(database: Database, text: str, grams: int) -> None:
    with database.owner() as connection:
        row = connection.execute("SELECT cardinality(text_grams(%s))", (text,)).fetchone()
    assert row == (grams,)
