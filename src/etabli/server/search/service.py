"""Searches as a caller, and marks in each passage the words that matched."""

from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import urlencode

from psycopg.rows import dict_row

from etabli.knowledge.collection_names import collection_numbers
from etabli.knowledge.highlighting import matched_words
from etabli.knowledge.search import Passage
from etabli.server.auth import Caller
from etabli.server.documents.numbers import MAX_NUMBER
from etabli.server.search.protocol import Hit, SearchAnswer, SearchRequest
from etabli.server.services import Services


class SearchService:
    """Finds passages. Blocks, so call it from a thread.

    Args:
        services: the parts of the workspace.
    """

    def __init__(self, services: Services) -> None:
        self._database = services.database
        self._searcher = services.searcher

    def search(self, request: SearchRequest, caller: Caller) -> SearchAnswer:
        """The passages that the caller may see, best first.

        Raises:
            NotFoundError: a collection that is named does not exist, or is not for this caller.
        """
        wanted = request.collection_ids
        if request.collections:
            named = collection_numbers(self._database, request.collections, principals=caller.principals)
            wanted = [*(wanted or ()), *named]
        where = self._collections(wanted, caller.principals)
        result = self._searcher.search(
            request.query, principals=caller.principals, collection_ids=where, limit=request.limit
        )
        facts = self._facts({passage.version_id for passage in result.passages}, caller.principals)
        hits = [
            _hit(passage, facts[passage.version_id], result.terms)
            for passage in result.passages
            if passage.version_id in facts
        ]
        return SearchAnswer(
            data=hits,
            terms=list(result.terms),
            dense_method=result.dense_method,
            times_ms=dict(result.times_ms),
        )

    def _collections(self, wanted: Sequence[int] | None, principals: Sequence[str]) -> list[int]:
        """Live collections: those wanted, else all that are listed."""
        numbers = None if wanted is None else [number for number in wanted if abs(number) <= MAX_NUMBER]
        with self._database.reader(principals) as connection:
            rows = connection.execute(
                "SELECT id FROM collection WHERE removed_at IS NULL AND"
                " CASE WHEN %(wanted)s::int[] IS NULL THEN conversation_id IS NULL"
                " ELSE id = ANY (%(wanted)s) END",
                {"wanted": numbers},
            ).fetchall()
        return [number for (number,) in rows]

    def _facts(self, version_ids: Iterable[int], principals: Sequence[str]) -> dict[int, dict[str, Any]]:
        """What a hit says besides its passage, by version."""
        with self._database.reader(principals) as connection:
            rows = connection.cursor(row_factory=dict_row).execute(
                "SELECT v.id, v.media_type, v.language, c.name AS collection FROM version v"
                " JOIN document d ON d.id = v.document_id JOIN collection c ON c.id = d.collection_id"
                " WHERE v.id = ANY (%s) AND d.removed_at IS NULL",
                (list(version_ids),),
            )
            return {row.pop("id"): row for row in rows}


def _hit(passage: Passage, facts: dict[str, Any], terms: Sequence[str]) -> Hit:
    query = "?" + urlencode({"page": passage.page}) if passage.page is not None else ""
    return Hit(
        **facts,
        document_id=passage.document_id,
        version_id=passage.version_id,
        document_name=passage.document_name,
        title=passage.title,
        collection_id=passage.collection_id,
        page=passage.page,
        breadcrumb=passage.breadcrumb,
        text=passage.text,
        ranges=matched_words(passage.text, terms, language=facts["language"]),
        char_start=passage.char_start,
        char_end=passage.char_end,
        score=passage.score,
        url=f"/documents/{passage.document_id}/versions/{passage.version_id}{query}"
        f"#char={passage.char_start},{passage.char_end}",
    )
