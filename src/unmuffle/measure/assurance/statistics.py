"""What a list of values says, how sure its mean is, and whether two enhancers differ on the same clips.

The interval of the mean is the bias-corrected and accelerated bootstrap (B. Efron, "Better bootstrap confidence
intervals", JASA 82, 1987). Two enhancers are compared by the signed-rank test (F. Wilcoxon, "Individual comparisons by
ranking methods", Biometrics 1, 1945); clips on which both are equal are left out of the ranks, as in that paper. The
effect size is the matched-pairs rank-biserial correlation (D. S. Kerby, "The simple difference formula", Comprehensive
Psychology 3, 2014). Several tests at once are corrected after S. Holm, "A simple sequentially rejective multiple test
procedure", Scandinavian Journal of Statistics 6, 1979.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray

CONFIDENCE = 0.95
LOW_PERCENTILE = 5.0
_RESAMPLES = 4_999
_VALUES_AT_ONCE = 1 << 21
"""How many resampled values are held in memory at a time (16 MiB)."""
_ROUNDING = 1e-12
"""What differs by less than this share of the largest value is equal."""


@dataclass(frozen=True)
class Summary:
    """A list of values in few numbers.

    Attributes
    ----------
    count : int
        How many values.
    mean, median : float
        Over all of them.
    p5 : float
        The 5th percentile: what the worst twentieth stays below.
    low, high : float
        95 % bootstrap interval of the mean; both are the mean where all values are equal or there is only one.
    """

    count: int
    mean: float
    median: float
    p5: float
    low: float
    high: float


@dataclass(frozen=True)
class PairedTest:
    """Whether the second of two enhancers differs from the first on the same clips.

    Attributes
    ----------
    clips : int
        How many clips both have a value of.
    mean_difference : float
        Second minus first.
    p_value : float
        Of the two-sided Wilcoxon signed-rank test, 0 to 1; 1 where they are equal on every clip.
    effect_size : float
        Matched-pairs rank-biserial correlation, -1 (the second is lower on every clip) to 1 (higher on every clip).
    """

    clips: int
    mean_difference: float
    p_value: float
    effect_size: float


def summarize(values: Sequence[float], *, seed: int = 0) -> Summary:
    """Return mean, median, 5th percentile and the 95 % interval of the mean.

    Parameters
    ----------
    values : sequence of float
        At least one, all finite.
    seed : int, default 0
        Of the resampling: the same values and seed give the same interval.

    Raises
    ------
    InvalidParameterError
        If there is no value, or one that is not finite.

    Examples
    --------
    >>> summarize([1.0, 2.0, 6.0]).median
    2.0
    """
    found = _finite("values", values)
    low, high = _interval(found, seed)
    return Summary(
        count=found.size,
        mean=float(found.mean()),
        median=float(np.median(found)),
        p5=float(np.percentile(found, LOW_PERCENTILE)),
        low=low,
        high=high,
    )


def paired_test(first: Mapping[str, float], second: Mapping[str, float]) -> PairedTest:
    """Test whether the values of a measure after two enhancers differ on the clips that both have.

    Parameters
    ----------
    first, second : mapping of str to float
        Value by clip; clips that only one of them has are left out.

    Raises
    ------
    InvalidParameterError
        If they have no clip in common, or a value is not finite.

    Examples
    --------
    >>> paired_test({"a": 1.0, "b": 2.0, "c": 2.5}, {"a": 1.5, "b": 3.0, "c": 2.75}).effect_size
    1.0
    """
    common = [clip for clip in first if clip in second]
    if not common:
        raise InvalidParameterError("nothing can be compared: the two have no clip in common")
    before, after = (_finite("values", [values[clip] for clip in common]) for values in (first, second))
    differences = after - before
    # Rounding makes equal differences unequal (0.3 - 0.2 and 0.2 - 0.1), and ranks would take that for a finding.
    noise = _ROUNDING * max(np.abs(before).max(), np.abs(after).max())
    p_value, effect_size = _signed_rank(np.round(differences / noise) if noise else differences)
    return PairedTest(len(common), float(differences.mean()), p_value, effect_size)


def paired_tests(first: Mapping[str, float], others: Mapping[str, Mapping[str, float]]) -> dict[str, PairedTest]:
    """Test several enhancers against one, with the p-values corrected for their number after Holm.

    Parameters
    ----------
    first : mapping of str to float
        Value by clip of the enhancer that all are compared with.
    others : mapping of str to mapping of str to float
        The same of each other one, by its name.

    Raises
    ------
    InvalidParameterError
        As ``paired_test``.
    """
    return corrected({name: paired_test(first, values) for name, values in others.items()})


def corrected(tests: Mapping[str, PairedTest]) -> dict[str, PairedTest]:
    """Return tests made at once with their p-values corrected after Holm."""
    p_values = holm([test.p_value for test in tests.values()])
    return {name: replace(test, p_value=p_value) for (name, test), p_value in zip(tests.items(), p_values, strict=True)}


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values of tests made at once, corrected so that none is found significant by their number alone.

    Examples
    --------
    >>> holm([0.04, 0.01, 0.03])
    [0.06, 0.03, 0.06]
    """
    found = np.asarray(p_values, np.float64)
    order = np.argsort(found, kind="stable")
    stepped = np.maximum.accumulate(found[order] * np.arange(found.size, 0, -1))
    adjusted = np.empty_like(found)
    adjusted[order] = np.minimum(stepped, 1.0)
    return [float(value) for value in adjusted]


def _finite(name: str, values: Sequence[float]) -> FloatArray:
    found = np.asarray(values, np.float64)
    if found.ndim != 1 or not found.size:
        raise InvalidParameterError(f"{name} must be a list of at least one number, not of shape {found.shape}")
    if not np.isfinite(found).all():
        raise InvalidParameterError(f"{name} must be finite: leave {int((~np.isfinite(found)).sum())} of them out")
    return found


def _interval(values: FloatArray, seed: int) -> tuple[float, float]:
    if np.ptp(values) <= _ROUNDING * np.abs(values).max():
        return float(values.mean()), float(values.mean())
    from scipy.stats import bootstrap

    found = bootstrap(
        (values,),
        np.mean,
        n_resamples=_RESAMPLES,
        batch=max(1, _VALUES_AT_ONCE // values.size),
        confidence_level=CONFIDENCE,
        method="BCa",
        random_state=np.random.default_rng(seed),
    ).confidence_interval
    return float(found.low), float(found.high)


def _signed_rank(differences: FloatArray) -> tuple[float, float]:
    """Return the p-value and the effect size."""
    unequal = differences[differences != 0.0]
    if not unequal.size:
        return 1.0, 0.0
    from scipy.stats import rankdata, wilcoxon

    ranks = rankdata(np.abs(unequal))
    effect_size = float(ranks @ np.sign(unequal) / ranks.sum())
    return float(wilcoxon(unequal).pvalue), effect_size
