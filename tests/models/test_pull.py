"""Pulling over a real HTTP server that misbehaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from model_server import FileServer, Served
from small_models import QUICK, digest, small_catalogue

from etabli.errors import DiskSpaceError, DownloadError, IntegrityError, InvalidInputError, NotFoundError
from etabli.models.pull import Pulled, PullOptions, ensure_model, pull
from etabli.models.store import ModelStore
from etabli.settings import Settings

Make = Callable[..., Settings]


def pull_small(settings: Settings, data: bytes, **values: object) -> Pulled:
    pinned = bool(values.pop("pinned", True))
    hub = bool(values.pop("hub", False))
    options = PullOptions(limits=QUICK, **values)  # type: ignore[arg-type]
    return pull(settings, "small", options=options, catalogue=small_catalogue(data, pinned=pinned, hub=hub))


def test_the_mirror_is_asked_for_the_hash_and_then_for_the_file_name(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    server.files["/models/small.gguf"] = Served(model_bytes)
    done = pull_small(make_settings(mirror_url=f"{server.url}/models"), model_bytes)
    assert done.path.read_bytes() == model_bytes
    assert done.manifest.trust == "pinned"
    assert server.paths()[:2] == [f"/models/{digest(model_bytes)}", "/models/small.gguf"]
    assert not os.access(done.path, os.W_OK) or os.geteuid() == 0
    assert done.path.stat().st_mode & 0o222 == 0


def test_a_model_that_is_here_is_not_fetched_again(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    server.files[f"/{digest(model_bytes)}"] = Served(model_bytes)
    settings = make_settings(mirror_url=server.url)
    assert pull_small(settings, model_bytes).fetched
    server.reset()
    assert not pull_small(settings, model_bytes).fetched
    assert server.asked == []
    assert pull_small(settings, model_bytes, again=True).fetched
    assert server.sent_bytes >= len(model_bytes)


def test_connections_that_break_are_taken_up_where_they_stopped(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    served = Served(model_bytes, cuts=[40_000, 70_000, 0, 33_000, 50_000])
    server.files[f"/{digest(model_bytes)}"] = served
    done = pull_small(make_settings(mirror_url=server.url), model_bytes)
    assert done.path.read_bytes() == model_bytes
    assert served.cuts == []
    assert server.sent_bytes < len(model_bytes) + 5 * 2 * QUICK.block_bytes


def test_passing_errors_are_waited_out(server: FileServer, model_bytes: bytes, make_settings: Make) -> None:
    served = Served(model_bytes, statuses=[503])
    server.files[f"/{digest(model_bytes)}"] = served
    assert pull_small(make_settings(mirror_url=server.url), model_bytes).path.read_bytes() == model_bytes
    assert served.statuses == []


def test_a_second_pull_goes_on_after_a_failed_one(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    path = f"/{digest(model_bytes)}"
    server.files[path] = Served(model_bytes, cuts=[40_000] * 8 + [0] * 60)
    settings = make_settings(mirror_url=server.url)
    with pytest.raises(DownloadError):
        pull_small(settings, model_bytes)
    kept = sum(1 for _ in (settings.models_dir / "partial").rglob("blocks"))
    assert kept == 1
    server.files[path] = Served(model_bytes)
    server.reset()
    assert pull_small(settings, model_bytes).path.read_bytes() == model_bytes
    assert server.sent_bytes <= len(model_bytes) - QUICK.block_bytes
    assert list((settings.models_dir / "partial").iterdir()) == []


def test_a_file_that_changed_at_the_server_is_not_mixed_with_the_old_part(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    path = f"/{digest(model_bytes)}"
    server.files[path] = Served(bytes(len(model_bytes)), etag='"old"', cuts=[40_000] * 8 + [0] * 60)
    settings = make_settings(mirror_url=server.url)
    with pytest.raises(DownloadError):
        pull_small(settings, model_bytes)
    server.files[path] = Served(model_bytes, etag='"new"')
    assert pull_small(settings, model_bytes).path.read_bytes() == model_bytes


def test_a_server_without_ranges_sends_it_whole(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    server.files[f"/{digest(model_bytes)}"] = Served(model_bytes, ranges=False, cuts=[300_000])
    seen: list[tuple[int, int | None]] = []
    done = pull(
        make_settings(mirror_url=server.url),
        "small",
        options=PullOptions(limits=QUICK),
        progress=lambda count, total: seen.append((count, total)),
        catalogue=small_catalogue(model_bytes),
    )
    assert done.path.read_bytes() == model_bytes
    assert seen[-1] == (len(model_bytes), len(model_bytes))


def test_progress_ends_at_the_size_in_spite_of_cuts(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    server.files[f"/{digest(model_bytes)}"] = Served(model_bytes, cuts=[50_000, 90_000])
    seen: list[tuple[int, int | None]] = []
    pull(
        make_settings(mirror_url=server.url),
        "small",
        options=PullOptions(limits=QUICK),
        progress=lambda count, total: seen.append((count, total)),
        catalogue=small_catalogue(model_bytes),
    )
    assert seen[-1] == (len(model_bytes), len(model_bytes))
    assert max(count for count, _ in seen) == len(model_bytes)


def test_a_wrong_byte_is_an_integrity_error_and_the_file_is_set_aside(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    wrong = model_bytes[:-1] + bytes([model_bytes[-1] ^ 1])
    server.files[f"/{digest(model_bytes)}"] = Served(wrong)
    settings = make_settings(mirror_url=server.url)
    with pytest.raises(IntegrityError) as caught:
        pull_small(settings, model_bytes)
    message = str(caught.value)
    assert "small.gguf" in message and digest(model_bytes) in message and digest(wrong) in message
    assert "etabli models pull small --again" in message
    (aside,) = (settings.models_dir / "bad").iterdir()
    assert aside.read_bytes() == wrong
    with pytest.raises(NotFoundError):
        ModelStore(settings.models_dir).path_of("small")


def test_the_next_source_is_tried_when_one_has_wrong_bytes(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    server.files[f"/{digest(model_bytes)}"] = Served(bytes(len(model_bytes)))
    server.files["/owner/small-GGUF/resolve/main/small.gguf"] = Served(model_bytes)
    settings = make_settings(mirror_url=server.url)
    done = pull_small(settings, model_bytes, hub=True, hub_url=server.url)
    assert done.manifest.source.endswith("/owner/small-GGUF/resolve/main/small.gguf")


def test_a_pieced_together_file_that_is_wrong_is_fetched_once_more_from_the_start(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    path = f"/{digest(model_bytes)}"
    server.files[path] = Served(model_bytes, cuts=[40_000] * 8 + [0] * 60)
    settings = make_settings(mirror_url=server.url)
    with pytest.raises(DownloadError):
        pull_small(settings, model_bytes)
    (data,) = (settings.models_dir / "partial").rglob("data")
    data.write_bytes(bytes(len(model_bytes)))
    server.files[path] = Served(model_bytes)
    assert pull_small(settings, model_bytes).path.read_bytes() == model_bytes


def test_the_hub_redirects_and_announces_the_hash(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    address = "/owner/small-GGUF/resolve/main/small.gguf"
    server.redirects[address] = (
        f"{server.url}/cdn/blob",
        {"X-Linked-Etag": f'"{digest(model_bytes)}"'},
    )
    server.files["/cdn/blob"] = Served(model_bytes)
    done = pull_small(make_settings(), model_bytes, hub=True, pinned=False, hub_url=server.url)
    assert done.manifest.sha256 == digest(model_bytes)
    assert done.manifest.trust == "first_use"


def test_a_hub_file_with_another_hash_is_refused_before_it_is_downloaded(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    address = "/owner/small-GGUF/resolve/main/small.gguf"
    server.redirects[address] = (f"{server.url}/cdn/blob", {"X-Linked-Etag": '"' + "0" * 64 + '"'})
    server.files["/cdn/blob"] = Served(model_bytes)
    with pytest.raises(DownloadError, match="another file under this name"):
        pull_small(make_settings(), model_bytes, hub=True, hub_url=server.url)
    assert server.sent_bytes <= 1


def test_a_redirect_to_a_host_that_nobody_allowed_is_not_followed(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    server.redirects[f"/{digest(model_bytes)}"] = ("https://elsewhere.example.org/x", {})
    server.redirects["/small.gguf"] = ("https://elsewhere.example.org/x", {})
    with pytest.raises(DownloadError, match=r"Établi does not call elsewhere\.example\.org"):
        pull_small(make_settings(mirror_url=server.url), model_bytes)


def test_first_use_pins_the_name_for_good(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    changed = b"GGUF" + model_bytes[5:]
    server.files["/small.gguf"] = Served(model_bytes)
    settings = make_settings(mirror_url=server.url)
    assert pull_small(settings, model_bytes, pinned=False).manifest.trust == "first_use"
    server.files["/small.gguf"] = Served(changed, etag='"v2"')
    ModelStore(settings.models_dir).remove("small")
    with pytest.raises(IntegrityError, match="first seen"):
        pull_small(settings, model_bytes, pinned=False)
    done = pull_small(settings, model_bytes, pinned=False, sha256=digest(changed))
    assert done.path.read_bytes() == changed
    assert pull_small(settings, model_bytes, pinned=False).manifest.sha256 == digest(changed)


def test_a_sign_in_page_does_not_become_a_model(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    server.files["/small.gguf"] = Served(b"<html>Please sign in</html>", content_type="text/html")
    settings = make_settings(mirror_url=server.url)
    with pytest.raises(DownloadError, match="not a GGUF file"):
        pull_small(settings, model_bytes, pinned=False)
    assert ModelStore(settings.models_dir).pin("small") is None
    server.files["/small.gguf"] = Served(model_bytes)
    assert pull_small(settings, model_bytes, pinned=False).fetched


def test_offline_says_what_was_tried_and_the_ways_out(model_bytes: bytes, make_settings: Make) -> None:
    settings = make_settings(mirror_url="http://127.0.0.1:9/models")
    with pytest.raises(DownloadError) as caught:
        pull_small(settings, model_bytes, hub=True, hub_url="http://127.0.0.1:9")
    message = str(caught.value)
    assert "http://127.0.0.1:9/models" in message and "Hugging Face (owner/small-GGUF)" in message
    assert "cannot be reached" in message
    assert "etabli models import small.gguf --name small" in message


def test_a_full_disk_is_seen_before_the_download(
    server: FileServer, model_bytes: bytes, make_settings: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files[f"/{digest(model_bytes)}"] = Served(model_bytes)
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9 - 5000, 5000))
    with pytest.raises(DiskSpaceError, match="4.9 KiB free"):
        pull_small(make_settings(mirror_url=server.url), model_bytes)
    assert server.sent_bytes <= 1


def test_from_a_folder_finds_the_file_by_its_size(
    tmp_path: Path, model_bytes: bytes, make_settings: Make
) -> None:
    stick = tmp_path / "stick" / "deep"
    stick.mkdir(parents=True)
    (stick / "renamed.bin").write_bytes(model_bytes)
    (stick / "note.txt").write_text("hello")
    done = pull_small(make_settings(), model_bytes, origin=str(tmp_path / "stick"))
    assert done.path.read_bytes() == model_bytes
    assert (stick / "renamed.bin").stat().st_ino != done.path.stat().st_ino


def test_from_an_address_names_a_new_model(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    server.files["/ours.gguf"] = Served(model_bytes)
    settings = make_settings()
    options = PullOptions(origin=f"{server.url}/ours.gguf", limits=QUICK)
    done = pull(settings, "ours", options=options)
    assert done.manifest.file == "ours.gguf" and done.manifest.trust == "first_use"
    assert ensure_model(settings, "ours") == done.path


def test_credentials_of_a_mirror_are_used_and_never_shown(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    address = server.url.replace("http://", "http://user:secret@")
    settings = make_settings(mirror_url=address)
    with pytest.raises(DownloadError) as caught:
        pull_small(settings, model_bytes)
    assert "secret" not in str(caught.value)
    server.files["/small.gguf"] = Served(model_bytes)
    done = pull_small(settings, model_bytes)
    assert "secret" not in done.manifest.source
    assert all(asked.authorization for asked in server.asked)


def test_unknown_names_are_met_with_near_ones(make_settings: Make) -> None:
    with pytest.raises(NotFoundError, match=r"qwen2\.5-coder-1\.5b"):
        ensure_model(make_settings(), "qwen2.5-coder-1.5")


@pytest.mark.parametrize("name", ["../evil", "a/b", "", ".hidden", "Étage", "x" * 81])
def test_names_that_could_be_paths_are_refused(make_settings: Make, name: str) -> None:
    with pytest.raises(InvalidInputError):
        ensure_model(make_settings(), name)


def test_a_hash_against_the_catalogue_is_refused(model_bytes: bytes, make_settings: Make) -> None:
    with pytest.raises(InvalidInputError, match="pins small"):
        pull_small(make_settings(), model_bytes, sha256="0" * 64)
    with pytest.raises(InvalidInputError, match="64 hexadecimal digits"):
        pull_small(make_settings(), model_bytes, sha256="xyz")


def start_puller(tmp_path: Path, server: FileServer, data: bytes) -> subprocess.Popen[str]:
    (tmp_path / "data").write_bytes(data)
    here = Path(__file__).parent
    process = subprocess.Popen(
        [
            sys.executable,
            str(here / "model_puller.py"),
            str(tmp_path / "models"),
            server.url,
            str(tmp_path / "data"),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def test_a_pull_killed_in_the_middle_goes_on(
    tmp_path: Path, server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    path = f"/{digest(model_bytes)}"
    server.files[path] = Served(model_bytes, pause_s=0.02)
    process = start_puller(tmp_path, server, model_bytes)
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        journals = list((tmp_path / "models" / "partial").rglob("blocks"))
        if journals and len(journals[0].read_text().split()) >= 6:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    done_blocks = len(journals[0].read_text().split())
    time.sleep(0.1)
    server.files[path] = Served(model_bytes)
    server.reset()
    settings = make_settings(mirror_url=server.url)
    assert pull_small(settings, model_bytes).path.read_bytes() == model_bytes
    assert server.sent_bytes <= len(model_bytes) - (done_blocks - 1) * QUICK.block_bytes


def test_two_processes_pull_once(tmp_path: Path, server: FileServer, model_bytes: bytes) -> None:
    server.files[f"/{digest(model_bytes)}"] = Served(model_bytes, pause_s=0.005)
    both = [start_puller(tmp_path, server, model_bytes) for _ in range(2)]
    for process in both:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert sorted(answer["fetched"] for answer in answers) == [False, True]
    assert server.sent_bytes == len(model_bytes) + 1
