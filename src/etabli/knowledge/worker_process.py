"""The child process that makes documents searchable: `python -m etabli.knowledge.worker_process`.

It follows the contract of `engines.supervisor`: one JSON line on stdin (`WorkerConfig`, with secrets: never in
arguments or environment), `{"ready": true}` on stdout, exit when stdin ends. On SIGTERM it finishes what is in
hand; killed at any moment it loses nothing, because each step of a document is one transaction. Its priority is its
parent's business (`priority.give_way`); its work in the embedded database comes after that of others.
"""

import json
import logging
import os
import signal
import sys
import threading
from typing import Any, Literal

import psycopg
from pydantic import BaseModel, ConfigDict, SecretStr

from etabli.errors import EtabliError
from etabli.messages import set_language
from etabli.priority import give_way_in_database
from etabli.processes import die_with_parent, exit_at_eof
from etabli.settings import Settings, load_settings

COMMAND = (sys.executable, "-m", "etabli.knowledge.worker_process")
log = logging.getLogger(__name__)


class WorkerConfig(BaseModel):
    """What the child is told."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parent_pid: int
    language: Literal["fr", "en"]
    settings: dict[str, Any]

    @classmethod
    def of(cls, settings: Settings, *, parent_pid: int, language: str) -> "WorkerConfig":
        """The configuration, secrets in clear: it travels through a pipe and nothing else."""
        values = {
            name: value.get_secret_value() if isinstance(value, SecretStr) else value
            for name, value in settings
        }
        return cls.model_validate(
            {
                "parent_pid": parent_pid,
                "language": language,
                "settings": json.loads(json.dumps(values, default=str)),
            }
        )


def main() -> None:
    """Work until told to stop, or until the parent goes."""
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print to stdout goes to the log
    config = WorkerConfig.model_validate_json(sys.stdin.buffer.readline())
    die_with_parent(config.parent_pid)
    exit_at_eof(sys.stdin.buffer)
    logging.basicConfig(stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    set_language(config.language)
    try:
        _work(load_settings(**config.settings), replies, stop)
    except EtabliError as error:
        log.error("%s", error)
        _reply(replies, {"error": str(error)})
        sys.exit(1)


def _work(settings: Settings, replies: Any, stop: threading.Event) -> None:
    # Heavy, and none of it is needed to say that the configuration cannot be used.
    from etabli.engines.embeddings import create_embedder
    from etabli.jobs.worker import Worker
    from etabli.knowledge.ingestion import EMBED_JOB, TEND_JOB, Ingestion
    from etabli.knowledge.library import READ_JOB
    from etabli.knowledge.reading import DocumentReader
    from etabli.storage.database import Database

    ours = settings.database_url is None

    def configure(connection: psycopg.Connection) -> None:
        if ours:
            give_way_in_database(connection.info.backend_pid)

    embedder = create_embedder(settings)
    try:
        with Database.open(settings, configure=configure) as database, DocumentReader(settings) as reader:
            ingestion = Ingestion(database, settings, reader=reader, embedder=embedder)
            with Worker(database, ingestion, lanes=[[READ_JOB], [EMBED_JOB, TEND_JOB]]):
                _reply(replies, {"ready": True})
                stop.wait()
    finally:
        embedder.close()


def _reply(replies: Any, value: dict[str, Any]) -> None:
    replies.write(json.dumps(value) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
