import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from etabli.cli.main import app
from etabli.doctor import installation, machine, parts
from etabli.doctor.checks import CHECKS
from etabli.doctor.findings import Finding, Patient, examine
from etabli.models.catalogue import load_catalogue
from etabli.models.machine import Machine, read_machine
from etabli.models.store import ModelStore
from etabli.processes import write_private_json
from etabli.settings import Settings, load_settings
from etabli.storage.database import Database

GIB = 1 << 30


@pytest.fixture
def patient(tmp_path: Path) -> Patient:
    folder = tmp_path / "office"
    folder.mkdir()
    (folder / "etabli.toml").write_text("", encoding="utf-8")
    settings = load_settings(folder, models_dir=tmp_path / "models", port=0)
    return Patient(settings=settings, settings_fault=None, is_workspace=True, deep=False)


@pytest.fixture
def strong(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with everything, in place of this one."""
    found = Machine(
        architecture="x86_64",
        cores=8,
        cpu_flags=frozenset({"avx2"}),
        memory_total=64 * GIB,
        memory_available=60 * GIB,
        memory_limited=False,
        disk_free=500 * GIB,
    )
    monkeypatch.setattr(machine, "read_machine", lambda _: found)
    return found


def with_settings(patient: Patient, **changes: object) -> Patient:
    return replace(patient, settings=patient.settings.model_copy(update=changes))


def broken(_: Patient) -> Finding:
    raise KeyError("oops")


def fine(_: Patient) -> Finding:
    return Finding("fine", "ok", "fine")


def test_a_check_that_breaks_is_a_finding_and_the_next_goes_on(patient: Patient) -> None:
    found = examine(patient, (broken, fine))
    assert [(one.check, one.level) for one in found] == [("broken", "failure"), ("fine", "ok")]
    assert "KeyError" in found[0].sentence


def test_checks_are_named_after_themselves(patient: Patient, strong: Machine) -> None:
    quick = [check for check in CHECKS if check.__name__ not in ("database", "embeddings")]
    assert [one.check for one in examine(patient, quick)] == [check.__name__ for check in quick]
    assert len({check.__name__ for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize(
    ("flags", "engine", "level", "words"),
    [
        ({"sse4_2"}, None, "failure", "no AVX2"),
        ({"sse4_2"}, "http://127.0.0.1:1/v1", "warning", "no AVX2"),
        ({"avx2"}, None, "ok", "8 cores"),
        ({"avx2", "avx512f"}, None, "ok", "leaves AVX-512 or AMX unused"),
        ({"avx2", "avx512f"}, "http://127.0.0.1:1/v1", "ok", "8 cores"),
    ],
)
def test_processors(
    patient: Patient,
    strong: Machine,
    monkeypatch: pytest.MonkeyPatch,
    flags: set[str],
    engine: str | None,
    level: str,
    words: str,
) -> None:
    monkeypatch.setattr(machine, "read_machine", lambda _: replace(strong, cpu_flags=frozenset(flags)))
    found = machine.processor(with_settings(patient, engine_url=engine, engine_model="m"))
    assert found.level == level and words in found.sentence


def test_memory_is_compared_with_the_model(
    patient: Patient, strong: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine.memory(patient).level == "ok"
    weak = replace(strong, memory_total=GIB, memory_available=GIB // 2)
    monkeypatch.setattr(machine, "read_machine", lambda _: weak)
    found = machine.memory(patient)
    assert found.level == "failure" and found.remedy is not None and "smaller model" in found.remedy
    assert (
        machine.memory(with_settings(patient, engine_url="http://gpu:1/v1", engine_model="m")).level == "ok"
    )


def test_disks(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    size = load_catalogue().get(patient.settings.model).size_bytes
    for free, level in (
        (500 * GIB, "ok"),
        (size + GIB // 4, "warning"),
        (size - 1, "failure"),
        (1000, "failure"),
    ):
        monkeypatch.setattr(machine, "free_disk", lambda _, free=free: free)
        assert machine.disk(patient).level == level


def test_a_clock_that_lags(patient: Patient) -> None:
    assert machine.clock(patient).level == "ok"
    tomorrow = time.time() + 3 * 86_400
    os.utime(patient.settings.workspace / "etabli.toml", (tomorrow, tomorrow))
    assert machine.clock(patient).level == "failure"


def test_a_missing_tesseract(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda _: None)
    found = machine.recognition(patient)
    assert found.level == "warning" and "apt install" in (found.remedy or "")


def test_assistants_with_faults(patient: Patient) -> None:
    assert installation.assistants(patient).level == "warning"
    folder = patient.settings.assistants_dir
    folder.mkdir()
    (folder / "rh.yaml").write_text("name: rh\ntitle: RH\n", encoding="utf-8")
    assert installation.assistants(patient).level == "ok"
    (folder / "bad.yaml").write_text("name: bad\nunknown: 1\n", encoding="utf-8")
    found = installation.assistants(patient)
    assert found.level == "failure" and "bad.yaml" in found.sentence


def test_what_others_may_read(patient: Patient) -> None:
    run = patient.settings.run_dir
    run.mkdir(parents=True)
    patient.settings.data_dir.chmod(0o700)
    (run / "api-key").write_text("k", encoding="utf-8")
    (run / "api-key").chmod(0o600)
    assert installation.permissions(patient).level == "ok"
    (run / "api-key").chmod(0o644)
    assert str(run / "api-key") in installation.permissions(patient).sentence
    (run / "api-key").chmod(0o600)
    patient.settings.data_dir.chmod(0o755)
    assert installation.permissions(patient).level == "failure"
    patient.settings.data_dir.chmod(0o711)
    assert installation.permissions(patient).level == "ok"


def test_settings_with_secrets_are_for_their_owner(patient: Patient) -> None:
    (patient.settings.workspace / "etabli.toml").chmod(0o644)
    assert installation.permissions(patient).level == "ok"
    secret = load_settings(patient.settings.workspace, engine_key="k")
    found = installation.permissions(replace(patient, settings=secret))
    assert found.level == "failure" and "chmod" in (found.remedy or "")


def test_a_taken_port(patient: Patient) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = installation.port(with_settings(patient, port=port))
        assert found.level == "failure" and str(port) in found.sentence
    assert installation.port(with_settings(patient, port=port)).level == "ok"
    assert installation.port(with_settings(patient, host="203.0.113.1", port=port)).level == "failure"


def test_leftovers(patient: Patient) -> None:
    run = patient.settings.run_dir
    assert installation.leftovers(patient).level == "ok"
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    write_private_json(run / "server.json", {"url": "http://127.0.0.1:1", "pid": gone.pid})
    assert "server.json" in installation.leftovers(patient).sentence
    (run / "server.json").unlink()
    write_private_json(run / "engine.json", {"url": "http://127.0.0.1:1", "pid": os.getpid()})
    assert str(os.getpid()) in installation.leftovers(patient).sentence


def test_what_may_leave_the_machine(patient: Patient, tmp_path: Path) -> None:
    assert "Nothing leaves" in installation.outbound(patient).sentence
    settings = load_settings(
        patient.settings.workspace,
        outbound=("mirror.example.org",),
        engine_url="http://gpu.example.org:8000/v1",
        engine_model="m",
        embeddings_url="http://127.0.0.1:9/v1",
        embeddings_model="e",
        database_url="postgresql://etabli:hush@db.example.org/etabli",
    )
    sentence = installation.outbound(replace(patient, settings=settings)).sentence
    assert all(name in sentence for name in ("mirror.example.org", "gpu.example.org", "db.example.org"))
    assert "127.0.0.1" not in sentence and "hush" not in sentence


def test_the_model_is_looked_for(patient: Patient, tmp_path: Path) -> None:
    assert parts.model(patient).level == "warning"
    (tmp_path / "m.gguf").write_bytes(b"GGUF" + bytes(1000))
    store = ModelStore(patient.settings.models_dir)
    manifest = store.add_file(tmp_path / "m.gguf", name="ours")
    ours = with_settings(patient, model="ours")
    assert parts.model(ours).level == "ok"
    blob = store.blob(manifest.sha256)
    blob.chmod(0o600)
    blob.write_bytes(b"GGUF" + bytes(999) + b"x")
    assert parts.model(ours).level == "ok"
    assert parts.model(replace(ours, deep=True)).level == "failure"
    assert blob.exists(), "the doctor changes nothing"


def test_an_external_database(patient: Patient, database: Database) -> None:
    there = load_settings(patient.settings.workspace, database_url=database.conninfo)
    found = parts.database(replace(patient, settings=there))
    assert found.level == "ok" and "pgvector 0.8" in found.sentence
    with database.owner() as connection:
        connection.execute("INSERT INTO migration (number) VALUES (9999)")
    assert "9999" in parts.database(replace(patient, settings=there)).sentence
    gone = load_settings(patient.settings.workspace, database_url="host=/nowhere dbname=x password=hush")
    (found,) = examine(replace(patient, settings=gone), (parts.database,))
    assert found.level == "failure" and "hush" not in found.sentence


def test_the_embedded_database_is_tried_without_making_one(patient: Patient) -> None:
    found = parts.database(patient)
    assert found.level == "ok" and "embedded PostgreSQL" in found.sentence
    assert not patient.settings.data_dir.exists()


def test_embeddings_are_tried(patient: Patient) -> None:
    found = parts.embeddings(patient)
    assert found.level == "ok" and "384 dimensions" in found.sentence


def test_settings_that_cannot_be_used_do_not_stop_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("etabli.doctor.checks.CHECKS", (installation.settings, machine.characters))
    (tmp_path / "etabli.toml").write_text("prot = 1\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["-w", str(tmp_path), "doctor", "--json"])
    report = json.loads(result.stdout)
    assert result.exit_code == 1 and report["ok"] is False
    assert [one["level"] for one in report["findings"]] == ["failure", "ok"]
    assert "prot" in report["findings"][0]["sentence"]


def test_the_report_for_people(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    def scarce(_: Patient) -> Finding:
        return Finding("scarce", "warning", "Little room", "Free some")

    monkeypatch.setattr("etabli.doctor.checks.CHECKS", (fine, scarce))
    command = ["-w", str(patient.settings.workspace), "doctor"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    assert "✓ fine" in result.stdout and "! Little room" in result.stdout and "→ Free some" in result.stdout
    monkeypatch.setattr("etabli.doctor.checks.CHECKS", (broken,))
    assert CliRunner().invoke(app, command).exit_code == 1


def test_this_machine_is_read(tmp_path: Path) -> None:
    settings = Settings.model_construct(models_dir=tmp_path, engine_url=None)
    patient = Patient(settings=settings, settings_fault=None, is_workspace=False, deep=False)
    assert str(read_machine(tmp_path).cores) in machine.processor(patient).sentence
    assert machine.python(patient).level == "ok"
