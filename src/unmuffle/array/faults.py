"""Microphones that would spoil a beam: dead, clipped, too quiet, too loud, inverted, or with a clock of their own.

Levels are compared with the median of the array. Polarity is told at low frequencies, where all microphones of a small
array hear nearly the same: there the principal eigenvector of the real part of their coherence has one sign. Nothing is
said of microphones so far apart that the sound comes 0.6 ms later to one of them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.array.clock_drift import clock_drifts_ppm
from unmuffle.array.covariance import weighted_covariance
from unmuffle.array.phase_delays import PhaseDelays
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray, as_channels, check_finite
from unmuffle.signal.grid import Grid, grid_for
from unmuffle.signal.stft import StftStream

LONGEST_S = 60.0
"""No more of a recording is looked at."""
DEAD_DB, OFF_DB = -45.0, 12.0
DEAD_RMS = 1e-7
MOST_CLIPPED = 1e-3
LOW_HZ = (80.0, 400.0)
MOST_DRIFT_PPM = 20.0
MOST_WANDERED_S = 8e-4
"""Delay up to which a talker who walks around a small array may be the reason."""
FAR_S = 6e-4
"""Delay from which on the sign of low frequencies tells nothing of polarity."""
CLEAR = 0.3
"""Mean coherence below which polarity cannot be told."""
INVERTED_DETAIL = f"against the others up to {LOW_HZ[1]:.0f} Hz"

Finding = tuple[int, str, str]
"""Place among the channels given, kind, and detail."""


@dataclass(frozen=True)
class MicrophoneFault:
    """What is wrong with a microphone.

    Attributes
    ----------
    channel : int
    kind : {"dead", "quiet", "loud", "clipped", "inverted", "drifting"}
    detail : str
        The figure behind it.
    """

    channel: int
    kind: str
    detail: str

    def __str__(self) -> str:
        return f"microphone {self.channel} is {self.kind} ({self.detail})"


def find_faulty_microphones(audio: npt.ArrayLike, sample_rate: int) -> list[MicrophoneFault]:
    """Return what is wrong with the microphones of a recording, one fault each, in order of the channels.

    Parameters
    ----------
    audio : array_like [microphones, samples]
        Float (full scale 1.0), int16 or int32; the first minute is looked at.
    sample_rate : int
        In Hz, 8,000 to 192,000.

    Raises
    ------
    InvalidAudioError
        If the array has a wrong shape or type, or holds NaN or infinity.
    """
    samples = as_channels(audio)[:, : round(LONGEST_S * sample_rate)]
    check_finite("the recording", samples)
    if len(samples) < 2 or not samples.any():
        return []
    faults = _of_level(samples)
    for find in (_of_clipping, _of_polarity, _of_drift):
        working = [channel for channel in range(len(samples)) if channel not in faults]
        for place, kind, detail in find(samples[working], sample_rate) if len(working) > 1 else ():
            faults[working[place]] = MicrophoneFault(working[place], kind, detail)
    return [faults[channel] for channel in sorted(faults)]


def healthy_channels(faults: list[MicrophoneFault], channels: int) -> BoolArray:
    """Return which channels to use, bool [channels]: all, where fewer than two would be left."""
    healthy = np.ones(channels, np.bool_)
    healthy[[fault.channel for fault in faults]] = False
    return healthy if healthy.sum() >= 2 else np.ones(channels, np.bool_)


def _of_level(samples: FloatArray) -> dict[int, MicrophoneFault]:
    rms = np.sqrt(np.square(samples, dtype=np.float64).mean(axis=1))
    level_db = levels_against_others_db(rms)
    faults = {}
    for channel, (power, apart_db) in enumerate(zip(rms, level_db, strict=True)):
        kind = ""
        if power < DEAD_RMS or apart_db < DEAD_DB:
            kind = "dead"
        elif abs(apart_db) > OFF_DB:
            kind = "quiet" if apart_db < 0.0 else "loud"
        if kind:
            faults[channel] = MicrophoneFault(channel, kind, detail_of_level(power, apart_db))
    return faults


def usual_level(rms: FloatArray) -> float:
    """Return the level that microphones of these levels should have."""
    # Of two the louder is right: silence is no level to compare with.
    return float(np.median(rms)) if len(rms) > 2 else float(rms.max())


def levels_against_others_db(rms: FloatArray) -> FloatArray:
    """Return levels [channels] in dB against the usual one, float64 [channels]."""
    return np.asarray(20.0 * np.log10(np.maximum(rms, 1e-12) / max(usual_level(rms), 1e-12)))


def detail_of_level(rms: float, apart_db: float) -> str:
    """Return what is told of a microphone of a wrong level."""
    return "silence" if rms < DEAD_RMS else f"{apart_db:+.0f} dB against the others"


def _of_clipping(samples: FloatArray, sample_rate: int) -> list[Finding]:
    from unmuffle.repair.declip import find_clipped

    clipped = np.zeros(len(samples))
    for run in find_clipped(samples, sample_rate):
        clipped[run.channel] += run.stop - run.start
    share = clipped / samples.shape[1]
    return [
        (channel, "clipped", f"{100 * share[channel]:.1f} % of its samples")
        for channel in np.flatnonzero(share > MOST_CLIPPED).tolist()
    ]


def _of_polarity(samples: FloatArray, sample_rate: int) -> list[Finding]:
    covariance, delays_s = _low_covariance(samples, grid_for(sample_rate))
    # NaN compares false with everything.
    near = np.flatnonzero(np.abs(delays_s) <= FAR_S)
    wrong = inverted_of(covariance[:, near[:, None], near]) if near.size > 1 else None
    if wrong is None:
        return []
    return [(place, "inverted", INVERTED_DETAIL) for place in near[wrong].tolist()]


def inverted_of(covariance: ComplexArray) -> BoolArray | None:
    """Return which microphones are inverted, bool [channels], or None where that cannot be told.

    Parameters
    ----------
    covariance : complex [bins, channels, channels]
        Of the bins within ``LOW_HZ``.
    """
    power = np.sqrt(np.einsum("kmm->km", covariance).real)
    scale = np.maximum(power[:, :, None] * power[:, None, :], 1e-30)
    coherence = np.asarray((covariance.real / scale).mean(axis=0))
    _, vectors = np.linalg.eigh(coherence)
    signs = np.sign(vectors[:, -1])
    if float(np.abs(coherence[~np.eye(len(coherence), dtype=bool)]).mean()) < CLEAR:
        return None
    # The fewer are wrong; of as many, those that are not as the first.
    return np.asarray(signs != (signs[0] if signs.sum() == 0 else np.sign(signs.sum())))


def _of_drift(samples: FloatArray, sample_rate: int) -> list[Finding]:
    drifts = clock_drifts_ppm(samples, sample_rate)
    if drifts is None:
        return []
    most = max(MOST_DRIFT_PPM, 1e6 * MOST_WANDERED_S * sample_rate / samples.shape[1])
    # NaN compares false with everything.
    apart = np.flatnonzero(np.abs(drifts) > most).tolist()
    return [(place, "drifting", f"its clock by {drifts[place]:+.0f} ppm against the others") for place in apart]


def low_bins(grid: Grid) -> BoolArray:
    """Return which bins lie within ``LOW_HZ``, bool [bins]."""
    return np.asarray((grid.frequencies_hz >= LOW_HZ[0]) & (grid.frequencies_hz <= LOW_HZ[1]))


def _low_covariance(samples: FloatArray, grid: Grid) -> tuple[ComplexArray, FloatArray]:
    """Covariance at low frequencies, complex128 [bins, channels, channels], and delays to the first channel."""
    low = low_bins(grid)
    total: ComplexArray = np.zeros((int(low.sum()), len(samples), len(samples)), np.complex128)
    delays = PhaseDelays(grid, len(samples))
    for spectra in StftStream(grid, len(samples)).analyze(samples):
        delays.add(spectra)
        chosen = spectra[:, :, low]
        total += weighted_covariance(chosen, np.ones((len(chosen), chosen.shape[2])))
    return total, delays.delays_s()
