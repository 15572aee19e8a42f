"""Why a file is not read: one function per reason, each giving the `DocumentError` to raise.

The sentence says what was found and what to do; the state is the word stored with the document.
"""

from etabli.errors import DocumentError
from etabli.messages import tr


def empty() -> DocumentError:
    """The file has no byte, or no character once read."""
    return DocumentError(tr("The file is empty: there is nothing to read in it."), state="empty")


def no_text() -> DocumentError:
    """The format was understood and holds no text."""
    return DocumentError(
        tr("The file opens but holds no text. Check that it is the right version of the document."),
        state="empty",
    )


def encrypted() -> DocumentError:
    """A password is needed."""
    return DocumentError(
        tr("The file is protected by a password. Save a copy without the password and add that one."),
        state="encrypted",
    )


def broken(format_name: str) -> DocumentError:
    """The bytes are not a whole file of the format."""
    return DocumentError(
        tr(
            "The file looks like {format} but is damaged or incomplete. Open it in the program that made it, "
            "save it again and add the new copy.",
            format=format_name,
        ),
        state="broken",
    )


def crashed(signal_name: str) -> DocumentError:
    """The worker process died while reading."""
    return DocumentError(
        tr(
            "Reading the file made the reader stop ({signal}); it is probably damaged. Open it in the program "
            "that made it, save it again and add the new copy.",
            signal=signal_name,
        ),
        state="broken",
    )


def too_many_bytes(found: int, allowed: int) -> DocumentError:
    """The file is larger than the setting `max_document_bytes`."""
    return DocumentError(
        tr(
            "The file has {found} MB; at most {allowed} MB are read. Split it or raise max_document_bytes.",
            found=round(found / 1e6, 1),
            allowed=round(allowed / 1e6, 1),
        ),
        state="too_large",
    )


def too_many_pages(found: int, allowed: int) -> DocumentError:
    """The document has more pages than the setting `max_document_pages`."""
    return DocumentError(
        tr(
            "The document has {found} pages; at most {allowed} are read. Split it or raise "
            "max_document_pages.",
            found=found,
            allowed=allowed,
        ),
        state="too_large",
    )


def too_much_text(allowed: int) -> DocumentError:
    """The canonical text would be too long."""
    return DocumentError(
        tr("The document holds more than {allowed} characters of text. Split it.", allowed=allowed),
        state="too_large",
    )


def too_many_pixels(found: int, allowed: int) -> DocumentError:
    """An image is too large for OCR."""
    return DocumentError(
        tr(
            "The image has {found} million pixels; at most {allowed} million are read. Make it smaller.",
            found=found // 1_000_000,
            allowed=allowed // 1_000_000,
        ),
        state="too_large",
    )


def out_of_memory() -> DocumentError:
    """The worker asked for more memory than it is given."""
    return DocumentError(
        tr("Reading the file needs more memory than a reader may use. Split it into smaller files."),
        state="too_large",
    )


def timeout(seconds: float) -> DocumentError:
    """Reading took too long."""
    return DocumentError(
        tr(
            "Reading the file took more than {seconds} seconds and was stopped. Split it or raise "
            "reader_timeout_s.",
            seconds=round(seconds, 1),
        ),
        state="timeout",
    )


def unsupported() -> DocumentError:
    """The content is of no known format."""
    return DocumentError(
        tr(
            "The format of the file is not known. Établi reads PDF, Word, Excel, PowerPoint and LibreOffice "
            "documents, web pages, e-mails, Markdown, text, CSV and images."
        ),
        state="unsupported",
    )


def old_office(program: str, extension: str) -> DocumentError:
    """A binary Office format from before 2007."""
    return DocumentError(
        tr(
            "The file is in an old {program} format. Open it, choose “Save as” and save it as "
            "{extension}, then add that copy.",
            program=program,
            extension=extension,
        ),
        state="unsupported",
    )


def needs_ocr(pages: int) -> DocumentError:
    """Only images of text, and no OCR program."""
    return DocumentError(
        tr(
            "The document is made of images (pages: {pages}) and no text recognition is installed. Install "
            "it with: apt-get install tesseract-ocr tesseract-ocr-fra",
            pages=pages,
        ),
        state="needs_ocr",
    )


def zip_bomb() -> DocumentError:
    """An archive that unpacks to far more than it should."""
    return DocumentError(
        tr("The file unpacks to far more data than an honest document would; it was not opened."),
        state="unsafe",
    )


def xml_entities() -> DocumentError:
    """XML that declares a document type or entities, which office documents never do."""
    return DocumentError(
        tr("The file holds XML that declares entities, which can exhaust the machine; it was not opened."),
        state="unsafe",
    )


def forbidden_action(action: str) -> DocumentError:
    """Reading the file tried something that a reader never does."""
    return DocumentError(
        tr("Reading the file tried a forbidden action ({action}) and was stopped.", action=action),
        state="unsafe",
    )
