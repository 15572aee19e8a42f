"""Where an assistant may look, and how much the words of a question weigh there."""

from collections.abc import Sequence

from etabli.assistants.specification import AssistantSpecification
from etabli.errors import ConfigurationError
from etabli.knowledge.analysis import query_terms
from etabli.knowledge.bm25 import idf
from etabli.messages import tr
from etabli.storage.database import Database


def resolve_collections(
    database: Database, assistant: AssistantSpecification, *, principals: Sequence[str]
) -> list[int]:
    """Numbers of the assistant's collections that the principals may see; none is possible.

    Raises:
        ConfigurationError: a collection does not exist at all.
    """
    with database.owner() as connection:
        rows = connection.execute(
            "SELECT name FROM collection WHERE name = ANY (%s)"
            " AND conversation_id IS NULL AND removed_at IS NULL",
            (list(assistant.collections),),
        )
        existing = {name for (name,) in rows}
    with database.reader(principals) as connection:
        visible = {
            str(name): int(number)
            for number, name in connection.execute(
                "SELECT id, name FROM collection WHERE conversation_id IS NULL AND removed_at IS NULL"
            )
        }
    for name in assistant.collections:
        if name not in existing:
            raise ConfigurationError(
                tr(
                    "The assistant {assistant} names the collection {name}, which does not exist. Those that you may "
                    "see: {names}. Add documents to it, or mend its name in {assistant}.yaml.",
                    assistant=assistant.name,
                    name=name,
                    names=", ".join(sorted(visible)) or "–",
                )
            )
    return [visible[name] for name in assistant.collections if name in visible]


def term_weights(database: Database, question: str) -> dict[str, float]:
    """Inverse document frequency of the question's terms; absent ones weigh as the rarest can."""
    names = query_terms(question)
    with database.owner() as connection:
        rows = connection.execute("SELECT text, df FROM term WHERE text = ANY (%s)", (names,)).fetchall()
        total = connection.execute("SELECT chunks FROM lexical_total").fetchone()
    chunks = int(total[0]) if total else 0
    known = {str(text): int(df) for text, df in rows}
    return {name: idf(known.get(name, 0), chunks) for name in names}


def unknown_terms(database: Database, text: str) -> frozenset[str]:
    """Terms of a text that no document has."""
    names = query_terms(text)
    with database.owner() as connection:
        rows = connection.execute(
            "SELECT text FROM term WHERE text = ANY (%s) AND df > 0", (names,)
        ).fetchall()
    return frozenset(names) - {str(name) for (name,) in rows}
