"""Whether a recording of speech is fit to be a target: what a network is to give back must not be noisy or clipped.

A recording that is narrower than a telephone, clipped, hardly above its own noise, or rated low by DNSMOS where that
is asked for, is left out; one with some noise is drawn seldom; one that was recorded at a low rate and stored at a high
one counts as what it is. Curated data beat more data (arXiv 2506.23859).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unmuffle.measure.single.bandwidth import detect_bandwidth
from unmuffle.measure.single.clipping import measure_clipping
from unmuffle.signal.arrays import FloatArray

FRAME_S = 0.02
LOUD, QUIET, GATED_DB = 0.95, 0.10, 70.0
NOISY_FLOOR_DB, CLEAN_FLOOR_DB = 30.0, 45.0
LEAST_WEIGHT = 0.05


@dataclass(frozen=True)
class Limits:
    """What speech must keep to.

    Attributes
    ----------
    bandwidth_hz : float
        Least upper edge of its band.
    floor_db : float
        Least distance of quiet frames from loud ones.
    clipped_share : float
        Most samples that may be clipped, 0 to 1.
    dnsmos : float, optional
        Least overall rating by DNSMOS P.835, 1 to 5; it is not rated by default. Needs the extra ``dnsmos``.
    """

    bandwidth_hz: float = 3_000.0
    floor_db: float = 15.0
    clipped_share: float = 1e-3
    dnsmos: float | None = None


@dataclass(frozen=True)
class Fitness:
    """What was measured of a recording; units as in ``Limits``."""

    bandwidth_hz: float
    floor_db: float
    clipped_share: float
    dnsmos: float | None = None


def examine(speech: FloatArray, rate: int, *, rate_by_dnsmos: bool = False) -> Fitness:
    """Measure speech [samples] that is not silent.

    Raises
    ------
    MissingExtraError
        If ``rate_by_dnsmos`` is on and the extra ``dnsmos`` is not installed.
    """
    rating = None
    if rate_by_dnsmos:
        from unmuffle.measure.single.dnsmos import dnsmos

        rating = round(dnsmos(speech, rate).ovrl, 2)
    return Fitness(
        round(detect_bandwidth(speech, rate).hz or 0.0),
        round(floor_db(speech, rate), 1),
        round(measure_clipping(speech, rate).share, 6),
        rating,
    )


def floor_db(speech: FloatArray, rate: int) -> float:
    """Distance in dB from loud frames of 20 ms (95th percentile) to quiet ones (10th).

    Frames that are silent, or 70 dB below the loud ones, are left out: what somebody cut or gated tells nothing of the
    noise under the words.
    """
    frame = round(FRAME_S * rate)
    powers = np.square(speech[: speech.size // frame * frame].reshape(-1, frame), dtype=np.float64).mean(1)
    heard = powers[powers > 0]
    if not heard.size:
        return 0.0
    loud = np.quantile(heard, LOUD)
    quiet = np.quantile(heard[heard > loud * 10 ** (-GATED_DB / 10)], QUIET)
    return float(10 * np.log10(loud / quiet))


def why_unfit(found: Fitness, limits: Limits) -> str | None:
    """Say in a few words what is wrong with a recording, or nothing."""
    if found.bandwidth_hz < limits.bandwidth_hz:
        return f"its band ends at {found.bandwidth_hz:.0f} Hz, below {limits.bandwidth_hz:.0f}"
    if found.clipped_share > limits.clipped_share:
        return f"{found.clipped_share:.2%} of it is clipped, above {limits.clipped_share:.2%}"
    if found.floor_db < limits.floor_db:
        return f"its quiet parts are only {found.floor_db:.0f} dB below the loud ones, not {limits.floor_db:.0f}"
    if limits.dnsmos is not None and found.dnsmos is not None and found.dnsmos < limits.dnsmos:
        return f"DNSMOS rates it {found.dnsmos:.2f}, below {limits.dnsmos:.2f}"
    return None


def weight_of_floor(found_db: float) -> float:
    """Noise under the 'clean' speech teaches a network to keep noise: such recordings are drawn seldom."""
    return min(1.0, max(LEAST_WEIGHT, (found_db - NOISY_FLOOR_DB) / (CLEAN_FLOOR_DB - NOISY_FLOOR_DB)))
