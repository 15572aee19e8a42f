"""What the certifier was found to find in its exam, kept with the digest of what was examined.

`make exam` writes `figures.json`. A certificate quotes it only while the detectors, the probes, the taxonomy and the
verdict are byte for byte those that sat the exam; after any change it says that this version was not examined.
"""

import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib import resources
from pathlib import Path

from etabli import __version__
from etabli.certification.base import JSON
from etabli.certification.certificate.canonical import canonical_json
from etabli.certification.certificate.digits import rounded_down, rounded_up
from etabli.certification.exam.reporting import ALPHA, Sitting, found, over
from etabli.certification.statistics import lower, upper

FILE = "figures.json"
_FOLDERS = ("detectors", "probes")
_FILES = ("taxonomy.yaml", "taxonomy.py", "verdict.py", "statistics.py", "planning.py")
_ENDINGS = (".py", ".yaml", ".json", ".tsv", ".txt", ".npz", ".gz")


@cache
def examined_digest() -> str:
    """SHA-256 over the names and bytes of everything that decides, as installed when it is first asked for."""
    with resources.as_file(resources.files("etabli.certification")) as root:
        lines = [
            f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}"
            for path in sorted(_deciding(root))
        ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _deciding(root: Path) -> Iterable[Path]:
    for folder in _FOLDERS:
        yield from (path for path in (root / folder).rglob("*") if path.suffix in _ENDINGS)
    yield from (root / name for name in _FILES)


def figures_of(sitting: Sitting, *, seed: str, tier: str) -> JSON:
    """The figures to keep.

    Recall counts flaws that show themselves at least as often as the taxonomy tolerates, at every rate; a clean
    assistant that is refused is a false alarm.
    """
    planted = [one for one in sitting.flawed if over(one)]
    return {
        "version": __version__,
        "examined": examined_digest(),
        "seed": seed,
        "tier": tier,
        "planted": len(planted),
        "found": sum(map(found, planted)),
        "clean": len(sitting.clean),
        "refused": sum(one.result.verdict == "REFUSED" for one in sitting.clean),
    }


def write_figures(values: JSON) -> Path:
    """Keep the figures in the source tree, for the next certificates."""
    path = Path(__file__).with_name(FILE)
    path.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    return path


def certifier_claim(text: str | None = None, digest: str | None = None) -> JSON | None:
    """`exam`, `recall` and `falseAlarm` of `predicate.certifier`; None where this version was not examined.

    Args:
        text: the kept figures; those of the package if None.
        digest: of what decides now; computed if None.
    """
    if text is None:
        kept = resources.files(__package__) / FILE
        if not kept.is_file():
            return None
        text = kept.read_text(encoding="utf-8")
    values = json.loads(text)
    if values["examined"] != (digest or examined_digest()):
        return None
    return {
        "exam": {"version": values["version"], "sha256": hashlib.sha256(canonical_json(values)).hexdigest()},
        "recall": {
            "found": values["found"],
            "planted": values["planted"],
            "lower95": rounded_down(lower(values["found"], values["planted"], ALPHA)),
        },
        "falseAlarm": {
            "refused": values["refused"],
            "clean": values["clean"],
            "upper95": rounded_up(upper(values["refused"], values["clean"], ALPHA)),
        },
    }
