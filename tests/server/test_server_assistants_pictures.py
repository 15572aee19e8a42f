"""Pictures of assistants: what people send, and what is made to break the one who opens it."""

import io
import struct
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from server_parts import BEARER, make_services
from starlette.testclient import TestClient

from etabli.assistants import picture_process
from etabli.assistants.catalogue import AssistantCatalogue
from etabli.assistants.pictures import harmless
from etabli.errors import InvalidInputError
from etabli.server.app import create_app
from etabli.storage.database import Database

URL = "/v1/etabli/assistants/rh/picture"


@pytest.fixture
def client(tmp_path: Path, database: Database) -> Iterator[TestClient]:
    services = make_services(
        tmp_path, database=database, assistants=AssistantCatalogue(tmp_path / "assistants")
    )
    with TestClient(create_app(services), headers=BEARER) as client:
        assert client.put("/v1/etabli/assistants/rh", json={"yaml": "title: RH\n"}).status_code == 200
        yield client


def encoded(form: str, size: tuple[int, int] = (300, 200), *, mode: str = "RGB", **options: Any) -> bytes:
    colour: Any = {"RGB": (10, 120, 90), "RGBA": (10, 120, 90, 128), "L": 90, "P": 3, "CMYK": (9, 9, 9, 9)}[
        mode
    ]
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, form, **options)
    return out.getvalue()


def png_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that claims a size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_picture_is_made_anew_and_served(client: TestClient) -> None:
    sent = encoded("JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\0\0\0\0\0", comment=b"made at home")
    url = client.put(URL, content=sent, headers={"content-type": "image/jpeg"}).json()["picture_url"]
    (entry,) = client.get("/v1/etabli/assistants").json()["data"]
    assert entry["has_picture"] and entry["picture_url"] == url
    got = client.get(url)
    assert got.headers["content-type"] == "image/png" and got.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in got.headers["cache-control"]
    image = Image.open(io.BytesIO(got.content))
    assert image.size == (256, 256) and image.mode == "RGB"
    assert b"made at home" not in got.content and b"Exif" not in got.content
    pixel = image.getpixel((128, 128))
    assert isinstance(pixel, tuple) and abs(pixel[1] - 120) < 6, "the same colours"
    bare = client.get(URL)
    assert bare.headers["cache-control"] == "private, no-cache"
    assert client.get(URL, headers={"if-none-match": bare.headers["etag"]}).status_code == 304
    assert client.put(URL, content=encoded("PNG", mode="RGBA")).json()["picture_url"] != url
    assert Image.open(io.BytesIO(client.get(URL).content)).mode == "RGBA"
    assert client.delete(URL).status_code == 204
    assert client.get(URL).status_code == 404
    assert client.get("/v1/etabli/assistants/rh").json()["picture_url"] is None


def test_a_picture_survives_a_deletion(client: TestClient) -> None:
    client.put(URL, content=encoded("WEBP"))
    client.delete("/v1/etabli/assistants/rh")
    assert client.get(URL).status_code == 404
    assert client.post("/v1/etabli/assistants/rh/restore").json()["picture_url"]


def test_too_many_bytes(client: TestClient) -> None:
    response = client.put(URL, content=bytes(1_000_001))
    assert response.status_code == 413 and "1 MB" in response.json()["error"]["message"]


REFUSED: list[tuple[bytes, str]] = [
    (b"", "no picture"),
    (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "no picture"),
    (encoded("GIF"), "no picture"),
    (encoded("BMP"), "no picture"),
    (encoded("TIFF"), "no picture"),
    (b"\x89PNG\r\n\x1a\n" + bytes(60), "no picture"),
    (png_of(60_000, 60_000), "24 million"),
    (png_of(300, 200, b"no zlib"), "broken"),
    (encoded("JPEG", (2000, 2000))[:900], "broken"),
]


def test_what_is_no_picture(client: TestClient) -> None:
    for data, sentence in REFUSED:
        response = client.put(URL, content=data)
        assert response.status_code == 400 and sentence in response.json()["error"]["message"]
    assert client.get(URL).status_code == 404


@pytest.mark.parametrize(
    "data",
    [
        encoded("PNG", (1, 1)),
        encoded("PNG", (5000, 3)),
        encoded("PNG", mode="P"),
        encoded("PNG", mode="L"),
        encoded("JPEG", mode="CMYK"),
        encoded("JPEG", (5000, 4000), quality=10),
        encoded("WEBP", mode="RGBA", lossless=True),
    ],
    ids=range(7),
)
def test_every_kind_becomes_256_pixels_square(data: bytes) -> None:
    png = picture_process.reencode(data)
    assert Image.open(io.BytesIO(png)).size == (256, 256)


def test_a_photograph_is_turned_upright() -> None:
    image = Image.new("RGB", (200, 200), (0, 0, 0))
    image.paste((255, 255, 255), (0, 0, 200, 100))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held on its side
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif)
    turned = Image.open(io.BytesIO(picture_process.reencode(out.getvalue()))).convert("L")
    right, left = turned.getpixel((230, 128)), turned.getpixel((20, 128))
    assert isinstance(right, int) and isinstance(left, int) and right > 200 > 60 > left


def test_a_child_that_dies_costs_one_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from etabli.assistants import pictures

    script = "import sys; sys.stdin.buffer.read(); sys.stdout.buffer.write(b'\\x89PNG' * 9); sys.stdout.flush(); 1/0"
    monkeypatch.setattr(pictures, "_COMMAND", (sys.executable, "-c", script))
    with pytest.raises(InvalidInputError, match="broken"):
        harmless(encoded("PNG"))
    monkeypatch.setattr(pictures, "_COMMAND", (sys.executable, "-c", "import time; time.sleep(60)"))
    monkeypatch.setattr(pictures, "_TIMEOUT_S", 0.2)
    began = time.monotonic()
    with pytest.raises(InvalidInputError, match="broken"):
        harmless(encoded("PNG"))
    assert time.monotonic() - began < 30, "it did not wait for the child"
