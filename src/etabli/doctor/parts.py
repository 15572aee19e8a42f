"""Checks of the parts that answer: model, engine, database, embeddings. Each is tried, not only looked at."""

import contextlib
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from etabli.doctor.findings import Finding, Patient
from etabli.engines.embeddings import create_embedder
from etabli.messages import tr
from etabli.models.hashing import sha256_of
from etabli.models.sizes import format_bytes
from etabli.models.store import ModelStore
from etabli.settings import Settings
from etabli.storage.embedded import EmbeddedPostgres
from etabli.storage.migrations import available

_LEAST_PGVECTOR = (0, 8)
_CONNECT_TIMEOUT_S = 3


def model(patient: Patient) -> Finding:
    """The configured model is here; with `deep`, its bytes are the right ones."""
    settings = patient.settings
    if settings.engine_url is not None:
        return Finding(
            "model", "ok", tr("The engine elsewhere has the model {name}", name=settings.engine_model)
        )
    store = ModelStore(settings.models_dir)
    manifest = store.manifest(settings.model)
    if manifest is None or not store.present(manifest):
        return Finding(
            "model",
            "warning",
            tr("The model {name} is not here yet", name=settings.model),
            tr("The first start fetches it; or now: etabli models pull {name}", name=settings.model),
        )
    if patient.deep and sha256_of(store.blob(manifest.sha256)) != manifest.sha256:
        return Finding(
            "model",
            "failure",
            tr("The file of the model {name} is damaged", name=settings.model),
            tr("Get it again with: etabli models pull {name} --again", name=settings.model),
        )
    size = format_bytes(manifest.size_bytes)
    if patient.deep:
        return Finding(
            "model",
            "ok",
            tr("The model {name} is here, every byte checked ({size})", name=manifest.name, size=size),
        )
    return Finding("model", "ok", tr("The model {name} is here ({size})", name=manifest.name, size=size))


def database(patient: Patient) -> Finding:
    """The embedded server starts, or the external one answers; pgvector is recent enough."""
    settings = patient.settings
    external = settings.database_url is not None
    with _connection(settings) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),"
            " (SELECT coalesce(installed_version, default_version) FROM pg_available_extensions"
            " WHERE name = 'vector'), to_regclass('migration') IS NOT NULL"
        ).fetchone()
        assert row is not None
        server, superuser, pgvector, made = row
        number = connection.execute("SELECT max(number) FROM migration").fetchone() if made else None
    words = {"version": server.split()[0], "pgvector": pgvector}
    if pgvector is None or tuple(map(int, pgvector.split(".")[:2])) < _LEAST_PGVECTOR:
        return Finding(
            "database",
            "failure",
            tr("PostgreSQL {version} has pgvector {pgvector}; 0.8 or later is needed",
               **words | {"pgvector": pgvector or tr("none")}),
            tr("Install it on the server, then: ALTER EXTENSION vector UPDATE"),
        )  # fmt: skip
    if number is not None and number[0] is not None and number[0] > max(available()):
        return Finding(
            "database",
            "failure",
            tr("The database is newer than this program (migration {found})", found=number[0]),
            tr("Install the newer version of Établi that made it."),
        )
    if external and not superuser:
        return Finding(
            "database",
            "ok",
            tr("PostgreSQL {version} with pgvector {pgvector} answers, as an ordinary user: searches by word are "
               "slower, with the same results", **words),
            tr("From about 10,000 documents on, have a superuser make the database's first tables."),
        )  # fmt: skip
    if external:
        return Finding("database", "ok", tr("PostgreSQL {version} with pgvector {pgvector} answers", **words))
    cluster = settings.data_dir / "postgres"
    if os.geteuid() == 0 and cluster.is_dir() and cluster.stat().st_uid != 0:
        return Finding(
            "database",
            "ok",
            tr(
                "The embedded PostgreSQL {version} with pgvector {pgvector} starts, as a system user", **words
            ),
        )
    return Finding(
        "database", "ok", tr("The embedded PostgreSQL {version} with pgvector {pgvector} starts", **words)
    )


def embeddings(patient: Patient) -> Finding:
    """One question is embedded."""
    embedder = create_embedder(patient.settings)
    try:
        embedder.embed_queries(["?"])
        began = time.monotonic()
        vector = embedder.embed_queries(["Quel est le délai de préavis ?"])
        took_ms = (time.monotonic() - began) * 1000
        precision = getattr(embedder, "precision", None)
    finally:
        embedder.close()
    return Finding(
        "embeddings",
        "ok",
        tr(
            "Embeddings work: {dimensions} dimensions, {precision}, {took} ms a question",
            dimensions=vector.shape[1],
            precision=precision or tr("external"),
            took=round(took_ms),
        ),
    )


@contextlib.contextmanager
def _connection(settings: Settings) -> Iterator[psycopg.Connection]:
    """The workspace's database; where there is none yet, a new one in a folder that is thrown away."""
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        with psycopg.connect(url, autocommit=True, connect_timeout=_CONNECT_TIMEOUT_S) as connection:
            yield connection
        return
    with contextlib.ExitStack() as closing:
        data, run, log = settings.data_dir / "postgres", settings.run_dir, settings.logs_dir / "postgres.log"
        if not (data / "PG_VERSION").exists():
            folder = Path(closing.enter_context(tempfile.TemporaryDirectory(prefix="etabli-doctor-")))
            data, run, log = folder / "postgres", folder / "run", folder / "log"
        memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        server = EmbeddedPostgres(data, run_dir=run, log_path=log, memory_bytes=memory_bytes)
        closing.callback(server.stop)
        yield closing.enter_context(psycopg.connect(server.start(), autocommit=True))
