"""What the probes on an assistant of ours are about: its documents as its callers see them, and its questions.

Blocks: call it from a thread.
"""

from collections.abc import Sequence
from pathlib import Path

from etabli.assistants.specification import AssistantSpecification
from etabli.certification.base import Language
from etabli.certification.probes.base import Material, MaterialDocument
from etabli.certification.probes.reading import material_from_documents, read_questions
from etabli.storage.database import EVERYONE, Database

_MOST_DOCUMENTS = 400
_MOST_CHARACTERS = 200_000


def assistant_material(
    database: Database, assistant: AssistantSpecification, questions: Path | None
) -> Material:
    """The material of an assistant.

    Args:
        database: where its documents are.
        assistant: who is examined.
        questions: the organisation's own questions, one JSON object a line; made from the documents where None or
            not there.

    Raises:
        InvalidInputError: a line of the file cannot be used.
    """
    language: Language = assistant.language
    return material_from_documents(
        _documents(database, assistant, principals=(EVERYONE, *assistant.audience)),
        title=assistant.title,
        language=language,
        questions=read_questions(questions) if questions is not None and questions.is_file() else (),
        instructions=assistant.instructions,
    )


def unread(database: Database, assistant: AssistantSpecification) -> int:
    """How many documents of an assistant wait to be read or embedded: until then its answers may still change."""
    with database.owner() as connection:
        row = connection.execute(
            "SELECT count(*) FROM document d JOIN collection c ON c.id = d.collection_id"
            " WHERE c.name = ANY (%s) AND c.conversation_id IS NULL AND c.removed_at IS NULL"
            " AND d.removed_at IS NULL AND d.state IN ('queued', 'reading', 'searchable')",
            (list(assistant.collections),),
        ).fetchone()
    assert row is not None
    return int(row[0])


def _documents(
    database: Database, assistant: AssistantSpecification, *, principals: Sequence[str]
) -> tuple[MaterialDocument, ...]:
    """The same on every machine that has the same documents: chosen by hash, in the order of names."""
    with database.reader(principals) as connection:
        rows = connection.execute(
            "SELECT * FROM (SELECT d.name, coalesce(v.title, d.name), left(v.text, %s), v.language FROM document d"
            " JOIN collection c ON c.id = d.collection_id JOIN version v ON v.id = d.version_id"
            " WHERE c.name = ANY (%s) AND c.conversation_id IS NULL AND c.removed_at IS NULL"
            " AND d.removed_at IS NULL AND d.state IN ('searchable', 'ready')"
            " ORDER BY d.sha256, d.name LIMIT %s) chosen ORDER BY 1",
            (_MOST_CHARACTERS, list(assistant.collections), _MOST_DOCUMENTS),
        ).fetchall()
    return tuple(
        MaterialDocument(str(name), str(title), str(text), "en" if language == "en" else "fr")
        for name, title, text, language in rows
    )
