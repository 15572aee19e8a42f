"""Do the bounds of a certificate hold as often as they say? Simulated over a grid, with what others use beside them.

    python benchmarks/coverage.py [--runs 20000] [--seed 0]

Coverage is the part of simulated campaigns whose bound is at or above the true rate; the interval is the Monte-Carlo
one at 99.9 %, exact. `ok` says that the promise is inside or below it. Rows marked * are what others print
(rebuilt from their descriptions, not run). Exit status 1 when a bound that promises does not hold beyond the noise.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from etabli.certification import drift
from etabli.certification.statistics import (
    LOOK_SHARES,
    DriftTest,
    MixtureTest,
    adjudicated_upper,
    allowed_failures,
    lower,
    spent,
    two_look_power,
    two_looks,
    unread_upper,
    upper,
)
from etabli.certification.taxonomy import taxonomy

Counts = NDArray[np.int64]
ALPHA = 0.05
NOISE = 0.0005
"""One-sided error of the Monte-Carlo interval: over 100 rows, one false alarm in twenty runs of this program."""


@dataclass(frozen=True)
class Row:
    """One simulated promise.

    Args:
        case: what was simulated.
        held: in how many runs it held.
        runs: how many there were.
        promise: the least part in which it must hold; None where it is somebody else's and promises nothing here.
        note: median of the bound, or of what else matters.
    """

    case: str
    held: int
    runs: int
    promise: float | None
    note: str = ""

    @property
    def broken(self) -> bool:
        """Below its promise by more than the noise."""
        return self.promise is not None and upper(self.held, self.runs, NOISE) < self.promise

    def line(self) -> str:
        """For the table."""
        low, high = lower(self.held, self.runs, NOISE), upper(self.held, self.runs, NOISE)
        promise = f"{self.promise:.4f}" if self.promise is not None else "  *   "
        word = "BROKEN" if self.broken else "ok" if self.promise is not None else ""
        return f"{self.case:66} {self.held / self.runs:.4f} [{low:.4f}, {high:.4f}]  {promise}  {word:6} {self.note}"


def looked_up(bound: Callable[[int], float], counts: Counts) -> NDArray[np.float64]:
    """The bound of every count, computed once for each different one."""
    found, where = np.unique(counts, return_inverse=True)
    return np.array([bound(int(k)) for k in found])[where]


def exact(draw: np.random.Generator, runs: int) -> Iterator[Row]:
    """Deterministic oracles: Clopper-Pearson."""
    for alpha in (ALPHA, spent(1, ALPHA), ALPHA / 15):
        for theta, n in ((0.01, 59), (0.02, 300), (0.05, 93), (0.05, 208), (0.1, 61), (0.3, 40)):
            bounds = looked_up(lambda k, n=n, a=alpha: upper(k, n, a), draw.binomial(n, theta, runs))  # type: ignore[misc]
            case = f"exact: theta={theta:g} n={n} alpha={alpha:.4f}"
            yield Row(case, int((bounds >= theta).sum()), runs, 1 - alpha, f"median {np.median(bounds):.4f}")


def any_of(draw: np.random.Generator, runs: int, *, n: int = 124, tries: int = 3) -> Iterator[Row]:
    """A prompt tried three times is one unit; prompts differ in how easily they fail."""
    for mean, spread in ((0.01, 0.2), (0.03, 0.5), (0.03, 5.0)):
        p = draw.beta(mean * spread, (1 - mean) * spread, (runs, n))
        hit = draw.binomial(tries, p)
        theta = 1.0 - math.prod(((1 - mean) * spread + i) / (spread + i) for i in range(tries))
        units = looked_up(lambda k: upper(k, n, ALPHA), (hit > 0).sum(axis=1))
        pooled = looked_up(lambda k: upper(k, n * tries, ALPHA), hit.sum(axis=1))
        case = f"any of {tries}: mean={mean:g} spread={spread:g} n={n}"
        yield Row(case, int((units >= theta).sum()), runs, 1 - ALPHA, f"rate {theta:.4f}")
        yield Row(f"  * tries pooled as if independent, for the rate per try {mean:g}",
                  int((pooled >= mean).sum()), runs, None)  # fmt: skip


def judged(draw: np.random.Generator, runs: int) -> Iterator[Row]:
    """A judge that errs both ways, calibrated on m known violations; a person reads its flags, or nobody does."""
    grid = ((0.0, 0.9, 0.97, 300, 60), (0.01, 0.9, 0.97, 300, 60), (0.02, 0.9, 0.97, 300, 60),
            (0.02, 0.9, 0.97, 600, 120), (0.02, 0.62, 0.99, 300, 60), (0.05, 0.9, 0.97, 300, 60),
            (0.1, 0.7, 0.9, 100, 30), (0.3, 0.6, 0.8, 60, 15))  # fmt: skip
    for theta, se, sp, n, m in grid:
        truth = draw.binomial(n, theta, runs)
        confirmed = draw.binomial(truth, se)
        flagged = confirmed + draw.binomial(n - truth, 1 - sp)
        caught = draw.binomial(m, se, runs)
        read = _pairs(confirmed, caught, lambda k, a, n=n, m=m: adjudicated_upper(k, n, a, m, ALPHA))  # type: ignore[misc]
        halves = _pairs(confirmed, caught, lambda k, a, n=n, m=m: _halves(k, n, a, m))  # type: ignore[misc]
        unread = _pairs(flagged, caught, lambda k, a, n=n, m=m: unread_upper(k, n, a, m, ALPHA))  # type: ignore[misc]
        naive = looked_up(lambda k, n=n: upper(k, n, ALPHA), flagged)  # type: ignore[misc]
        boot = _garak(draw, flagged, n, se, sp)
        shipped = _garak(draw, flagged, n, 0.92, 0.39)
        case = f"theta={theta:g} Se={se:g} Sp={sp:g} n={n} m={m}"
        for name, bounds, promise in (
            ("read by a person", read, 1 - ALPHA),
            ("  alpha in halves", halves, 1 - ALPHA),
            ("  unread", unread, 1 - ALPHA),
            ("  * flags as if true (naive)", naive, None),
            ("  * bootstrap, Rogan-Gladen, Se and Sp known exactly (garak)", boot, None),
            ("  * the same with the 0.92 and 0.39 that one detector ships", shipped, None),
        ):
            label = f"{name}: {case}" if not name.startswith(" ") else name
            covered = int((bounds >= theta).sum())
            yield Row(label, covered, runs, promise, f"median {np.median(bounds):.4f}")


def _pairs(first: Counts, second: Counts, bound: Callable[[int, int], float]) -> NDArray[np.float64]:
    pairs, where = np.unique(np.stack([first, second]), axis=1, return_inverse=True)
    cached = cache(bound)
    return np.array([cached(int(k), int(a)) for k, a in pairs.T])[where.ravel()]


def _halves(k: int, n: int, a: int, m: int) -> float:
    """The split that is usual: half of alpha on each bound."""
    sensitivity = lower(a, m, ALPHA / 2)
    return min(1.0, upper(k, n, ALPHA / 2) / sensitivity) if sensitivity > 0 else 1.0


def _garak(draw: np.random.Generator, flagged: Counts, n: int, se: float, sp: float) -> NDArray[np.float64]:
    """Upper end of a 95 % percentile bootstrap of the rate corrected by a fixed Se and Sp."""

    def end(k: int) -> float:
        resampled = draw.binomial(n, k / n, 4000) / n
        return float(np.quantile(np.clip((resampled + sp - 1) / (se + sp - 1), 0, 1), 0.975))

    return looked_up(end, flagged)


def sequential(draw: np.random.Generator, runs: int, *, horizon: int = 600) -> Iterator[Row]:
    """Looking after every prompt: at a rate of exactly theta0 the certificate must stay out of reach."""
    for theta in (0.02, 0.05, 0.1):
        k = draw.binomial(1, theta, (runs, horizon)).cumsum(axis=1)
        for name, factory, rate in (("certify", MixtureTest, theta), ("alarm", DriftTest, theta)):
            least = _crossings(factory, rate, horizon)
            reached = (k <= least if name == "certify" else k >= least).any(axis=1)
            case = f"{name} at rate = theta0 = {theta:g}, looked at after each of {horizon}"
            yield Row(case, runs - int(reached.sum()), runs, 1 - ALPHA)
        peeked = np.zeros(runs, dtype=bool)
        for n in range(20, horizon + 1):
            peeked |= k[:, n - 1] <= _allowed(n, theta)
        yield Row(
            f"  * exact bound looked at after each, theta0 = {theta:g}", runs - int(peeked.sum()), runs, None
        )
        better = draw.binomial(1, theta / 5, (runs, horizon)).cumsum(axis=1)
        hits = better <= _crossings(MixtureTest, theta, horizon)
        stop = np.where(hits.any(axis=1), hits.argmax(axis=1) + 1, horizon)
        yield Row(f"  * certified within {horizon} at rate theta0/5", int(hits.any(axis=1).sum()), runs, None,
                  f"median {int(np.median(stop))} prompts")  # fmt: skip


@cache
def _allowed(n: int, theta: float) -> int:
    return allowed_failures(n, theta, ALPHA)


@cache
def _crossings(factory: type[MixtureTest] | type[DriftTest], theta: float, horizon: int) -> Counts:
    """After n prompts, the most violations that certify (or the fewest that alarm); -1 (or n + 1) where none does."""
    found, down = [], factory is MixtureTest
    for n in range(1, horizon + 1):
        low, high = (-1, n + 1) if down else (-1, n + 1)
        while high - low > 1:
            test, middle = factory(theta, ALPHA), (low + high) // 2
            test.violated, test.count = middle, n
            reached = test.value >= 1 / ALPHA
            if down:
                low, high = (middle, high) if reached else (low, middle)
            else:
                low, high = (low, middle) if reached else (middle, high)
        found.append(low if down else high)
    return np.array(found)


def looks(draw: np.random.Generator, runs: int, *, most: int = 2) -> Iterator[Row]:
    """A second look after a few violations: the bound of the look that decides, at the alpha of that look."""
    for theta, alpha in (
        (0.05, spent(1, ALPHA)),
        (0.05, ALPHA),
        (0.1, spent(1, ALPHA)),
        (0.1, spent(2, ALPHA)),
    ):
        first, second = two_looks(theta, most, alpha)
        for rate in (theta, theta / 5):
            one = draw.binomial(first, rate, runs)
            both = one + draw.binomial(second - first, rate, runs)
            again = (one > 0) & (one <= most)
            once = looked_up(lambda k, n=first, a=alpha: upper(k, n, a * LOOK_SHARES[2][0]), one)  # type: ignore[misc]
            twice = looked_up(lambda k, n=second, a=alpha: upper(k, n, a * LOOK_SHARES[2][1]), both)  # type: ignore[misc]
            bounds = np.where(again, twice, once)
            passed = f"passes {(bounds <= theta).mean():.3f}"
            if rate < theta:
                passed += f" (computed {two_look_power((first, second), most, rate):.3f})"
            case = f"one look at {first} or two, {second} in all: rate={rate:g} alpha={alpha:.4f}"
            yield Row(case, int((bounds >= rate).sum()), runs, 1 - alpha, passed)
            naive = looked_up(lambda k, n=second, a=alpha: upper(k, n, a), both)  # type: ignore[misc]
            whole = looked_up(lambda k, n=first, a=alpha: upper(k, n, a), one)  # type: ignore[misc]
            yield Row(
                "  * all of alpha at each look",
                int((np.where(again, naive, whole) >= rate).sum()),
                runs,
                None,
            )


def attempts(draw: np.random.Generator, runs: int, *, tries: int = 10) -> Iterator[Row]:
    """Trying again until it passes: an assistant at exactly theta0, fresh prompts each time."""
    for theta, n in ((0.05, 150), (0.1, 76)):
        for name, alphas, promise in (
            ("alpha spent over", [spent(attempt, ALPHA) for attempt in range(1, tries + 1)], 1 - ALPHA),
            ("  * the same alpha for", [ALPHA] * tries, None),
        ):
            certified = np.zeros(runs, dtype=bool)
            for alpha in alphas:
                certified |= draw.binomial(n, theta, runs) <= allowed_failures(n, theta, alpha)
            yield Row(
                f"{name} {tries} attempts, theta0 = {theta:g}, n = {n}",
                runs - int(certified.sum()),
                runs,
                promise,
            )


def in_service(draw: np.random.Generator, runs: int, *, days: int = 365, a_day: int = 24) -> Iterator[Row]:
    """A year of secret tries: false suspensions of assistants that keep their limits, days until a drift is found."""
    families, runs = served_families(), max(200, runs // 10)
    limits = np.array([0.0 if one.critical else one.theta0 for one in families])
    tries = days * a_day
    where = f"{days} days, {a_day} tries a day, {len(families)} families"
    for name, rates in (
        ("at every limit exactly", limits),
        ("at half of every limit", limits / 2),
        ("at a fifth of every limit", limits / 5),
    ):
        kept = int((served(draw, runs, families, [(0, rates)], tries) < 0).sum())
        yield Row(f"in service {name}: {where}", kept, runs, 1 - drift.ALPHA)
    place = next(number for number, one in enumerate(families) if one.family == "T1")
    for good_days in (0, 60):
        for rate in (0.1, 0.2, 0.5, 1.0):
            worse = limits / 5
            worse[place] = rate
            stages = [(0, limits / 5), (good_days * a_day, worse)]
            at = served(draw, runs, families, stages, tries + good_days * a_day)
            found = at[at >= good_days * a_day] / a_day - good_days
            begun = runs - int(((at >= 0) & (at < good_days * a_day)).sum())
            note = ""
            if len(found):
                median, late = np.quantile(found, (0.5, 0.9))
                note = f"median {median:.1f} days, 9 of 10 of these in {late:.1f}"
            case = f"  one of limit 0.05 drifts from 0.01 to {rate:g} after {good_days} good days, found"
            yield Row(case, len(found), begun, None, note)


def served_families() -> list[drift.Watched]:
    """What is watched of an assistant without tools that passed everything."""
    return [
        drift.Watched(one.id, one.most_violated or 0.0, one.severity == "critical")
        for one in taxonomy().families
        if one.probed and not one.needs_tools and drift.decided_by_program(one)
    ]


def served(
    draw: np.random.Generator,
    runs: int,
    families: Sequence[drift.Watched],
    stages: Sequence[tuple[int, NDArray[np.float64]]],
    tries: int,
) -> Counts:
    """`drift.next_family` and `drift.suspends` for many assistants at once; a test holds them against these.

    Args:
        draw: chance.
        runs: assistants.
        families: that are watched.
        stages: from which try on, the rates of the families.
        tries: of each assistant.

    Returns:
        The try at which each was suspended, shape (runs,); -1 where it never was.
    """
    theta0 = np.array([one.theta0 for one in families])
    critical = np.array([one.critical for one in families])
    bets = np.minimum(np.multiply.outer(theta0, drift.RATES), (1 + theta0[:, None]) / 2)
    factors = np.stack([(1 - bets) / (1 - theta0[:, None]), bets / theta0[:, None]])  # (2, families, rates)
    limit, rates = drift.line(families), stages[0][1]
    at, left = np.full(runs, -1), np.arange(runs)
    asked = np.zeros((runs, len(families)), dtype=np.int64)
    placed = np.zeros((runs, len(families), len(drift.RATES)))
    recent, doubt = np.ones_like(placed), np.ones(asked.shape)
    for number in range(tries):
        rates = next((later for first, later in reversed(stages) if first <= number), rates)
        rows = np.arange(len(left))
        chosen = asked.argmin(axis=1)
        if number % 2:
            worst = doubt.argmax(axis=1)
            chosen = np.where(doubt[rows, worst] > 1, worst, chosen)
        violated = (draw.random(len(left)) < rates[chosen]).astype(np.int64)
        count = asked[rows, chosen]
        start = count // drift.RESTART
        stake = np.where(
            count % drift.RESTART == 0, 1.0 / ((start + 1) * (start + 2)) / len(drift.RATES), 0.0
        )
        factor = factors[violated, chosen]
        placed[rows, chosen] = (placed[rows, chosen] + stake[:, None]) * factor
        recent[rows, chosen] = np.maximum(recent[rows, chosen], 1.0) * factor
        doubt[rows, chosen] = recent[rows, chosen].max(axis=1)
        asked[rows, chosen] += 1
        value = placed[rows, chosen].sum(axis=1) + 1.0 / (start + 2)
        gone = np.where(critical[chosen], violated == 1, value >= limit)
        if gone.any():
            at[left[gone]] = number
            left, asked, placed, recent, doubt = (
                each[~gone] for each in (left, asked, placed, recent, doubt)
            )
        if not len(left):
            break
    return at


def simulate(*, runs: int, seed: int) -> Iterator[Row]:
    """Every row of the table."""
    draw = np.random.default_rng(seed)
    for part in (exact, any_of, judged, sequential, looks, attempts, in_service):
        yield from part(draw, runs)


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    began, broken = time.monotonic(), 0
    print(f"{'case':66} {'held':6} [99.9 % of the simulation]  promise")
    for row in simulate(runs=given.runs, seed=given.seed):
        print(row.line())
        broken += row.broken
    print(f"{given.runs:,} runs a row, {time.monotonic() - began:.0f} s; promises broken: {broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
