"""The log is chained: an entry that is changed, taken out or put in breaks it."""

import pytest

from etabli.certification import log
from etabli.errors import IntegrityError
from etabli.storage.database import Database


@pytest.fixture
def filled(database: Database) -> Database:
    for number in range(4):
        with database.owner() as connection:
            log.append(connection, "protocol", {"campaign": f"c{number}", "rate": "0.050000"})
    return database


def test_the_chain_holds(filled: Database) -> None:
    found = log.entries(filled)
    assert [one.number for one in found] == [1, 2, 3, 4] and found[0].previous == log.START
    log.check(found)


@pytest.mark.parametrize(
    "statement",
    [
        'UPDATE certification_log SET body = \'{"campaign": "other"}\' WHERE number = 2',
        "UPDATE certification_log SET at = at - interval '1 second' WHERE number = 2",
        "UPDATE certification_log SET kind = 'verdict' WHERE number = 2",
        "DELETE FROM certification_log WHERE number = 2",
        "DELETE FROM certification_log WHERE number = 1",
        "UPDATE certification_log SET number = 9 WHERE number = 4",
    ],
)
def test_a_change_breaks_it(filled: Database, statement: str) -> None:
    with filled.owner() as connection:
        connection.execute(statement.encode())
    with pytest.raises(IntegrityError, match="The certification log is broken at entry"):
        log.check(log.entries(filled))
