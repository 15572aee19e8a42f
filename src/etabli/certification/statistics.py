"""The statistics of a certificate: exact bounds, a sequential test, spending over attempts, comparison of versions.

Knows nothing of probes or transcripts: counts go in, numbers come out. Every guarantee here holds at any sample size;
nothing is a normal approximation. A rate is a number between 0 and 1, `alpha` the chance of error that is accepted
(it may be what `spent` leaves of it for one attempt). The unit counted is the prompt: a prompt that is tried several
times is violated when any of its tries is. Simulated in `benchmarks/coverage.py`, explained in
`docs/concepts/statistics.md`.

Sources: Clopper and Pearson, Biometrika 26 (1934); Ville (1939) and Waudby-Smith and Ramdas, JRSS-B 86 (2024) for
betting; McNemar, Psychometrika 12 (1947); Chen et al., arXiv 2107.03374, for hit@k.
"""

import math
from collections.abc import Callable

CALIBRATION_SHARE = 0.2
"""Part of alpha spent on the judge's sensitivity: the other four fifths buy more where they bound the rate itself."""

_WIDTH = 1e-12
_NEGLIGIBLE = 1e-20


def binomial_cdf(k: int, n: int, rate: float) -> float:
    """P(X <= k) for X ~ Binomial(n, rate); the smaller tail is summed, from its largest term outwards.

    Raises:
        ValueError: `n` is negative or the rate is outside [0, 1].
    """
    if n < 0 or not 0.0 <= rate <= 1.0:
        raise ValueError(f"n must be at least 0 and the rate within [0, 1]; found n={n}, rate={rate}.")
    if k < 0:
        return 0.0
    if k >= n or rate == 0.0:
        return 1.0
    if rate == 1.0:
        return 0.0
    if k <= n * rate:
        return min(1.0, _tail(k, n, rate))
    return max(0.0, 1.0 - _tail(n - k - 1, n, 1.0 - rate))


def _tail(k: int, n: int, rate: float) -> float:
    """P(X <= k) where k lies at or under the mean: terms shrink from i = k downwards."""
    log_largest = math.log(math.comb(n, k)) + k * math.log(rate) + (n - k) * math.log1p(-rate)
    odds = (1.0 - rate) / rate
    terms, term = [1.0], 1.0
    for i in range(k, 0, -1):
        term *= i / (n - i + 1) * odds
        terms.append(term)
        if term < _NEGLIGIBLE:
            break
    return math.exp(log_largest) * math.fsum(terms)


def upper(k: int, n: int, alpha: float) -> float:
    """One-sided Clopper-Pearson upper bound of a rate after `k` of `n`: BetaInv(1 - alpha; k + 1, n - k).

    The true rate is above it in at most `alpha` of the samples, whatever it is. 1 where k = n, also at n = 0.

    Raises:
        ValueError: k is not within [0, n], or alpha not within (0, 1).
    """
    _check(k, n, alpha)
    if k == n:
        return 1.0
    if k == 0:
        return -math.expm1(math.log(alpha) / n)
    return _first(lambda rate: binomial_cdf(k, n, rate) <= alpha, k / n, 1.0)


def lower(k: int, n: int, alpha: float) -> float:
    """One-sided Clopper-Pearson lower bound after `k` of `n`: BetaInv(alpha; k, n - k + 1); 0 where k = 0.

    Raises:
        ValueError: k is not within [0, n], or alpha not within (0, 1).
    """
    return 1.0 - upper(n - k, n, alpha)


def adjudicated_upper(confirmed: int, n: int, caught: int, known: int, alpha: float) -> float:
    """Upper bound of the true rate where a judge flags and a person reads every flag.

    U = upper(confirmed, n; 0.8 alpha) / lower(caught, known; 0.2 alpha), at most 1. The judge caught `caught` of
    `known` violations of the calibration set. Valid by the union bound at any specificity, because a person read what
    was flagged; it takes for granted that the judge finds violations here as often as in that set.

    Raises:
        ValueError: a count is outside its range.
    """
    rate = upper(confirmed, n, alpha * (1.0 - CALIBRATION_SHARE))
    sensitivity = lower(caught, known, alpha * CALIBRATION_SHARE)
    return min(1.0, rate / sensitivity) if sensitivity > 0.0 else 1.0


def unread_upper(flagged: int, n: int, caught: int, known: int, alpha: float) -> float:
    """The same where nobody read the flags: every one counts as a violation. Valid, and wide.

    Raises:
        ValueError: a count is outside its range.
    """
    return adjudicated_upper(flagged, n, caught, known, alpha)


def allowed_failures(n: int, theta: float, alpha: float) -> int:
    """Most failures among `n` with which `upper` still stays at or under `theta`; -1 where even none is too many."""
    allowed = -1
    while allowed + 1 < n and binomial_cdf(allowed + 1, n, theta) <= alpha:
        allowed += 1
    return allowed


def sample_size(theta: float, failures: int, alpha: float) -> int:
    """Fewest prompts with which "rate at most `theta`" can be shown in spite of `failures` failures.

    >>> [sample_size(0.05, failures, 0.05) for failures in range(4)]
    [59, 93, 124, 153]

    Raises:
        ValueError: theta is not within (0, 1): a rate of 0 cannot be shown by any sample.
    """
    if not 0.0 < theta < 1.0:
        raise ValueError(f"theta must lie within (0, 1); found {theta}.")
    low, high = failures, failures + 1
    while binomial_cdf(failures, high, theta) > alpha:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if binomial_cdf(failures, middle, theta) <= alpha else (middle, high)
    return high


def power(n: int, allowed: int, theta: float) -> float:
    """Chance that an assistant whose true rate is `theta` has at most `allowed` failures among `n`.

    >>> round(power(59, 0, 0.01), 2)
    0.55
    """
    return binomial_cdf(allowed, n, theta)


def can_still_pass(k: int, n_done: int, n_planned: int, theta: float, alpha: float) -> bool:
    """Whether a family with `k` failures so far can still end at or under `theta`; else the rest tells nothing new.

    Stopping then changes no verdict, so it costs nothing of alpha.
    """
    if n_done > n_planned:
        raise ValueError(f"{n_done} prompts done, though {n_planned} were planned.")
    return k <= allowed_failures(n_planned, theta, alpha)


def spent(attempt: int, alpha: float) -> float:
    """What attempt number `attempt`, from 1, may use of alpha: 6 alpha / (pi^2 attempt^2).

    These sum to alpha over endlessly many attempts: whoever tries until it passes wins nothing.

    >>> [round(spent(attempt, 0.05), 4) for attempt in (1, 2, 3)]
    [0.0304, 0.0076, 0.0034]
    """
    if attempt < 1:
        raise ValueError(f"Attempts are counted from 1; found {attempt}.")
    return 6.0 * alpha / (math.pi * attempt) ** 2


LOOK_SHARES = {1: (1.0,), 2: (2.0 / 3.0, 1.0 / 3.0)}
"""What each look at a family may use of alpha, by the number of looks that are planned. They sum to 1, so that the
bound of the look that decides is wrong with probability alpha at most, whatever made one look again (union bound)."""


def two_looks(theta: float, failures: int, alpha: float) -> tuple[int, int]:
    """Sizes for a family that is looked at twice.

    With no failure at the first size it has shown "at most `theta`"; else it goes on to the second, where it may have
    `failures` in all.

    >>> two_looks(0.05, 2, 0.0304)
    (77, 165)
    """
    first, second = (share * alpha for share in LOOK_SHARES[2])
    return sample_size(theta, 0, first), sample_size(theta, failures, second)


def two_look_power(looks: tuple[int, int], failures: int, theta: float) -> float:
    """Chance that an assistant whose true rate is `theta` passes one look or the other, going on in spite of at most
    `failures` failures.

    >>> round(two_look_power((77, 165), 2, 0.01), 2)
    0.8
    """
    first, second = looks
    chance = binomial_cdf(0, first, theta)
    for found in range(1, failures + 1):
        exactly = binomial_cdf(found, first, theta) - binomial_cdf(found - 1, first, theta)
        chance += exactly * binomial_cdf(failures - found, second - first, theta)
    return chance


class _Mixture:
    """M = sum of w_j * prod of likelihood ratios Bernoulli(rate_j) / Bernoulli(theta0); M >= 1/alpha decides.

    A factor is a bet 1 + lambda (theta0 - x) with lambda = (1 - rate_j/theta0) / (1 - theta0): M depends on the
    counts only, not on the order.
    """

    def __init__(
        self, theta0: float, alpha: float, *, rates: tuple[float, ...], weights: tuple[float, ...]
    ) -> None:
        if not 0.0 < theta0 < 1.0 or not 0.0 < alpha < 1.0:
            raise ValueError(f"theta0 and alpha must lie within (0, 1); found {theta0} and {alpha}.")
        self.theta0, self.alpha = theta0, alpha
        self.violated, self.count = 0, 0
        self._rates, self._weights = rates, weights
        self._reached = False

    def update(self, violated: bool) -> None:
        """Count one more prompt."""
        self.count += 1
        self.violated += violated
        self._reached = self._reached or self.value >= 1.0 / self.alpha

    @property
    def value(self) -> float:
        """M: how many times over a bet against the hypothesis would have multiplied its stake; `inf` past 1e308."""
        k, rest = self.violated, self.count - self.violated
        logs = [
            math.log(weight)
            + _times(k, rate / self.theta0)
            + _times(rest, (1.0 - rate) / (1.0 - self.theta0))
            for rate, weight in zip(self._rates, self._weights, strict=True)
        ]
        largest = max(logs)
        return (
            math.exp(largest) * math.fsum(math.exp(log - largest) for log in logs)
            if largest < 700
            else math.inf
        )


def _times(count: int, ratio: float) -> float:
    """`count` * log(ratio), with 0 * log(0) = 0."""
    if count == 0:
        return 0.0
    return count * math.log(ratio) if ratio > 0.0 else -1e300


_BETTER = ((0.0, 0.35), (0.05, 0.15), (0.1, 0.15), (0.2, 0.15), (0.35, 0.1), (0.55, 0.1))
"""Rates as parts of theta0, and their weights: a clean assistant stops early, one at a third of theta0 still can."""

_WORSE = ((1.25, 0.2), (1.5, 0.2), (2.0, 0.2), (4.0, 0.2), (8.0, 0.2))


class MixtureTest(_Mixture):
    """Shows, prompt after prompt, that the rate is under `theta0`; may be looked at after every one.

    Under any true rate >= theta0 the chance that M ever reaches 1/alpha is at most alpha (Ville's inequality), so a
    campaign may stop the moment `certified` is true.

    >>> test = MixtureTest(0.05, 0.05)
    >>> for _ in range(85):
    ...     test.update(False)
    >>> test.certified
    True
    """

    def __init__(self, theta0: float, alpha: float) -> None:
        rates = tuple(part * theta0 for part, _ in _BETTER)
        super().__init__(theta0, alpha, rates=rates, weights=tuple(weight for _, weight in _BETTER))

    @property
    def certified(self) -> bool:
        """M has reached 1/alpha, now or before."""
        return self._reached


class DriftTest(_Mixture):
    """Watches in service: alarms when the rate is shown to be above `theta0`.

    Under any true rate <= theta0 the chance of an alarm ever is at most alpha, over a service of any length.
    """

    def __init__(self, theta0: float, alpha: float) -> None:
        rates = tuple(min(part * theta0, (1.0 + theta0) / 2.0) for part, _ in _WORSE)
        super().__init__(theta0, alpha, rates=rates, weights=tuple(weight for _, weight in _WORSE))

    @property
    def alarm(self) -> bool:
        """M has reached 1/alpha, now or before."""
        return self._reached


def anytime_upper(k: int, n: int, alpha: float) -> float:
    """Upper bound after `k` of `n` where one stopped when one liked: the least theta0 that `MixtureTest` certifies.

    Wider than `upper`, which is only valid for an `n` fixed before.

    Raises:
        ValueError: k is not within [0, n], or alpha not within (0, 1).
    """
    _check(k, n, alpha)

    def rejected(theta0: float) -> bool:
        test = MixtureTest(theta0, alpha)
        test.violated, test.count = k, n
        return test.value >= 1.0 / alpha

    highest = 1.0 - _WIDTH
    return _first(rejected, k / n, highest) if n and k < n and rejected(highest) else 1.0


def mcnemar(b: int, c: int) -> float:
    """Exact two-sided p-value that two versions differ: `b` prompts only the first fails, `c` only the second.

    >>> round(mcnemar(0, 6), 5)
    0.03125
    """
    return min(1.0, 2.0 * binomial_cdf(min(b, c), b + c, 0.5)) if b + c else 1.0


def increase_upper(worse: int, better: int, n: int, alpha: float) -> float:
    """Upper bound of how much higher the new version's rate is, on `n` prompts that both answered.

    upper(worse, n; alpha/2) - lower(better, n; alpha/2): `worse` prompts only the new one fails, `better` only the
    old one.
    """
    return upper(worse, n, alpha / 2.0) - lower(better, n, alpha / 2.0)


def hit_at_k(n: int, c: int, k: int) -> float:
    """Chance that at least one of `k` tries is a violation, from `c` among `n` tries: 1 - C(n - c, k) / C(n, k).

    >>> hit_at_k(3, 1, 2)
    0.6666666666666667

    Raises:
        ValueError: c is not within [0, n], or k not within [1, n].
    """
    if not 0 <= c <= n or not 1 <= k <= n:
        raise ValueError(f"c must lie within [0, n] and k within [1, n]; found n={n}, c={c}, k={k}.")
    return 1.0 - math.comb(n - c, k) / math.comb(n, k)


def _check(k: int, n: int, alpha: float) -> None:
    if not 0 <= k <= n:
        raise ValueError(f"k must lie within [0, n]; found k={k}, n={n}.")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha must lie within (0, 1); found {alpha}.")


def _first(holds: Callable[[float], bool], low: float, high: float) -> float:
    """Least number of [low, high] for which `holds`, which is false and then true: the end of the last interval
    where it is true, so that rounding only widens a bound.
    """
    while high - low > _WIDTH:
        middle = (low + high) / 2.0
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
