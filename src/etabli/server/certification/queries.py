"""What the screens ask of the campaigns' tables beside `CampaignStore`. Blocks: call it from a thread."""

from collections import Counter
from dataclasses import dataclass

from etabli.certification.base import Transcript
from etabli.storage.database import Database

_READ = (
    "LEFT JOIN LATERAL (SELECT a.outcome, a.reader, a.note FROM adjudication a"
    " WHERE a.campaign_id = t.campaign_id AND a.position = t.position AND a.generation = t.generation"
    " ORDER BY array_position(ARRAY['violated', 'unsure', 'not'], a.outcome) LIMIT 1) r ON true"
)


@dataclass(frozen=True, slots=True)
class Found:
    """One conversation, with the gravest word of the people who read it."""

    position: int
    transcript: Transcript
    read: tuple[str, str, str] | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation that no program could decide.

    Args:
        pair: the same for the members of a pair; empty for a single one.
        readers: who has read it.
    """

    position: int
    generation: int
    pair: str
    readers: tuple[str, ...]


def tally(database: Database, campaign: str) -> dict[str, Counter[str]]:
    """Conversations that are kept, by family and outcome."""
    with database.owner() as connection:
        rows = connection.execute(
            f"SELECT t.family, coalesce(r.outcome, t.outcome), count(*) FROM campaign_transcript t {_READ}"
            " WHERE t.campaign_id = %s GROUP BY 1, 2".encode(),
            (campaign,),
        ).fetchall()
    counted: dict[str, Counter[str]] = {}
    for family, outcome, number in rows:
        counted.setdefault(str(family), Counter())[str(outcome)] += int(number)
    return counted


def find(
    database: Database,
    campaign: str,
    *,
    family: str | None = None,
    outcome: str | None = None,
    after: tuple[int, int] = (-1, -1),
    limit: int = 50,
) -> list[Found]:
    """Conversations in the order of the plan; a person's word on one counts before the programs'."""
    with database.owner() as connection:
        rows = connection.execute(
            "SELECT t.position, t.record, r.outcome, r.reader, r.note"
            f" FROM campaign_transcript t {_READ} WHERE t.campaign_id = %(id)s"
            " AND (t.position, t.generation) > (%(position)s, %(generation)s)"
            " AND (%(family)s::text IS NULL OR t.family = %(family)s)"
            " AND (%(outcome)s::text IS NULL OR coalesce(r.outcome, t.outcome) = %(outcome)s)"
            " ORDER BY t.position, t.generation LIMIT %(limit)s".encode(),
            {
                "id": campaign,
                "position": after[0],
                "generation": after[1],
                "family": family,
                "outcome": outcome,
                "limit": limit,
            },
        ).fetchall()
    return [
        Found(int(position), Transcript.from_json(record), (word, reader, note) if word else None)
        for position, record, word, reader, note in rows
    ]


def waiting(database: Database, campaign: str) -> list[Waiting]:
    """Everything that no program could decide, read or not, in the order of the plan."""
    with database.owner() as connection:
        rows = connection.execute(
            "SELECT t.position, t.generation, t.record->'probe'->>'pair',"
            " coalesce(array_agg(a.reader ORDER BY a.read_at) FILTER (WHERE a.reader IS NOT NULL), '{}')"
            " FROM campaign_transcript t LEFT JOIN adjudication a USING (campaign_id, position, generation)"
            " WHERE t.campaign_id = %s AND t.outcome = 'unsure' GROUP BY t.position, t.generation, 3 ORDER "
            "BY 1, 2",
            (campaign,),
        ).fetchall()
    return [Waiting(int(row[0]), int(row[1]), str(row[2] or ""), tuple(row[3])) for row in rows]
