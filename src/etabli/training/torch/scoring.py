"""What the trainer finds probable at given places of given texts: half of `etabli.training.equivalence`.

    python -m etabli.training.torch.scoring QUESTION ANSWER

Both are JSON files. It ends when its parent does.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch

from etabli.errors import EtabliError
from etabli.processes import exit_at_eof
from etabli.training.base import Hyperparameters
from etabli.training.container import open_container
from etabli.training.export import AdapterFile, check_adapter
from etabli.training.packing import group, pack
from etabli.training.schedule import pack_budget
from etabli.training.template import Encoded
from etabli.training.torch.decoder import Decoder
from etabli.training.torch.head import exact_log_probabilities
from etabli.training.torch.lora import Adapter

JSON = dict[str, Any]


def load_adapter(file: AdapterFile, device: Any = "cpu") -> Adapter:
    """The numbers of an adapter's file."""
    adapter = Adapter(file.shapes, rank=file.rank, alpha=file.alpha, seed=0, device=device)
    with torch.no_grad():
        for name, (a, b) in adapter.tensors().items():
            down, up = file.factors(name)
            a.copy_(torch.from_numpy(down.copy()))
            b.copy_(torch.from_numpy(up.copy()))
    return adapter


def score(decoder: Decoder, adapter: Adapter | None, items: list[JSON]) -> list[list[JSON]]:
    """Log probabilities of the wanted tokens, and the most probable token, at each place.

    Args:
        decoder: the base.
        adapter: applied to it.
        items: each with `tokens`, `places` (lengths of beginnings) and for each place the `wanted` ids.
    """
    sequences = [_sequence(item) for item in items]
    found: list[list[JSON]] = [[] for _ in items]
    budget = pack_budget(decoder.architecture, Hyperparameters())
    with torch.no_grad():
        for members in group([[one] for one in sequences], budget):
            row = pack([sequences[number] for number in members])
            table = exact_log_probabilities(decoder(row, adapter), decoder.head).cpu()
            at = 0
            for number in members:
                for wanted in items[number]["wanted"]:
                    line, at = table[at], at + 1
                    found[number].append(
                        {"log_probabilities": line[torch.tensor(wanted)].tolist(), "best": int(line.argmax())}
                    )
    return found


def _sequence(item: JSON) -> Encoded:
    """The tokens, with a label where a place's next token is."""
    tokens = np.array(item["tokens"], dtype=np.int32)
    trained = np.zeros(len(tokens), dtype=np.bool_)
    trained[item["places"]] = True
    return Encoded(tokens, trained)


def main() -> int:
    """Answer one question."""
    question, answer = Path(sys.argv[1]), Path(sys.argv[2])
    exit_at_eof(sys.stdin.buffer)
    asked = json.loads(question.read_text(encoding="utf-8"))
    if asked["threads"]:
        torch.set_num_threads(int(asked["threads"]))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        file = check_adapter(Path(asked["adapter"]), Path(asked["base"]), asked["sha256"])
        decoder = Decoder(open_container(Path(asked["base"])), device=device)
        found = score(decoder, load_adapter(file, device), asked["items"])
    except EtabliError as error:
        print(error, file=sys.stderr)
        return 1
    answer.write_text(json.dumps(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
