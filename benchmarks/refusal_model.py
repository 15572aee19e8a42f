"""Train the refusal models that the package carries.

    python benchmarks/refusal_model.py /path/to/data
    python benchmarks/refusal_model.py /path/to/data --write

English: XSTest's 2,250 answers, and ours; the held-out figure leaves out one answering model at a time. PyRIT's sets
are never trained on. French: the `train` rows of `refusal_answers_fr.tsv`, and answers to employees' questions; the
`held` rows and the service's other file are never trained on. A partial refusal counts half. Thresholds are chosen on
predictions for answers that were left out, so that at most 3 % of the refusals (6 % in French) and 2 % of the answers
are on the wrong side; between them lies `unsure`. Deterministic: no random number.

`--write` writes the weights to the package. `benchmarks/detectors.py` then prints the figures.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from refusal_sets import Labelled, factual, ours, xstest

from etabli.certification.detectors import refusals
from etabli.certification.detectors.refusal_features import BUCKETS, DENSE, features

Array = npt.NDArray[np.float64]
TARGET = {"refusal": 1.0, "partial": 0.5, "compliance": 0.0}
STEPS = 500
RATE = 0.3
PENALTY_HASHED = {"en": 0.0001, "fr": 0.003}
PENALTY_DENSE = {"en": 0.0003, "fr": 0.001}
WRONG_REFUSALS = {"en": 0.03, "fr": 0.06}
"""Ours in French avoid the usual words on purpose: what is asked of them may be less."""
WRONG_ANSWERS = 0.02
FOLDS = 5
COPIES = 3
"""How often each of our English answers counts: they are few, short and plain."""


class Data:
    """Features of labelled answers: `rows` and `places` of the hashed ones, `dense` of shape (n, DENSE)."""

    def __init__(self, answers: Sequence[Labelled]) -> None:
        found = [features(one.text, one.language) for one in answers]
        self.size = len(found)
        self.rows = np.repeat(np.arange(len(found)), [len(places) for places, _ in found])
        self.places = np.concatenate([np.asarray(places, np.int64) for places, _ in found])
        self.scale = 1 / np.sqrt(np.maximum(1, np.bincount(self.rows, minlength=len(found))))
        self.dense = np.stack([dense for _, dense in found])
        self.target = np.array([TARGET[one.label] for one in answers])

    def scores(self, hashed: Array, dense: Array) -> Array:
        """Log odds of each answer, shape (n,)."""
        summed = np.bincount(self.rows, hashed[self.places], minlength=self.size)
        result: Array = summed * self.scale + self.dense @ dense
        return result


def fit(answers: Sequence[Labelled], language: str) -> tuple[Array, Array]:
    """Weights of the hashed features and of the others: logistic loss with squared penalties.

    Nesterov's accelerated gradient: the hashed part of an answer has length 1, the other about 3.
    """
    data = Data(answers)
    weights = np.zeros(BUCKETS + DENSE)
    ahead = weights
    penalty = np.concatenate(
        [np.full(BUCKETS, PENALTY_HASHED[language]), np.full(DENSE, PENALTY_DENSE[language])]
    )
    for step in range(1, STEPS + 1):
        error = sigmoid(data.scores(ahead[:BUCKETS], ahead[BUCKETS:])) - data.target
        hashed = np.bincount(data.places, (error * data.scale)[data.rows], minlength=BUCKETS)
        gradient = np.concatenate([hashed, data.dense.T @ error]) / data.size + penalty * ahead
        moved = ahead - RATE * gradient
        ahead = moved + (step - 1) / (step + 2) * (moved - weights)
        weights = moved
    return weights[:BUCKETS], weights[BUCKETS:]


def predict(model: tuple[Array, Array], answers: Sequence[Labelled]) -> Array:
    return sigmoid(Data(answers).scores(*model))


def sigmoid(scores: Array) -> Array:
    result: Array = 1 / (1 + np.exp(-np.clip(scores, -40, 40)))
    return result


def left_out(answers: Sequence[Labelled], groups: Sequence[str], language: str) -> Array:
    """Predictions for each group by a model that has not seen it."""
    found = np.zeros(len(answers))
    for group in sorted(set(groups)):
        inside = [place for place, own in enumerate(groups) if own == group]
        others = [one for one, own in zip(answers, groups, strict=True) if own != group]
        found[inside] = predict(fit(others, language), [answers[place] for place in inside])
    return found


def french_training(data: Path) -> list[Labelled]:
    """Our French answers that are not held out, and answers of a labour-law service."""
    return [one for one in ours("fr") if not one.held] + factual(data, "code_bfc")


def groups_of(answers: Sequence[Labelled]) -> list[str]:
    """What is left out together: the answers of one model of XSTest; a fifth of all others, copies together."""
    places = {text: place for place, text in enumerate(dict.fromkeys(one.text for one in answers))}
    return [
        one.source if one.source.startswith("xstest") else f"fold {places[one.text] % FOLDS}"
        for one in answers
    ]


def thresholds(predictions: Array, answers: Sequence[Labelled]) -> tuple[float, float]:
    """Below the first at most 3 % (6 %) of the refusals, from the second on at most 2 % of the answers."""
    labels = np.array([one.label for one in answers])
    low = float(np.quantile(predictions[labels == "refusal"], WRONG_REFUSALS[answers[0].language]))
    high = float(np.quantile(predictions[labels == "compliance"], 1 - WRONG_ANSWERS))
    low, high = min(low, 0.5), max(high, 0.5)
    return round(low, 3), round(high, 3)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path, help="the folder that holds xstest")
    parser.add_argument("--write", action="store_true", help="write the weights to the package")
    options = parser.parse_args()
    arrays: dict[str, npt.NDArray[np.generic]] = {}
    for language, answers, groups in (
        ("en", english := xstest(options.data) + ours("en") * COPIES, groups_of(english)),
        ("fr", french := french_training(options.data), groups_of(french)),
    ):
        predictions = left_out(answers, groups, language)
        low, high = thresholds(predictions, answers)
        show(language, answers, predictions, low, high)
        arrays |= packed(language, fit(answers, language), (low, high))
    if options.write:
        path = Path(refusals.__file__).parent / refusals.WEIGHTS
        np.savez_compressed(path, **arrays)  # type: ignore[arg-type]
        print(f"{path.name}: {path.stat().st_size / 1024:.0f} KiB")


def show(language: str, answers: Sequence[Labelled], predictions: Array, low: float, high: float) -> None:
    print(f"{language}: thresholds {low} and {high}, answers left out of training")
    for label in TARGET:
        own = predictions[[one.label == label for one in answers]]
        said = [float(np.mean(part)) for part in (own < low, (own >= low) & (own < high), own >= high)]
        print(
            f"  {label:11} n={len(own):4}  answer {said[0]:.3f}  unsure {said[1]:.3f}  refusal {said[2]:.3f}"
        )


def packed(
    language: str, model: tuple[Array, Array], limits: tuple[float, float]
) -> dict[str, npt.NDArray[np.generic]]:
    """The weights in one byte each, those that round to nothing left out."""
    hashed, dense = model
    scale = float(np.abs(hashed).max()) / 127
    rounded = np.rint(hashed / scale).astype(np.int8)
    places = np.flatnonzero(rounded).astype(np.uint16)
    return {
        f"{language}_places": places,
        f"{language}_weights": rounded[places],
        f"{language}_scale": np.float64(scale),
        f"{language}_dense": dense.astype(np.float32),
        f"{language}_thresholds": np.array(limits),
    }


if __name__ == "__main__":
    main()
