"""Training rows of some 400 tokens from PIAF: instructions, a passage, a question, an answer that quotes.

What an organisation trains for: form, citation and tone of its assistant. The instructions are the same in every row,
as they are in an assistant; `instructions=False` leaves them out, so that rows share nothing.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from corpora import piaf_paragraphs

INSTRUCTIONS = (
    "Tu es l'assistant documentaire de la maison. Tu réponds en français, en une ou deux phrases, uniquement "
    "d'après le passage fourni. Tu cites entre guillemets les mots exacts du passage qui fondent ta réponse, puis "
    "tu indiques [1]. Si le passage ne contient pas la réponse, tu le dis simplement et tu invites la personne à "
    "reformuler ou à s'adresser au service compétent. Tu ne donnes jamais d'avis personnel, tu ne complètes pas "
    "avec ce que tu sais par ailleurs, et tu restes courtois en toutes circonstances."
)
_LONGEST_PASSAGE = 620


def make_rows(path: Path, count: int, *, instructions: bool = True, seed: int = 1) -> list[dict[str, Any]]:
    """Rows in the canonical form.

    Args:
        path: PIAF's JSON file.
        count: of rows.
        instructions: whether they begin with the assistant's.
        seed: of the choice.
    """
    corpus, spans = piaf_paragraphs(path)
    texts = {document.id: document.parsed.text for document in corpus.documents}
    chosen = np.random.default_rng(seed).permutation(len(spans))[:count]
    return [_row(spans[int(number)], texts, instructions) for number in chosen]


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """As JSON lines."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path


def _row(span: Any, texts: dict[str, str], instructions: bool) -> dict[str, Any]:
    text = texts[span.document]
    start = max(0, min(span.start - _LONGEST_PASSAGE // 2, len(text) - _LONGEST_PASSAGE))
    passage = text[start : start + _LONGEST_PASSAGE]
    sentence = text[max(0, span.start - 90) : span.end + 60].strip()
    messages = [
        {"role": "user", "content": f"Passage [1] :\n{passage}\n\nQuestion : {span.question}"},
        {
            "role": "assistant",
            "content": f"D'après le passage, la réponse est : {span.text}. Il y est écrit : « {sentence} » [1].",
        },
    ]
    return {
        "messages": [{"role": "system", "content": INSTRUCTIONS}, *messages] if instructions else messages
    }
