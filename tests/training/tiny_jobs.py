"""Rows, jobs and questions to the engine for tests of training, all small."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from etabli.engines.local import LocalEngine

Row = dict[str, Any]
REASON = "training needs the extra: pip install 'etabli[training]'"


def next_token(
    engine: LocalEngine, tokens: Sequence[int], *, whole: int, model: str = "base", top: int = 400
) -> dict[int, float]:
    """Log probabilities of what follows, by id, as the engine finds them; it is made to write the token `whole`."""

    async def ask() -> Any:
        try:
            return await engine.complete(
                {"model": model, "prompt": list(tokens), "max_tokens": 1, "temperature": 0, "n_probs": top,
                 "logprobs": top, "cache_prompt": False, "logit_bias": {str(whole): 1000}},
                path="/completions",
            )  # fmt: skip
        finally:
            await engine.aclose()

    content = asyncio.run(ask())["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return {int(one["id"]): float(one["logprob"]) for one in content}


def supervised_rows(count: int) -> list[Row]:
    """Small conversations that begin alike."""
    system = {
        "role": "system",
        "content": "Tu es la Clinique. Tu réponds en une phrase, dans la langue de la question.",
    }
    return [
        {
            "messages": [
                system,
                {"role": "user", "content": f"Question {number} : quel jour ?"},
                {"role": "assistant", "content": f"Le jour {number % 3}, à {number} h."},
            ]
        }
        for number in range(count)
    ]


def dpo_rows(count: int) -> list[Row]:
    return [
        {
            "input": {"messages": row["messages"][:2]},
            "preferred_output": [{"role": "assistant", "content": f"Bonjour {number}."}],
            "non_preferred_output": [{"role": "assistant", "content": f"Non {number} !"}],
        }
        for number, row in enumerate(supervised_rows(count))
    ]


def kto_rows(count: int) -> list[Row]:
    return [
        {
            "prompt": row["messages"][:2],
            "completion": [{"role": "assistant", "content": f"Bonjour {number}."}],
            "label": number % 2 == 0,
        }
        for number, row in enumerate(supervised_rows(count))
    ]


ROWS = {"supervised": supervised_rows, "dpo": dpo_rows, "kto": kto_rows}


def write_rows(path: Path, rows: Sequence[Row]) -> Path:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    return path
