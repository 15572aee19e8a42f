"""Makes the projection of token states that late interaction uses (`engines/e5_projection.npy`).

    python benchmarks/token_projection.py DATA OUTPUT.npy

The main directions of token states over texts that retrieval is not measured on: articles of the labour code,
answers of a labour law FAQ, pharmacy exam questions, English bias and safety prompts. Directions are scaled by
eigenvalue^-0.15, which keeps the strongest few from deciding alone. Prints the share of energy kept.
"""

import argparse
import gzip
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from etabli.engines.e5 import OpenVINOBackend
from etabli.engines.e5_graph import STATE_COMPONENTS
from etabli.engines.e5_tokenizer import E5Tokenizer
from etabli.engines.e5_weights import WeightsFile

SCALING = -0.15
LONGEST = 1400


def texts(data: Path) -> Iterator[str]:
    """About 800 French and English texts, drawn with seed 0."""
    draw = random.Random(0)
    with gzip.open(data / "code-du-travail" / "articles.jsonl.gz", "rt", encoding="utf-8") as lines:
        articles = [text for line in lines if len(text := json.loads(line)["text"]) > 300]
    yield from draw.sample(articles, 250)
    answers = json.loads((data / "code_du_travail_faq" / "faq.json").read_text(encoding="utf-8"))
    yield from [re.sub("<[^>]+>", " ", entry["reponse"]) for entry in answers][:80]
    exam = (data / "frenchmedmcqa" / "dev.json").read_text(encoding="utf-8")
    medical = re.findall(r'"(?:question|answer_[a-e])":\s*"([^"]{60,})"', exam)
    yield from draw.sample(medical, min(300, len(medical)))
    english = [
        text
        for path in sorted((data / "bbq_en").glob("*.jsonl")) + sorted((data / "xstest").glob("*.csv"))
        for text in re.findall(r'"([^"\n]{80,})"', path.read_text(encoding="utf-8"))
    ]
    yield from draw.sample(english, min(200, len(english)))


def main() -> None:
    """Make it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("output", type=Path)
    options = parser.parse_args()
    weights = WeightsFile()
    tokenizer = E5Tokenizer(weights.vocabulary)
    backend = OpenVINOBackend(weights, threads=1, projection=np.eye(weights.shape.hidden, dtype=np.float32))
    moments = np.zeros((weights.shape.hidden, weights.shape.hidden))
    tokens = 0
    for text in texts(options.data):
        ids = tokenizer.encode(text[:LONGEST], kind="passage")
        _, states = backend.vectors_and_states([ids])
        own = states[0][tokenizer.inner(ids, kind="passage")].astype(np.float64)
        moments += own.T @ own
        tokens += len(own)
    values, directions = np.linalg.eigh(moments / tokens)
    values, directions = values[::-1], directions[:, ::-1]
    kept = values[:STATE_COMPONENTS]
    np.save(
        options.output, (directions[:, :STATE_COMPONENTS] * (kept / kept[0]) ** SCALING).astype(np.float16)
    )
    print(
        f"{tokens} tokens; {STATE_COMPONENTS} directions hold {kept.sum() / values.sum():.1%} of the energy"
    )


if __name__ == "__main__":
    main()
