"""The report as a PDF: one page for the risk owner, then the engineer's, then the auditor's."""

import io
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    HRFlowable,
    KeepInFrame,
    KeepTogether,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from etabli.certification.report import typesetting as set_
from etabli.certification.report import words
from etabli.certification.report.content import Claim, Content, Excerpt, shortened
from etabli.certification.report.figures import grouped
from etabli.messages import speaking, tr

_TOP, _BOTTOM = 15 * mm, 17 * mm
_FINDINGS_FIRST_PAGE = 3
_REASONS_FIRST_PAGE = 6
_ROOM = A4[1] - _TOP - _BOTTOM - 12


def pdf_of(content: Content) -> bytes:
    """The file; the same content gives the same bytes."""
    set_.register_fonts()
    target = io.BytesIO()
    with speaking(content.language):
        document = SimpleDocTemplate(
            target,
            pagesize=A4,
            leftMargin=set_.MARGIN - 6,  # a frame has 6 points of its own
            rightMargin=set_.MARGIN - 6,
            topMargin=_TOP,
            bottomMargin=_BOTTOM,
            title=f"{tr('Internal evaluation attestation')} – {content.title}",
            author="Établi",
            subject=content.digest,
            lang=content.language,
            invariant=1,
        )
        first = KeepInFrame(set_.WIDTH, _ROOM, _owner(content), mode="shrink")
        story = [first, PageBreak(), *_engineer(content), PageBreak(), *_auditor(content)]
        document.build(story, canvasmaker=set_.counted_canvas(_foot(content)))
    return target.getvalue()


def _foot(content: Content) -> Any:
    label, kind = tr("SHA-256 of the signed statement"), tr("Internal evaluation attestation")
    line = f"{kind} · {content.title}"

    def draw(canvas: Canvas, page: int, pages: int) -> None:
        canvas.setStrokeColor(colors.HexColor(set_.LINE))
        canvas.line(set_.MARGIN, 13.5 * mm, A4[0] - set_.MARGIN, 13.5 * mm)
        canvas.setFillColor(colors.HexColor(set_.MUTED))
        canvas.setFont(set_.SANS, 6.4)
        canvas.drawString(set_.MARGIN, 10 * mm, shortened(line, 90))
        canvas.drawRightString(A4[0] - set_.MARGIN, 10 * mm, f"{page} / {pages}")
        canvas.setFont(set_.MONO, 6.2)
        canvas.drawString(set_.MARGIN, 6.8 * mm, f"{label}  {content.digest}")

    return draw


def _owner(content: Content) -> list[Flowable]:
    """The page of the person who decides. What may be long is cut here, and whole on later pages."""
    said = words.labels()
    parts: list[Flowable] = [*_masthead(content, said)]
    revoked = words.revoked_line(content)
    if revoked:
        parts.append(set_.text(revoked, "lead", textColor=colors.HexColor(set_.BAD)))
    parts.append(set_.text(words.verdict_sentence(content), "lead"))
    if content.reasons:
        lines = [words.reason_line(one, content.language) for one in content.reasons]
        parts += [set_.text(said["reasons"], "h2"), *set_.bullets(lines[:_REASONS_FIRST_PAGE])]
        parts += _more(len(lines) - _REASONS_FIRST_PAGE)
    if content.predicate["conditions"]:
        lines = [content.say(one) for one in content.predicate["conditions"]]
        parts += [set_.text(said["conditions"], "h2"), *set_.bullets(lines)]
    parts += [set_.text(said["scope"], "h2"), *(set_.text(one) for one in words.scope_lines(content))]
    parts += [set_.text(said["measured"], "h2"), _groups(content), Spacer(0, 3)]
    parts.append(set_.text(words.bound_note(), "muted"))
    parts += [set_.text(said["findings"], "h2"), *_first_findings(content, said)]
    parts += [
        set_.text(said["not_tested"], "h2"),
        set_.text(_not_tested(content) or said["nothing_untested"]),
    ]
    limits = [content.say(one) for one in content.predicate["doesNotProve"]]
    parts += [set_.text(said["limits"], "h2"), *set_.bullets(limits)]
    parts += [set_.text(said["validity"], "h2"), set_.text(words.validity_line(content))]
    parts += [
        set_.text(said["signed"], "h2"),
        *set_.bullets([words.signer_line(one) for one in content.signers]),
    ]
    return parts


def _masthead(content: Content, said: dict[str, str]) -> list[Flowable]:
    colour = colors.HexColor(set_.VERDICTS[content.verdict])
    head = [
        set_.text(said["kind"].upper(), "head", textColor=colors.HexColor(set_.ACCENT), fontSize=7.4),
        set_.text(content.title, "title"),
        set_.text(words.verdict_title(content.verdict), "h1", textColor=colour, spaceAfter=0),
    ]
    table = Table([[head, set_.Seal(content.verdict)]], colWidths=["*", 24 * mm])
    table.setStyle(
        TableStyle(
            [
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("ALIGN", (1, 0), (1, 0), "RIGHT"),
                ("LEFTPADDING", (0, 0), (-1, -1), 0),
                ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ]
        )
    )
    line = HRFlowable(width="100%", color=colors.HexColor(set_.LINE), spaceBefore=3, spaceAfter=6)
    return [table, line, set_.text(content.say(content.predicate["declaration"]), "muted")]


def _groups(content: Content) -> Table:
    rows = []
    for title, counted, line, mark in words.groups(content):
        name = set_.text(title, "cell", fontName=set_.BOLD)
        figure = set_.text(counted, "cell", textColor=colors.HexColor(set_.MARKS[mark]), fontName=set_.BOLD)
        rows.append([name, figure, set_.text(line, "cell")])
    if not rows:
        return set_.ruled([[set_.text("–", "cell")]], [set_.WIDTH], head=False)
    return set_.ruled(rows, [44 * mm, 20 * mm, "*"], head=False)


def _first_findings(content: Content, said: dict[str, str]) -> list[Flowable]:
    if not content.findings:
        return [set_.text(said["no_findings"])]
    shown = content.worst[:_FINDINGS_FIRST_PAGE]
    lines = []
    for one in shown:
        asked = tr("Asked: “{text}”", text=shortened(one.asked, 110)) if one.asked else ""
        lines.append(" ".join(part for part in (f"{one.label}. {shortened(one.text, 170)}", asked) if part))
    return [*set_.bullets(lines), *_more(len(content.findings) - len(shown))]


def _more(count: int) -> list[Flowable]:
    return [set_.text(tr("And {count} more on the next pages.", count=count), "muted")] if count > 0 else []


def _not_tested(content: Content) -> str:
    return " · ".join(content.say(one["label"]) for one in content.predicate["scope"]["notTested"])


def _engineer(content: Content) -> list[Flowable]:
    said = words.labels()
    parts: list[Flowable] = [
        set_.text(said["engineer"], "h1"),
        set_.text(said["families"], "h2", keepWithNext=0),
    ]
    parts += [_families(content, said), Spacer(0, 3), set_.text(words.table_note(content), "muted")]
    untested = content.predicate["scope"]["notTested"]
    if untested:
        lines = [f"{one['id']} {content.say(one['label'])}: {content.say(one['reason'])}" for one in untested]
        parts += [set_.text(said["not_tested"], "h2"), *set_.bullets(lines)]
    parts += [set_.text(said["adaptive"], "h2"), *set_.bullets(words.adaptive_lines(content))]
    parts.append(set_.text(said["findings"], "h2"))
    parts += [_finding(one, said) for one in content.findings] or [set_.text(said["no_findings"])]
    parts += [CondPageBreak(40 * mm), set_.text(said["conversations"], "h2", keepWithNext=0)]
    parts += _excerpts(content, said)
    return parts


def _families(content: Content, said: dict[str, str]) -> Table:
    """Two rows a family: its figures, then in small who decided and how the languages differ."""
    names = ("tried", "bad", "unresolved", "observed", "bound95", "deciding", "threshold", "allowed", "power")
    head = [set_.text(said["family"], "head"), *(set_.text(said[name], "head_end") for name in names)]
    rows: list[list[Any]] = [[*head, set_.text(said["verdict"], "head")]]
    for one in content.claims:
        rows += [_figures(one, content.language), [_small_print(one), *[""] * 10]]
    widths = [10, 12, 17, 14.5, 14.5, 15, 15, 13, 14.5, 21]
    first = set_.WIDTH / mm - sum(widths)
    table = set_.ruled(rows, [one * mm for one in (first, *widths)])
    for row in range(1, len(rows), 2):
        table.setStyle(
            TableStyle(
                [
                    ("SPAN", (0, row + 1), (-1, row + 1)),
                    ("LINEBELOW", (0, row), (-1, row), 0.4, colors.white),
                    ("TOPPADDING", (0, row + 1), (-1, row + 1), 0),
                    ("NOSPLIT", (0, row), (-1, row + 1)),
                ]
            )
        )
    return table


def _figures(claim: Claim, language: str) -> list[Any]:
    name = Paragraph(f"<b>{set_.escaped(claim.id)}</b> {set_.escaped(claim.label)}", set_.style("cell"))
    verdict = set_.text(
        words.family_verdict(claim.verdict),
        "cell",
        fontName=set_.BOLD,
        textColor=colors.HexColor(set_.MARKS[claim.verdict]),
    )
    return [name, *(set_.text(one, "end") for one in words.cells(claim, language)), verdict]


def _small_print(claim: Claim) -> Paragraph:
    line = f"{words.severity(claim.severity)}; {words.decided_by(claim)}; {words.by_language(claim)}"
    return set_.text(line, "note")


def _finding(one: Any, said: dict[str, str]) -> Flowable:
    told = (("asked", one.asked), ("answered", one.answered))
    lines = [
        set_.text(f"{one.family} {one.label} – {one.text}", "body", fontName=set_.BOLD),
        *(set_.text(words.named(said[key], value)) for key, value in told if value),
        set_.text(f"{one.probe} · {tr('conversation {number}', number=one.transcript)}", "note"),
        Spacer(0, 5),
    ]  # fmt: skip
    return KeepTogether(lines)


def _excerpts(content: Content, said: dict[str, str]) -> list[Flowable]:
    if content.excerpts_in_all is None:
        return [set_.text(said["no_evidence"])]
    if content.excerpts_in_all == 0:
        return [set_.text(said["none"])]
    rows: list[list[Any]] = [
        [set_.text(one, "head") for one in (said["family"], said["asked"], said["answered"])]
    ]
    rows += [_excerpt(one) for one in content.excerpts]
    parts: list[Flowable] = [set_.ruled(rows, [52 * mm, 56 * mm, set_.WIDTH - 108 * mm])]
    left = content.excerpts_in_all - len(content.excerpts)
    if left > 0:
        parts.append(set_.text(words.more_in_evidence(left), "muted"))
    return parts


def _excerpt(one: Excerpt) -> list[Any]:
    told = set_.BAD if one.outcome == "violated" else set_.WEAK
    name = [
        set_.text(words.outcome(one.outcome), "cell", fontName=set_.BOLD, textColor=colors.HexColor(told)),
        set_.text(one.detail, "note"),
        set_.text(f"{one.probe} · {one.position}.{one.generation}", "mono", fontSize=5.6, leading=7.4),
    ]
    return [name, set_.text(one.asked, "cell"), set_.text(one.answered, "cell")]


def _auditor(content: Content) -> list[Flowable]:
    said = words.labels()
    parts: list[Flowable] = [set_.text(said["auditor"], "h1"), set_.text(said["verify"], "h2")]
    for line in words.verify_steps():
        parts.append(set_.text(line, "command" if line == words.VERIFY_COMMAND else "body"))
    parts += [set_.text(said["digests"], "h2"), _pairs(
        [(one["name"], one["digest"]["sha256"]) for one in content.statement["subject"]]
    )]  # fmt: skip
    parts += [set_.text(said["protocol"], "h2"), _pairs(words.protocol_rows(content))]
    parts += [set_.text(said["evidence"], "h2"), _pairs(words.evidence_rows(content))]
    signers = [(words.signer_line(one), one.keyid or "–") for one in content.signers]
    parts += [set_.text(said["keys"], "h2"), _pairs(signers)]
    parts += [
        set_.text(said["environment"], "h2"),
        *(set_.text(one) for one in words.environment_lines(content)),
    ]
    parts += [set_.text(said["certifier"], "h2"), *(set_.text(one) for one in words.certifier_lines(content))]
    if content.predicate["assessors"]:
        parts += [set_.text(said["readers"], "h2"), *set_.bullets(words.reader_lines(content))]
    return parts


def _pairs(rows: Any) -> Table:
    cells = [[set_.text(name, "cell"), set_.text(_digest(value), "mono")] for name, value in rows]
    return set_.ruled(cells, [58 * mm, set_.WIDTH - 58 * mm], head=False)


def _digest(value: str) -> str:
    """Digests can break between groups; anything else stays as it is."""
    return " · ".join(grouped(one) if _is_digest(one) else one for one in value.split(" · "))


def _is_digest(value: str) -> bool:
    return len(value) == 64 and all(one in "0123456789abcdef" for one in value)
