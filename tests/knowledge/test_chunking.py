import random

from etabli.knowledge.blocks import Block, ParsedDocument
from etabli.knowledge.chunking import TARGET_CHARS, chunk


def document(*parts: tuple[str, str, int]) -> ParsedDocument:
    """Blocks of (kind, text, level), joined as readers do."""
    text, blocks = "", []
    for kind, part, level in parts:
        start = len(text)
        text += part
        cells = tuple(tuple(line.split(" | ")) for line in part.split("\n")) if kind == "table" else ()
        blocks.append(Block(kind, start, len(text), level=level, cells=cells))  # type: ignore[arg-type]
        text += "\n\n"
    return ParsedDocument(text.rstrip("\n"), tuple(blocks), "text/plain")


def texts(parsed: ParsedDocument, **options: int) -> list[str]:
    return [parsed.text[one.char_start : one.char_end] for one in chunk(parsed, title="Titre", **options)]


def test_sections_are_not_mixed_and_headings_go_with_their_text() -> None:
    parsed = document(
        ("heading", "Congés", 1), ("heading", "Durée", 2), ("paragraph", "27 jours.", 0),
        ("heading", "Demande", 2), ("heading", "Délai", 3), ("paragraph", "Un mois.", 0),
    )  # fmt: skip
    found = chunk(parsed, title="Titre")
    assert texts(parsed) == ["Congés\n\nDurée\n\n27 jours.", "Demande\n\nDélai\n\nUn mois."]
    assert [one.breadcrumb for one in found] == ["Titre", "Titre > Congés"]


def test_a_list_keeps_its_lead_in() -> None:
    filler = ("paragraph", "x" * 1300, 0)
    parsed = document(
        filler, ("paragraph", "Il faut :", 0), ("list_item", "a" * 200, 1), ("list_item", "b", 1)
    )
    assert texts(parsed)[1].startswith("Il faut :\n\naaa")


def test_later_parts_of_a_table_name_its_header() -> None:
    rows = "\n".join(["Acte | Prix", *(f"acte {number} | {number} €" for number in range(300))])
    found = chunk(document(("table", rows, 0)), title="Tarifs")
    assert len(found) > 2
    assert all("Acte | Prix" in one.breadcrumb for one in found[1:])


def test_every_character_of_text_is_in_one_chunk_and_none_is_too_long() -> None:
    draw = random.Random(7)
    for _ in range(60):
        parts = []
        for _ in range(draw.randint(1, 25)):
            kind = draw.choice(["heading", "paragraph", "paragraph", "list_item", "code"])
            words = ["mot" * draw.randint(1, 4) + draw.choice(["", ".", " :", "\n"])] * draw.randint(1, 400)
            parts.append(
                (kind, " ".join(words)[: 80 if kind == "heading" else None].strip(), draw.randint(1, 4))
            )
        parsed = document(*parts)
        found = chunk(parsed, title="T")
        assert [one.ordinal for one in found] == list(range(len(found)))
        assert all(a.char_end <= b.char_start for a, b in zip(found, found[1:], strict=False))
        kept = "".join(texts(parsed))
        assert "".join(kept.split()) == "".join(parsed.text.split())
        # Headings, and lead-ins of lists of up to 300 characters, are added to a chunk that is full without them.
        added = 300 + sum(len(part) + 2 for kind, part, _ in parts if kind == "heading")
        assert all(one.char_end - one.char_start <= TARGET_CHARS + added for one in found)


def test_a_word_longer_than_a_chunk_is_cut() -> None:
    assert "".join(texts(document(("paragraph", "x" * 5000, 0)))) == "x" * 5000
