"""Collections by their names, as a caller may know them."""

from collections.abc import Sequence

from etabli.errors import NotFoundError
from etabli.messages import tr
from etabli.storage.database import Database


def collection_numbers(database: Database, names: Sequence[str], *, principals: Sequence[str]) -> list[int]:
    """The numbers of named collections.

    Args:
        database: where they are.
        names: of the collections.
        principals: who asks; one that they may not see does not exist.

    Raises:
        NotFoundError: there is no such collection.
    """
    with database.reader(principals) as connection:
        rows = connection.execute(
            "SELECT name, id FROM collection WHERE conversation_id IS NULL AND removed_at IS NULL ORDER BY name"
        ).fetchall()
    known = {str(name): int(number) for name, number in rows}
    for name in names:
        if name not in known:
            raise NotFoundError(
                tr(
                    "There is no collection “{name}”. There are: {known}.",
                    name=name,
                    known=", ".join(known) or tr("none"),
                )
            )
    return [known[name] for name in names]
