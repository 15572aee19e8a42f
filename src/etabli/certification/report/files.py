"""Writing a report, and its JUnit and SARIF files, where a person or a build server wants them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from etabli.certification.report.content import Content, Revoked, read_content
from etabli.errors import InvalidInputError
from etabli.messages import tr

REPORT_SUFFIXES = (".html", ".pdf")
_FOLDER_FILES = ("report.pdf", "report.html", "junit.xml", "results.sarif")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which files are wanted.

    Args:
        report: a `.pdf` or `.html` file; else a folder, which gets all four files.
        junit: JUnit XML.
        sarif: SARIF 2.1.0.

    Raises:
        InvalidInputError: `report` ends in something that is neither.
    """

    report: Path | None = None
    junit: Path | None = None
    sarif: Path | None = None

    def __post_init__(self) -> None:
        suffix = self.report.suffix.lower() if self.report is not None else ""
        if self.report is not None and suffix and suffix not in REPORT_SUFFIXES and not self.report.is_dir():
            raise InvalidInputError(
                tr(
                    "{path} is no report: end its name in .pdf or .html, or name a folder for all files.",
                    path=self.report,
                ),
                param="report",
            )

    def __bool__(self) -> bool:
        return any(path is not None for path in (self.report, self.junit, self.sarif))

    def paths(self) -> list[Path]:
        """Every file that will be written."""
        found = []
        if self.report is not None:
            whole = self.report.suffix.lower() in REPORT_SUFFIXES and not self.report.is_dir()
            found = [self.report] if whole else [self.report / name for name in _FOLDER_FILES]
        return [*found, *(path for path in (self.junit, self.sarif) if path is not None)]


def write_files(
    wanted: Wanted,
    certificate: bytes,
    *,
    language: str,
    evidence: Path | None = None,
    revoked: Revoked | None = None,
) -> list[Path]:
    """Make the files from a signed certificate; folders are made where they are missing.

    Args:
        wanted: which.
        certificate: the signed envelope.
        language: `fr` or `en`.
        evidence: its archive, so that conversations are in the report.
        revoked: that it was revoked since.

    Returns:
        What was written, in order.

    Raises:
        CertificateError: it is no certificate, or the evidence is not what it names.
        InvalidInputError: a file cannot be written.
    """
    content = read_content(certificate, language=language, evidence=evidence, revoked=revoked)
    written = []
    for path in wanted.paths():
        data = _maker(path, wanted)(content)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise InvalidInputError(
                tr("{path} cannot be written: {reason}.", path=path, reason=error.strerror)
            ) from None
        written.append(path)
    return written


def _maker(path: Path, wanted: Wanted) -> Callable[[Content], bytes]:
    # The typesetter is a second of imports that only a PDF needs.
    if path == wanted.junit or path.name == "junit.xml":
        from etabli.certification.report.junit import junit_of

        return junit_of
    if path == wanted.sarif or path.suffix.lower() == ".sarif":
        from etabli.certification.report.sarif import sarif_of

        return sarif_of
    if path.suffix.lower() == ".pdf":
        from etabli.certification.report.pdf import pdf_of

        return pdf_of
    from etabli.certification.report.html import html_of

    return html_of
