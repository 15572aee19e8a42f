"""How much one file may cost to read. A value handed to every reader; knows no format."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReaderLimits:
    """Bounds on one file, and the OCR program that may be run.

    Args:
        max_bytes: largest file, in bytes.
        max_pages: most pages, slides or sheets.
        max_text_chars: longest canonical text, in characters.
        max_unpacked_bytes: largest sum of the members of a zip archive, unpacked.
        max_members: most members of a zip archive.
        max_ratio: largest unpacked/packed ratio of one member; ordinary XML stays under 60, a zip bomb is
            near 1,000. Members under a megabyte are not judged.
        max_attachments: most attachments of a message that are read.
        max_image_pixels: largest image, or page once rendered, that is given to OCR.
        cpu_seconds: CPU time for the file; OCR stops early enough to keep what was read.
        tesseract: path of the OCR program; None when it is not installed.
    """

    max_bytes: int = 200_000_000
    max_pages: int = 5_000
    max_text_chars: int = 30_000_000
    max_unpacked_bytes: int = 400_000_000
    max_members: int = 20_000
    max_ratio: float = 200.0
    max_attachments: int = 50
    max_image_pixels: int = 60_000_000
    cpu_seconds: float = 300.0
    tesseract: str | None = None
