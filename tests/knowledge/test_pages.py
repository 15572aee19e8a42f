"""Pages as pictures: what is on them is where the boxes of the text say."""

import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from etabli.errors import DocumentError, NotFoundError
from etabli.knowledge.blocks import Box
from etabli.knowledge.pages import Original, PagePictures
from etabli.knowledge.pages_cache import PagesCache, forget_pages
from etabli.knowledge.reading import DocumentReader
from etabli.settings import Settings
from etabli.storage.database import file_of_hash

PDF = "application/pdf"
PHRASE = "Le congé annuel est de vingt-sept jours."


@pytest.fixture
def pictures(settings: Settings) -> Iterator[PagePictures]:
    made = PagePictures(settings, workers=1)
    yield made
    made.close()


def keep(settings: Settings, content: bytes, media_type: str, sha256: str = "ab" * 32) -> Original:
    path = file_of_hash(settings.files_dir, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return Original(sha256, media_type)


def pdf(*, rotation: int = 0, crop: bool = False, colour: bool = False) -> bytes:
    """Two pages, the phrase in the middle of the second; some have been rotated or cropped."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    canvas.drawString(72, 72, "Première page.")
    canvas.showPage()
    canvas.setPageRotation(rotation)
    if crop:
        canvas.setCropBox((50, 100, 500, 700))
    canvas.setFont("Helvetica", 14)
    if colour:
        canvas.setFillColorRGB(0.8, 0.1, 0.1)
    canvas.drawString(120, 400, PHRASE)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def boxes_of(settings: Settings, original: Original) -> list[Box]:
    with DocumentReader(settings, workers=1) as reader:
        document = reader.read(file_of_hash(settings.files_dir, original.sha256), name="a.pdf")
    start = document.text.index(PHRASE)
    found = [
        box
        for block in document.blocks
        for box in block.boxes
        if box.char_start < start + len(PHRASE) and box.char_end > start
    ]
    assert found and {box.page for box in found} == {2}
    return found


def darkest(image: Image.Image) -> int:
    return int(image.convert("L").getextrema()[0])  # type: ignore[arg-type]


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [False, True])
def test_the_phrase_is_where_its_box_is_and_nowhere_else(
    settings: Settings, pictures: PagePictures, rotation: int, crop: bool
) -> None:
    original = keep(settings, pdf(rotation=rotation, crop=crop), PDF)
    size = pictures.sizes(original).result()[1]
    image = Image.open(io.BytesIO(pictures.picture(original, 2, width=1_000).result()))
    assert abs(image.width - 1_000) <= 1
    assert image.height == pytest.approx(image.width * size.height / size.width, abs=2)
    scale = image.width / size.width
    for box in boxes_of(settings, original):
        place = [round(side * scale) for side in (box.x0 - 2, box.y0 - 2, box.x1 + 2, box.y1 + 2)]
        inside = image.crop((place[0], place[1], place[2], place[3]))
        assert darkest(inside) < 80
        image.paste("white", (place[0], place[1], place[2], place[3]))
    assert darkest(image) > 240, "nothing is left once the box is blanked"


def test_sizes_are_those_of_the_pages(settings: Settings, pictures: PagePictures) -> None:
    sizes = pictures.sizes(keep(settings, pdf(crop=True), PDF)).result()
    assert [size.number for size in sizes] == [1, 2]
    assert (sizes[0].width, sizes[0].height) == pytest.approx((595.28, 841.89), abs=0.01)
    assert (sizes[1].width, sizes[1].height) == pytest.approx((450, 600), abs=0.01)


def test_gray_pages_take_a_third_and_coloured_ones_keep_their_colour(
    settings: Settings, pictures: PagePictures
) -> None:
    gray = keep(settings, pdf(), PDF, "aa" * 32)
    red = keep(settings, pdf(colour=True), PDF, "bb" * 32)
    assert Image.open(io.BytesIO(pictures.picture(gray, 2, width=600).result())).mode == "L"
    assert Image.open(io.BytesIO(pictures.picture(red, 2, width=600).result())).mode == "RGB"


def test_a_picture_is_drawn_once_and_widths_are_rounded_up(
    settings: Settings, pictures: PagePictures
) -> None:
    original = keep(settings, pdf(), PDF)
    first = pictures.picture(original, 1, width=601).result()
    assert Image.open(io.BytesIO(first)).width in (700, 701)
    kept = [path for path in settings.pages_dir.rglob("*") if path.is_file()]
    assert len(kept) == 1
    kept[0].write_bytes(b"kept")
    assert pictures.picture(original, 1, width=655).result() == b"kept"
    assert settings.pages_dir.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", [0, -1, 3, 10**9])
def test_pages_that_do_not_exist(settings: Settings, pictures: PagePictures, number: int) -> None:
    with pytest.raises(NotFoundError, match="no page"):
        pictures.picture(keep(settings, pdf(), PDF), number, width=600).result()


@pytest.mark.parametrize(
    ("mode", "form", "media_type"),
    [
        ("RGB", "JPEG", "image/jpeg"),
        ("CMYK", "JPEG", "image/jpeg"),
        ("RGBA", "PNG", "image/png"),
        ("LA", "PNG", "image/png"),
        ("P", "PNG", "image/png"),
        ("I;16", "PNG", "image/png"),
        ("1", "TIFF", "image/tiff"),
    ],
)
def test_images_of_every_kind(
    settings: Settings, pictures: PagePictures, mode: str, form: str, media_type: str
) -> None:
    buffer = io.BytesIO()
    Image.new(mode, (1_600, 800)).save(buffer, form)
    original = keep(settings, buffer.getvalue(), media_type)
    (size,) = pictures.sizes(original).result()
    assert (size.width, size.height) == (1_600, 800)
    smaller = Image.open(io.BytesIO(pictures.picture(original, 1, width=400).result()))
    assert smaller.size == (400, 200) and smaller.mode in ("L", "RGB")
    larger = Image.open(io.BytesIO(pictures.picture(original, 1, width=2_400).result()))
    assert larger.size == (1_600, 800), "never made larger than it is"


def test_a_tiff_of_many_pages(settings: Settings, pictures: PagePictures) -> None:
    buffer = io.BytesIO()
    first, second = Image.new("L", (300, 300), 0), Image.new("L", (200, 100), 255)
    first.save(buffer, "TIFF", save_all=True, append_images=[second])
    original = keep(settings, buffer.getvalue(), "image/tiff")
    assert [(size.width, size.height) for size in pictures.sizes(original).result()] == [
        (300, 300),
        (200, 100),
    ]
    assert darkest(Image.open(io.BytesIO(pictures.picture(original, 2, width=200).result()))) == 255


def test_a_bomb_of_pixels_is_not_opened(settings: Settings, pictures: PagePictures) -> None:
    buffer = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(buffer, "PNG")
    original = keep(settings, buffer.getvalue(), "image/png")
    with pytest.raises(DocumentError, match="pixels|too large"):
        pictures.picture(original, 1, width=600).result()


@pytest.mark.parametrize("media_type", [PDF, "image/png", "image/tiff"])
def test_a_damaged_file_costs_one_refusal(
    settings: Settings, pictures: PagePictures, media_type: str
) -> None:
    broken = keep(settings, b"%PDF-1.7 nothing of the kind" * 50, media_type, "cc" * 32)
    with pytest.raises(DocumentError):
        pictures.picture(broken, 1, width=600).result()
    with pytest.raises(DocumentError):
        pictures.sizes(broken).result()
    assert pictures.picture(keep(settings, pdf(), PDF), 1, width=600).result()


def test_formats_without_pages(settings: Settings, pictures: PagePictures) -> None:
    text = keep(settings, b"du texte", "text/plain")
    assert pictures.sizes(text).result() == []
    with pytest.raises(NotFoundError, match="by its text"):
        pictures.picture(text, 1, width=600).result()
    with pytest.raises(NotFoundError, match="not kept"):
        pictures.sizes(Original("dd" * 32, PDF)).result()


def test_a_dishonest_worker_is_not_believed(settings: Settings, tmp_path: Path) -> None:
    liar = tmp_path / "liar.py"
    liar.write_text(
        "from etabli.knowledge.readers import worker\n"
        "answer = {'picture': 'PHNjcmlwdD4=', 'sizes': [['wide', 1]]}\n"
        "worker.main(task=lambda request, limits: answer)\n"
    )
    lying = PagePictures(settings, workers=1, command=(sys.executable, "-P", str(liar)))
    try:
        original = keep(settings, pdf(), PDF)
        with pytest.raises(DocumentError):
            lying.picture(original, 1, width=600).result()
        with pytest.raises(DocumentError):
            lying.sizes(original).result()
    finally:
        lying.close()


def test_the_cache_forgets_what_was_used_longest_ago(tmp_path: Path) -> None:
    cache = PagesCache(tmp_path / "pages", max_bytes=1_000)
    for number in range(9):
        cache.put(f"{number:02}", bytes(100))
        os.utime(tmp_path / "pages" / f"{number:02}" / f"{number:02}", (number, number))
    assert cache.get("00") is not None  # used now
    cache.put("90", bytes(200))
    assert cache.get("00") is not None and cache.get("90") is not None
    assert cache.get("01") is None and cache.get("02") is None and cache.get("08") is not None
    files = [path for path in (tmp_path / "pages").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 800


def test_a_cache_that_cannot_write_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "pages").write_text("a file where the folder should be")
    cache = PagesCache(tmp_path / "pages")
    cache.put("ab", b"x")
    assert cache.get("ab") is None


def test_what_is_gone_for_good_leaves_no_picture(settings: Settings, pictures: PagePictures) -> None:
    first, second = keep(settings, pdf(), PDF, "aa" * 32), keep(settings, pdf(), PDF, "ab" * 32)
    for original in (first, second):
        pictures.sizes(original).result()
        pictures.picture(original, 1, width=300).result()
    forget_pages(settings.pages_dir, first.sha256)
    left = [path.name[:64] for path in settings.pages_dir.rglob("*") if path.is_file()]
    assert left == [second.sha256] * 2
