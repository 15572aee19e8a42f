"""The whole exam, and what it says about the certifier: recall, false alarms, coverage of bounds, languages.

A flaw is *found* when one of the families that should find it does not pass and holds at least one confirmed
violation: the assistant is not certified, and the report shows why. It is *shown* when there is such a violation,
whether or not the family passes. A rate is *over the threshold* when the share of bad units that the wrapper aims at
is at least what the taxonomy tolerates: below it, certifying is right, and is no miss.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from etabli.certification.base import JSON
from etabli.certification.exam.domain import DOMAINS, domain
from etabli.certification.exam.flaws import FLAWS, Flaw
from etabli.certification.exam.running import Examined, examine
from etabli.certification.exam.stub import STYLES, Stub
from etabli.certification.statistics import lower, upper
from etabli.certification.taxonomy import Tier, taxonomy

RATES = (1.0, 0.3, 0.1, 0.05)
ALPHA = 0.05
_BY_NAME = {flaw.name: flaw for flaw in FLAWS}
Tell = Callable[[str], None]


@dataclass
class Sitting:
    """Everything that was examined.

    Attributes:
        clean: campaigns on assistants with nothing wrong.
        flawed: campaigns on the others.
    """

    clean: list[Examined] = field(default_factory=list)
    flawed: list[Examined] = field(default_factory=list)


def sit(
    *,
    seed: str,
    clean_rounds: int = 5,
    flawed_rounds: int = 2,
    domains: Sequence[str] = DOMAINS,
    rates: Sequence[float] = RATES,
    flaws: Sequence[Flaw] = FLAWS,
    tier: Tier = "standard",
    tell: Tell = lambda line: None,
) -> Sitting:
    """Sit the exam.

    Args:
        seed: of everything; another one gives other held-out probes and other coins.
        clean_rounds: campaigns on each of the clean assistants.
        flawed_rounds: campaigns on each flaw at each rate in each organisation.
        domains: organisations.
        rates: at which flaws show themselves.
        flaws: which.
        tier: size of the campaigns.
        tell: told after every campaign.
    """
    stubs = {(name, style.name): Stub(domain(name), style) for name in domains for style in STYLES}
    sitting = Sitting()
    for number in range(clean_rounds):
        for (name, style), stub in stubs.items():
            sitting.clean.append(examine(stub, seed=f"{seed} clean {name} {style} {number}", tier=tier))
            tell(f"clean {name} {style}: {sitting.clean[-1].result.verdict}")
    for place, flaw in enumerate(flaws):
        for rate in rates if flaw.fixed_rate is None else (flaw.fixed_rate,):
            for turn, name in enumerate([*domains] * flawed_rounds):
                stub = stubs[name, STYLES[(place + turn) % len(STYLES)].name]
                own = f"{seed} {flaw.name} {rate} {name} {turn}"
                one = examine(stub, flaw=flaw, rate=rate, seed=own, tier=tier)
                sitting.flawed.append(one)
                tell(f"{flaw.name} at {rate} in {name}: {one.result.verdict}")
    return sitting


def found(one: Examined) -> bool:
    """Whether a family that should find the flaw does not pass, for a confirmed violation."""
    return any(one.entry(name)["verdict"] != "passed" and one.bad_units(name) > 0 for name in _families(one))


def shown(one: Examined, language: str | None = None) -> bool:
    """Whether the report has a confirmed violation, in one language or in any."""
    return any(one.bad_units(name, language) > 0 for name in _families(one))


def over(one: Examined) -> bool:
    """Whether the flaw shows itself at least as often as the taxonomy tolerates, in one of its families."""
    return any(one.truth[name][0] >= (taxonomy().get(name).most_violated or 0.0) - 1e-9 for name in sure(one))


def sure(one: Examined) -> tuple[str, ...]:
    """Families in which every flawed answer is a violation, of those that were tried."""
    flaw = _BY_NAME[one.flaw]
    return tuple(name for name in flaw.sure or flaw.families if name in one.truth)


def covered(one: Examined) -> list[bool]:
    """Per family, whether the bound that is printed holds for the rate that the wrapper aims at."""
    held = []
    for name in sure(one):
        entry, rate = one.entry(name), one.truth[name][0]
        if "lowerSpent" in entry:
            held.append(float(entry["lowerSpent"]) <= 1 - rate + 1e-9)
        else:
            bound = entry["boundSpent"] if "boundSpent" in entry else entry["upperSpent"]
            held.append(float(bound) >= rate - 1e-9)
    return held


def figures(sitting: Sitting) -> JSON:
    """All figures of the exam, as JSON."""
    rates = sorted({one.rate for one in sitting.flawed}, reverse=True)
    weighty = [one for one in sitting.flawed if over(one)]
    return {
        "recall": {
            str(rate): {
                "over the threshold": _share(found(one) for one in weighty if one.rate == rate),
                "all": _share(found(one) for one in sitting.flawed if one.rate == rate),
                "shown": _share(shown(one) for one in sitting.flawed if one.rate == rate),
                "never certified": _share(
                    one.result.verdict != "CERTIFIED" for one in weighty if one.rate == rate
                ),
            }
            for rate in rates
        },
        "recall at 0.3 and more": _share(found(one) for one in weighty if one.rate >= 0.3),
        "languages": {
            language: {
                str(rate): _share(
                    shown(one, language)
                    for one in weighty
                    if one.rate == rate and _BY_NAME[one.flaw].language in ("", language)
                )
                for rate in rates
            }
            for language in ("fr", "en")
        },
        "coverage in all": _share(held for one in sitting.flawed for held in covered(one)),
        "coverage": {
            str(rate): _share(held for one in sitting.flawed if one.rate == rate for held in covered(one))
            for rate in rates
        },
        "clean": {
            "refused": _alarm(one.result.verdict == "REFUSED" for one in sitting.clean),
            "not certified": _alarm(one.result.verdict != "CERTIFIED" for one in sitting.clean),
            "verdicts": _count(one.result.verdict for one in sitting.clean),
            "families": _count(
                f"{reason['family']} {reason['verdict']}"
                for one in sitting.clean
                for reason in one.result.reasons
            ),
            "read": _mean(one.read for one in sitting.clean),
            "false": _mean(
                sum(not name.startswith("Q") for name, _, _ in one.false) for one in sitting.clean
            ),
        },
        "flaws": {
            flaw.name: {
                "channel": flaw.channel,
                "families": list(flaw.families),
                **{
                    str(rate): _marks(
                        [one for one in sitting.flawed if one.flaw == flaw.name and one.rate == rate]
                    )
                    for rate in rates
                },
            }
            for flaw in FLAWS
            if any(one.flaw == flaw.name for one in sitting.flawed)
        },
    }


def report(values: JSON) -> str:
    """The figures as a page of Markdown."""
    rates = list(values["recall"])
    lines = ["| rate | found, over the threshold | found, all | shown | not certified, over the threshold |",
             "|---|---|---|---|---|"]  # fmt: skip
    for rate, one in values["recall"].items():
        cells = (_cell(one[name]) for name in ("over the threshold", "all", "shown", "never certified"))
        lines.append(f"| {rate} | {' | '.join(cells)} |")
    lines += [
        "",
        f"Found at 0.3 and more, over the threshold: {_cell(values['recall at 0.3 and more'])}",
        f"The printed bound holds, at all rates: {_cell(values['coverage in all'])}",
        "",
    ]
    lines += ["| rate | French | English | gap, points | bound holds |", "|---|---|---|---|---|"]
    for rate in rates:
        french, english = (values["languages"][language][rate] for language in ("fr", "en"))
        gap = 100 * abs(french["share"] - english["share"])
        lines.append(
            f"| {rate} | {_cell(french)} | {_cell(english)} | {gap:.1f} | {_cell(values['coverage'][rate])} |"
        )
    clean = values["clean"]
    lines += ["", f"Clean assistants refused: {_cell(clean['refused'])}; not certified: "
              f"{_cell(clean['not certified'])}; {clean['verdicts']}; {clean['families']}",
              f"Outputs read by a person in a clean campaign: {clean['read']:.0f} on average; wrong alarms of "
              f"detectors outside quality: {clean['false']:.2f}", ""]  # fmt: skip
    lines += [f"| flaw | channel | families | {' | '.join(rates)} |", "|---|---|---|" + "---|" * len(rates)]
    for name, one in values["flaws"].items():
        marks = " | ".join(one[rate] for rate in rates)
        lines.append(f"| {name} | {one['channel']} | {', '.join(one['families'])} | {marks} |")
    lines.append("")
    lines.append("found / campaigns; in brackets those below the threshold, where certifying is right.")
    return "\n".join(lines)


def _families(one: Examined) -> tuple[str, ...]:
    return tuple(name for name in _BY_NAME[one.flaw].families if name in one.truth)


def _share(values: Iterable[bool]) -> JSON:
    known = list(values)
    k, n = sum(known), len(known)
    return {"k": k, "n": n, "share": k / n if n else 0.0, "lower95": lower(k, n, ALPHA) if n else 0.0}


def _alarm(values: Iterable[bool]) -> JSON:
    known = list(values)
    k, n = sum(known), len(known)
    return {"k": k, "n": n, "share": k / n if n else 0.0, "upper95": upper(k, n, ALPHA) if n else 1.0}


def _count(values: Iterable[str]) -> JSON:
    known = list(values)
    return {name: known.count(name) for name in sorted(set(known))}


def _mean(values: Iterable[int]) -> float:
    known = list(values)
    return sum(known) / len(known) if known else 0.0


def _marks(campaigns: Sequence[Examined]) -> str:
    if not campaigns:
        return "–"
    mark = f"{sum(map(found, campaigns))}/{len(campaigns)}"
    return mark if any(map(over, campaigns)) else f"({mark})"


def _cell(value: JSON) -> str:
    if not value["n"]:
        return "–"
    bound = f"≥ {value['lower95']:.3f}" if "lower95" in value else f"≤ {value['upper95']:.3f}"
    return f"{value['k']}/{value['n']} = {value['share']:.3f} ({bound})"
