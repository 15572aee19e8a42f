"""Events of training jobs on their way into the database: our own, and those of the process that trains.

Each function works in the caller's transaction. What a process wrote is data of somebody else: numbers that are none
and characters that PostgreSQL has not are taken out.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from etabli.messages import kept
from etabli.training.base import Event
from etabli.training.jobs import JSON

_METRICS = (
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)


def tell(
    connection: psycopg.Connection,
    job: str,
    message: Any,
    *,
    level: str = "info",
    data: Mapping[str, Any] | None = None,
) -> None:
    """Add an event of our own."""
    connection.execute(
        "INSERT INTO training_event (id, job_id, at, level, kind, message, data)"
        " VALUES ('ftevent-' || replace(gen_random_uuid()::text, '-', ''), %s, now(), %s, 'message', %s, %s)",
        (job, level, Jsonb(kept(message)), Jsonb(_finite(dict(data or {})))),
    )


def keep(connection: psycopg.Connection, job: str, key: str, event: Event) -> None:
    """Keep one event of the process under its id, and what it says about the job."""
    data = _finite(event.data)
    level = "error" if event.kind == "failed" else "warn" if data.get("level") == "warn" else "info"
    if event.step or event.kind == "metrics":
        data["step"] = event.step
    connection.execute(
        "INSERT INTO training_event (id, job_id, at, level, kind, message, data) VALUES (%s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT (id) DO NOTHING",
        (
            key,
            job,
            event.at,
            level,
            "metrics" if event.kind == "metrics" else "message",
            Jsonb(_finite(event.said) if event.said is not None else event.message.replace("\0", "")),
            Jsonb(data),
        ),
    )
    if event.kind == "preflight":
        connection.execute("UPDATE training_job SET preflight = %s WHERE id = %s", (Jsonb(data), job))
    elif event.kind == "metrics":
        _progress(connection, job, event, data)
    elif event.kind == "checkpoint":
        _checkpoint(connection, job, event)


def _progress(connection: psycopg.Connection, job: str, event: Event, data: JSON) -> None:
    remaining = data.get("remaining_s")
    finish = None
    if isinstance(remaining, (int, float)) and 0 <= remaining < 1e8:
        at = datetime.fromisoformat(event.at)
        finish = (at if at.tzinfo is not None else at.replace(tzinfo=UTC)) + timedelta(seconds=remaining)
    connection.execute(
        "UPDATE training_job SET step = %s, total_steps = coalesce(%s, total_steps),"
        " trained_tokens = coalesce(%s, trained_tokens), estimated_finish = %s WHERE id = %s",
        (event.step, _whole(data.get("total_steps")), _whole(data.get("trained_tokens")), finish, job),
    )


def _checkpoint(connection: psycopg.Connection, job: str, event: Event) -> None:
    row = connection.execute(
        "SELECT data FROM training_event WHERE job_id = %s AND kind = 'metrics' AND (data->>'step')::int = %s"
        " ORDER BY number DESC LIMIT 1",
        (job, event.step),
    ).fetchone()
    measured = row[0] if row is not None else {}
    metrics = {
        "step": event.step,
        **{name: measured[name] for name in _METRICS if measured.get(name) is not None},
    }
    connection.execute(
        "INSERT INTO training_checkpoint (id, job_id, step, metrics, created_at)"
        " VALUES ('ftckpt-' || replace(gen_random_uuid()::text, '-', ''), %s, %s, %s, %s)"
        " ON CONFLICT (job_id, step) DO UPDATE SET metrics = excluded.metrics",
        (job, event.step, Jsonb(metrics), event.at),
    )
    connection.execute(
        "UPDATE training_job SET crashes = CASE WHEN %(step)s > checkpoint_step THEN 0 ELSE crashes END,"
        " checkpoint_step = %(step)s WHERE id = %(job)s",
        {"step": event.step, "job": job},
    )


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _finite(data: Mapping[str, Any]) -> JSON:
    """Without what JSON in the database cannot hold: numbers that are none, and NUL."""
    found: JSON = {}
    for name, value in data.items():
        if isinstance(value, float) and not math.isfinite(value):
            value = None
        elif isinstance(value, str):
            value = value.replace("\0", "")
        elif isinstance(value, Mapping):
            value = _finite(value)
        found[name] = value
    return found
