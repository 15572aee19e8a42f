"""The families of risk that a campaign examines: labels, thresholds, sizes and mappings, from `taxonomy.yaml`.

Knows nothing of probes' texts or of how replies are judged. Where the mappings come from: the OWASP lists of 2025 and
2026, MITRE ATLAS, NIST AI 600-1 section 2 and Regulation (EU) 2024/1689. A mapping says “evidence of use for”, never
“conforms to”.
"""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Annotated, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from etabli.errors import InvalidInputError, NotFoundError
from etabli.messages import tr

Tier = Literal["smoke", "standard", "full"]
Severity = Literal["critical", "major", "minor"]
Kind = Literal["safety", "quality", "overrefusal", "transparency"]
DetectorName = Literal[
    "canary",
    "span",
    "exfiltration",
    "html",
    "tool_call",
    "length",
    "refusal",
    "abstains",
    "harm",
    "crisis",
    "ai",
    "human",
    "grounded",
    "correct",
    "cites",
    "pair",
]
Share = Annotated[float, Field(gt=0, lt=1)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Strict):
    """One sentence in two languages."""

    fr: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def of(self, language: str) -> str:
        """The French sentence for `fr`, the English one otherwise."""
        return self.fr if language == "fr" else self.en


class Sizes(_Strict):
    """Prompts per tier, or pairs where the unit is a pair."""

    smoke: int = Field(ge=0)
    standard: int = Field(ge=0)
    full: int = Field(ge=0)

    def of(self, tier: Tier) -> int:
        """The number for one tier."""
        return {"smoke": self.smoke, "standard": self.standard, "full": self.full}[tier]


class Framework(_Strict):
    """A list of risks that others keep, with the names of the entries we use."""

    title: str
    entries: dict[str, str]


class Family(_Strict):
    """One kind of risk.

    Attributes:
        id: one letter and one digit; the letter is A attack, S safety, Q quality, O over-refusal, T transparency.
        labels: its short name.
        descriptions: what could go wrong, for a person without technical knowledge.
        kind: how its figure is read.
        severity: `critical`: one confirmed violation refuses.
        critical_categories: the subset of a family for which one confirmed violation refuses (S1).
        theta0: largest tolerable share of violated units; None for quality families.
        tau: smallest tolerable share of good answers; None for the others.
        proposed: the `tau` of the taxonomy, where the organisation accepted another one for this assistant.
        unit: what is counted.
        detectors: what can decide about its probes.
        judged: whether the detector leaves some replies to a judge or a person.
        needs_tools: only for assistants with tools.
        probed: False where it is measured on what other families sent (Q7, Q8).
        sizes: units per tier.
        mappings: entries of other lists, by framework.
    """

    id: str = Field(pattern=r"^[ASQOT][1-9]$")
    labels: Words = Field(alias="label")
    descriptions: Words = Field(alias="description")
    kind: Kind
    severity: Severity
    critical_categories: tuple[str, ...] = ()
    theta0: Share | None = None
    tau: Share | None = None
    proposed: Share | None = None
    unit: Literal["prompt", "pair"] = "prompt"
    detectors: tuple[DetectorName, ...]
    judged: bool = False
    needs_tools: bool = False
    probed: bool = True
    sizes: Sizes
    mappings: dict[str, tuple[str, ...]]

    def label(self, language: str) -> str:
        """Its short name in French or English."""
        return self.labels.of(language)

    def description(self, language: str) -> str:
        """What could go wrong, in French or English."""
        return self.descriptions.of(language)

    @property
    def most_violated(self) -> float | None:
        """Largest tolerable share of violated units: `theta0`, or 1 − `tau`; None where nothing is probed."""
        if self.theta0 is not None:
            return self.theta0
        return round(1 - self.tau, 6) if self.tau is not None else None

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        wanted = [] if not self.probed else ["tau"] if self.kind == "quality" else ["theta0"]
        given = [name for name in ("theta0", "tau") if getattr(self, name) is not None]
        if given != wanted:
            raise ValueError(f"{self.id} has {given or 'no threshold'}; it must have {wanted or 'none'}")
        if self.probed != bool(self.detectors):
            raise ValueError(f"{self.id}: a probed family names its detectors, another has none")
        if not self.sizes.smoke <= self.sizes.standard <= self.sizes.full:
            raise ValueError(f"{self.id}: sizes must not shrink from smoke to full")
        return self


class Taxonomy(_Strict):
    """All families, in the order of the report.

    Attributes:
        version: raised when families, thresholds or sizes change.
        frameworks: other lists that families are mapped to.
        families: in order.
    """

    version: int = Field(ge=1)
    frameworks: dict[str, Framework]
    families: tuple[Family, ...]

    def get(self, family_id: str) -> Family:
        """One family.

        Raises:
            NotFoundError: there is none of that id.
        """
        for family in self.families:
            if family.id == family_id:
                return family
        raise NotFoundError(
            tr(
                "There is no family {name}. Those that there are: {names}.",
                name=family_id,
                names=", ".join(family.id for family in self.families),
            )
        )

    def accepting(self, quality: Mapping[str, float]) -> Self:
        """The taxonomy with what an organisation accepts of the quality of one assistant.

        Args:
            quality: smallest tolerable share of good answers, by family. What it does not name stays as it is; limits
                of safety are nobody's to move.

        Raises:
            NotFoundError: there is no such family.
            InvalidInputError: it is no family of quality.
        """
        changed = {}
        for name, share in quality.items():
            family = self.get(name)
            if family.tau is None:
                raise InvalidInputError(
                    tr("{name} has no threshold of quality that could be set.", name=name)
                )
            if share != family.tau:
                changed[name] = family.model_copy(update={"tau": share, "proposed": family.tau})
        families = tuple(changed.get(family.id, family) for family in self.families)
        return self.model_copy(update={"families": families})

    @property
    def canonical(self) -> str:
        """All of it as JSON with sorted names and no spaces; evidence holds these bytes."""
        value = self.model_dump(mode="json", by_alias=True)
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @property
    def digest(self) -> str:
        """SHA-256 of `canonical`, in hexadecimal; what the protocol registers."""
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @model_validator(mode="after")
    def _known_names(self) -> Self:
        ids = [family.id for family in self.families]
        if len(set(ids)) != len(ids):
            raise ValueError("two families have the same id")
        for family in self.families:
            for framework, entries in family.mappings.items():
                known = self.frameworks[framework].entries if framework in self.frameworks else {}
                if unknown := [entry for entry in entries if entry not in known]:
                    raise ValueError(
                        f"{family.id} is mapped to {framework} {unknown}, which is not described"
                    )
        return self


def read_taxonomy(text: str) -> Taxonomy:
    """A taxonomy from YAML.

    Raises:
        pydantic.ValidationError: an unknown key, a missing one, or a value that is not allowed.
    """
    return Taxonomy.model_validate(yaml.safe_load(text))


@cache
def taxonomy() -> Taxonomy:
    """The taxonomy that comes with Établi."""
    return read_taxonomy(
        (resources.files("etabli.certification") / "taxonomy.yaml").read_text(encoding="utf-8")
    )
