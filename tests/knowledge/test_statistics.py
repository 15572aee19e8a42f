"""The planner's statistics are near the truth soon after many documents came in."""

from pathlib import Path

from tests.knowledge.conftest import Ingest

from etabli.knowledge.library import Library
from etabli.knowledge.statistics import TableStatistics
from etabli.storage.database import Database


def add_documents(database: Database, count: int) -> None:
    with database.owner() as connection:
        connection.execute("INSERT INTO collection (name, acl_set) VALUES ('c', 1) ON CONFLICT DO NOTHING")
        connection.execute(
            "INSERT INTO document (collection_id, acl_set, name, sha256, size_bytes, state)"
            " SELECT (SELECT min(id) FROM collection), 1, gen_random_uuid(), '', 0, 'queued'"
            " FROM generate_series(1, %s)",
            (count,),
        )
        connection.execute("SELECT pg_stat_force_next_flush()")


def rows_known(database: Database) -> float:
    with database.owner() as connection:
        row = connection.execute("SELECT reltuples FROM pg_class WHERE oid = 'document'::regclass").fetchone()
    assert row is not None
    return float(row[0])


def test_a_table_is_counted_when_much_was_added(database: Database) -> None:
    statistics = TableStatistics(database, check_every_s=0)
    add_documents(database, 20)
    assert statistics.keep() == [], "autovacuum does for a few"
    add_documents(database, 1_000)
    assert statistics.keep() == ["document"] and rows_known(database) == 1_020
    assert statistics.keep() == []
    add_documents(database, 250)
    assert statistics.keep() == [], "less than a fifth and a hundred"
    add_documents(database, 250)
    assert statistics.keep() == ["document"] and rows_known(database) == 1_520


def test_changes_are_looked_at_now_and_then(database: Database) -> None:
    statistics = TableStatistics(database, check_every_s=3_600)
    statistics.keep()
    add_documents(database, 1_000)
    assert statistics.keep() == []


def test_ingestion_keeps_them(database: Database, library: Library, ingest: Ingest, tmp_path: Path) -> None:
    add_documents(database, 1_000)
    (tmp_path / "note.md").write_text("# Note\n\nUn texte.\n", encoding="utf-8")
    library.add(tmp_path / "note.md", collection="c")
    ingest()
    assert rows_known(database) == 1_001
