import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from etabli.errors import DocumentError, EtabliError
from etabli.knowledge import reader_processes
from etabli.knowledge.reading import DocumentReader
from etabli.messages import set_language
from etabli.settings import Settings

READERS = Path(__file__).parent / "readers"
HOOKED = (sys.executable, "-P", str(READERS / "hooked_worker.py"))
DEMO = Path(__file__).parents[2] / "examples" / "clinique" / "documents"
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="these barriers are Linux's")


@pytest.fixture
def note(tmp_path: Path) -> Path:
    path = tmp_path / "0f3a"
    path.write_text("# Objet\n\nLe texte de la note.\n", encoding="utf-8")
    return path


@pytest.fixture
def reader() -> Iterator[DocumentReader]:
    with DocumentReader(Settings(reader_timeout_s=20), workers=2) as value:
        yield value


@pytest.fixture
def hooked() -> Iterator[DocumentReader]:
    with DocumentReader(Settings(reader_timeout_s=20), workers=1, command=HOOKED) as value:
        yield value


def refusal(reader: DocumentReader, path: Path, name: str) -> DocumentError:
    with pytest.raises(DocumentError) as caught:
        reader.read(path, name=name)
    return caught.value


def test_a_file_is_read_and_its_name_is_only_a_hint(reader: DocumentReader, note: Path) -> None:
    assert reader.read(note, name="note.md").text == "Objet\n\nLe texte de la note."
    assert reader.read(note, name="../../note.md").media_type == "text/markdown"
    assert reader.read(note, name="note.txt").media_type == "text/plain"


def test_one_worker_reads_many_files_and_is_replaced(
    reader: DocumentReader, note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader_processes, "FILES_PER_WORKER", 3)
    pids = []
    for _ in range(5):
        reader.read(note, name="note.md")
        pids += [worker.pid for worker in reader._idle]
    assert len(pids) == 4 and len(set(pids)) == 2


def test_threads_share_the_workers(reader: DocumentReader, note: Path) -> None:
    with ThreadPoolExecutor(6) as pool:
        texts = list(pool.map(lambda _: reader.read(note, name="note.md").text, range(20)))
    assert set(texts) == {"Objet\n\nLe texte de la note."}
    assert 1 <= len(reader._idle) <= 2


def test_a_worker_outlives_the_thread_that_first_used_it(reader: DocumentReader, note: Path) -> None:
    thread = threading.Thread(target=lambda: reader.read(note, name="note.md"))
    thread.start()
    thread.join()
    (worker,) = reader._idle
    reader.read(note, name="note.md")
    assert [w.pid for w in reader._idle] == [worker.pid]


def test_refusals_come_back_with_state_and_sentence_in_the_language(
    reader: DocumentReader, tmp_path: Path
) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"PK\x03\x04 cut")
    assert "damaged" in str(refusal(reader, path, "x.docx"))
    set_language("fr")
    error = refusal(reader, path, "x.docx")
    assert error.state == "broken" and "abîmé" in str(error)


def test_size_limits_hold_before_a_worker_sees_the_file(note: Path, tmp_path: Path) -> None:
    with DocumentReader(Settings(max_document_bytes=10)) as reader:
        assert refusal(reader, note, "note.md").state == "too_large"
        empty = tmp_path / "empty"
        empty.touch()
        assert refusal(reader, empty, "note.md").state == "empty"
        assert reader._idle == []


@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("crash", "broken", "SIGABRT"),
        ("kill", "broken", "exit status 3"),
        ("lie", "broken", "invalid answer"),
        ("memory", "too_large", "memory"),
        ("write=/tmp/etabli-reader-test", "unsafe", "forbidden action (open)"),
        ("run=/bin/true", "unsafe", "forbidden action (subprocess.Popen)"),
    ],
)
def test_a_worker_that_fails_costs_one_file(
    hooked: DocumentReader, note: Path, name: str, state: str, words: str
) -> None:
    error = refusal(hooked, note, name)
    assert error.state == state and words in str(error)
    assert hooked.read(note, name="note.md").text.startswith("Objet")
    assert not Path("/tmp/etabli-reader-test").exists()


def test_an_endless_loop_is_stopped_by_its_cpu_time(note: Path) -> None:
    with DocumentReader(Settings(reader_timeout_s=0.5), workers=1, command=HOOKED) as reader:
        error = refusal(reader, note, "loop")
        assert error.state == "timeout" and "0.5 seconds" in str(error)
        assert reader.read(note, name="note.md").text.startswith("Objet")


def test_a_silent_worker_is_killed_by_the_wall_clock(note: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader_processes, "WALL_CLOCK_MARGIN_S", 1.0)
    with DocumentReader(Settings(reader_timeout_s=0.1), workers=1, command=HOOKED) as reader:
        assert refusal(reader, note, "sleep").state == "timeout"


def test_a_killed_worker_is_replaced(reader: DocumentReader, note: Path) -> None:
    reader.read(note, name="note.md")
    (worker,) = reader._idle
    os.kill(worker.pid, signal.SIGKILL)
    assert reader.read(note, name="note.md").text.startswith("Objet")


@linux_only
def test_the_network_is_refused_twice(hooked: DocumentReader, note: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        error = refusal(hooked, note, f"connect={port}")
        assert error.state == "unsafe" and "socket" in str(error)
        (worker,) = hooked._idle
        if worker.barriers["network"]:
            # Native code does not pass the audit hook; the kernel refuses it.
            assert hooked.read(note, name=f"connect-in-c={port}").text
        with pytest.raises(TimeoutError):
            server.accept()


@linux_only
def test_native_code_cannot_write(hooked: DocumentReader, note: Path, tmp_path: Path) -> None:
    target = tmp_path / "written"
    hooked.read(note, name=f"write-in-c={target}")
    (worker,) = hooked._idle
    if worker.barriers["writing"]:
        assert not target.exists()
    else:
        assert target.stat().st_size == 0


def test_a_worker_sees_no_environment(
    hooked: DocumentReader, note: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETABLI_DATABASE_URL", "postgresql://secret")
    hooked.read(note, name="note.md")
    (worker,) = hooked._idle
    environment = Path(f"/proc/{worker.pid}/environ")
    if environment.exists():
        assert b"secret" not in environment.read_bytes()


@linux_only
def test_workers_die_with_their_parent(note: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from etabli.settings import Settings\n"
        "from etabli.knowledge.reading import DocumentReader\n"
        f"r = DocumentReader(Settings(), workers=1); r.read(Path({str(note)!r}), name='note.md')\n"
        "print(r._idle[0].pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()
    for _ in range(200):
        if not _runs(pid):
            return
        time.sleep(0.05)
    pytest.fail("the worker is still there")


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_worker_that_does_not_start_is_not_the_fault_of_the_file(note: Path) -> None:
    command = (sys.executable, "-c", "raise SystemExit(7)")
    with DocumentReader(Settings(), command=command) as reader:
        with pytest.raises(EtabliError, match="exit status 7") as caught:
            reader.read(note, name="note.md")
    assert not isinstance(caught.value, DocumentError)


def test_after_close_nothing_is_left(note: Path) -> None:
    reader = DocumentReader(Settings())
    reader.read(note, name="note.md")
    (worker,) = reader._idle
    reader.close()
    assert not worker.is_alive()
    with pytest.raises(RuntimeError, match="closed"):
        reader.read(note, name="note.md")


ENGLISH = {"infusion-pump-service-agreement.docx", "staff-guide.pdf"}
needs_demo = pytest.mark.skipif(not DEMO.is_dir(), reason="the demo's documents are not in this checkout")


@needs_demo
def test_every_document_of_the_demo_is_read() -> None:
    paths = sorted(path for path in DEMO.rglob("*") if path.is_file())
    assert len(paths) > 20
    scans = []
    with DocumentReader(Settings(), ocr=False) as reader:
        for path in paths:
            try:
                document = reader.read(path, name=path.name)
            except DocumentError as error:
                assert error.state == "needs_ocr", path.name
                scans.append(path.name)
                continue
            assert len(document.text) > 500, path.name
            assert document.title or document.media_type == "text/csv", path.name
            assert document.language == ("en" if path.name in ENGLISH else "fr"), path.name
            if document.media_type == "application/pdf":
                assert all(block.boxes for block in document.blocks), path.name
    assert len(scans) <= 1


@needs_demo
@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")
def test_the_scan_of_the_demo_is_recognised(reader: DocumentReader) -> None:
    document = reader.read(DEMO / "direction" / "note-service-2026-07-stationnement.pdf", name="note.pdf")
    assert "le parking A est réservé aux patients" in document.text
    assert all(block.boxes for block in document.blocks)
