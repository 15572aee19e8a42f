"""The content-addressed store on a real disk."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_models import digest, small_catalogue

from etabli.errors import IntegrityError, InvalidInputError, ModelStoreError, NotFoundError
from etabli.models.importing import import_file
from etabli.models.store import ModelStore


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "some.gguf"
    path.write_bytes(b"GGUF some weights")
    return path


def test_a_file_is_kept_by_its_hash(store: ModelStore, file: Path) -> None:
    manifest = store.add_file(file, name="some", licence="MIT")
    assert manifest.sha256 == digest(file.read_bytes())
    assert store.path_of("some") == store.path_of(manifest.sha256) == store.blob(manifest.sha256)
    assert store.manifests() == (manifest,)
    assert file.exists()


def test_changing_the_original_does_not_change_the_model(store: ModelStore, file: Path) -> None:
    store.add_file(file, name="some")
    with file.open("r+b") as opened:
        opened.write(b"XXXX")
    assert store.path_of("some").read_bytes() == b"GGUF some weights"
    store.verify("some")


def test_verify_finds_a_wrong_byte_and_sets_the_file_aside(store: ModelStore, file: Path) -> None:
    manifest = store.add_file(file, name="some")
    blob = store.blob(manifest.sha256)
    os.chmod(blob, 0o644)
    blob.write_bytes(b"GGUF some weightz")
    with pytest.raises(IntegrityError) as caught:
        store.verify("some")
    message = str(caught.value)
    assert "some.gguf" in message and manifest.sha256 in message and digest(b"GGUF some weightz") in message
    assert "etabli models pull some --again" in message
    assert not blob.exists()
    with pytest.raises(NotFoundError, match="etabli models pull some"):
        store.path_of("some")
    store.add_file(file, name="some")
    store.verify("some")


def test_a_file_of_another_size_is_not_present(store: ModelStore, file: Path) -> None:
    manifest = store.add_file(file, name="some")
    blob = store.blob(manifest.sha256)
    os.chmod(blob, 0o644)
    with blob.open("ab") as opened:
        opened.write(b"!")
    assert not store.present(manifest)
    with pytest.raises(NotFoundError):
        store.path_of("some")


def test_wrong_bytes_never_enter(store: ModelStore, file: Path) -> None:
    with pytest.raises(IntegrityError):
        store.add_file(file, name="some", expected="0" * 64)
    assert store.manifests() == ()
    assert list((store.root / "partial").iterdir()) == []
    assert file.exists()


def test_the_copy_of_a_dead_process_is_deleted(store: ModelStore, file: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = store.root / "partial" / f"import-{gone.pid}-1"
    living = store.root / "partial" / f"import-{os.getpid()}-1"
    left.parent.mkdir(parents=True)
    for path in (left, living):
        path.write_bytes(b"half")
    store.add_file(file, name="some")
    assert not left.exists() and living.exists()


def test_two_names_share_the_bytes_until_the_last_is_removed(store: ModelStore, file: Path) -> None:
    manifest = store.add_file(file, name="one")
    store.add_file(file, name="two")
    assert store.remove("one") == 0
    assert store.path_of("two").exists()
    assert store.remove("two") == manifest.size_bytes
    assert not store.blob(manifest.sha256).exists()
    with pytest.raises(NotFoundError):
        store.remove("two")


def test_a_damaged_manifest_says_what_to_do(store: ModelStore, file: Path) -> None:
    store.add_file(file, name="some")
    (store.root / "manifests" / "some.json").write_text("{")
    with pytest.raises(ModelStoreError, match="pull some again"):
        store.manifest("some")


def test_the_lock_dies_with_its_holder(store: ModelStore) -> None:
    script = (
        "import sys, time; from pathlib import Path; from etabli.models.store import ModelStore\n"
        f"with ModelStore(Path({str(store.root)!r})).lock('k'):\n"
        "    print('held', flush=True); time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    waits: list[int] = []

    def on_wait() -> None:
        waits.append(1)
        holder.kill()

    with store.lock("k", on_wait=on_wait):
        assert waits == [1]
    holder.communicate()


def test_import_finds_the_name_of_known_bytes(store: ModelStore, file: Path) -> None:
    catalogue = small_catalogue(file.read_bytes())
    manifest = import_file(store, file, catalogue=catalogue)
    assert (manifest.name, manifest.file, manifest.licence) == ("small", "small.gguf", "Apache-2.0")
    assert manifest.trust == "pinned"


def test_import_of_unknown_bytes_takes_the_file_name(store: ModelStore, file: Path) -> None:
    manifest = import_file(store, file)
    assert (manifest.name, manifest.licence, manifest.trust) == ("some", "unknown", "first_use")
    assert import_file(store, file, name="other").name == "other"


def test_import_refuses_a_pinned_name_for_other_bytes(store: ModelStore, file: Path) -> None:
    with pytest.raises(IntegrityError, match="is not the expected file of the model small"):
        import_file(store, file, name="small", catalogue=small_catalogue(b"GGUF else"))


def test_import_refuses_what_is_no_model(store: ModelStore, tmp_path: Path) -> None:
    page = tmp_path / "page.gguf"
    page.write_text("<html>sign in</html>")
    with pytest.raises(InvalidInputError, match="is not a GGUF file"):
        import_file(store, page)
    with pytest.raises(InvalidInputError, match="There is no file"):
        import_file(store, tmp_path / "missing.gguf")
