"""Mains hum: lines at 50 or 60 Hz and their multiples that are there all the time.

Spectra of one second (bins of 1 Hz) are taken every half second, and each bin's 25th percentile over time
is kept, which is the minimum-statistics idea of R. Martin, "Noise power spectral density estimation based
on optimal smoothing and minimum statistics", IEEE Trans. SAP 9(5), 2001: a voice moves in pitch and pauses,
so little of it is left, while hum stays whole. A multiple of the mains frequency counts as a line if it
stands 10 dB (14 in a recording of only five seconds) above the medians of both its sides. Hum is a line at
the fundamental, or two at its 3rd, 5th and 7th multiple; even multiples alone are not enough, since a
steady voice or instrument at 100 or 120 Hz has the same. (So hum with even multiples only is not reported.)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.level import Meter
from unmuffle.measure.single.framing import Framer, hann
from unmuffle.measure.single.histogram import LevelHistogram
from unmuffle.signal.arrays import FloatArray, as_channels

MAINS_HZ = (50, 60)

_HARMONICS = 10
_DRIFT_HZ = 0.5
_DRIFT_STEP_HZ = 0.05
_QUANTILE = 0.25
_DRIFT_SLACK_HZ = 0.15
_PROMINENT_DB = 10.0
_CHANCE_DB = 12.0
"""Added over the root of the number of frames: percentiles of few frames stray."""

_NEAR_HZ, _FAR_HZ = 5, 18
_LEAST_FRAMES = 3
_TOP_HZ = _HARMONICS * (MAINS_HZ[-1] + 1) + _FAR_HZ


@dataclass(frozen=True)
class HumLine:
    """One line of hum: its frequency, its level, and its height above the spectrum beside it."""

    hz: float
    level_dbfs: float
    prominence_db: float


@dataclass(frozen=True)
class Hum:
    """Mains hum in a recording.

    Attributes
    ----------
    detected : bool or None
        None for silence or for less than 2 s, which is too short to tell.
    mains_hz : int or None
        50 or 60.
    fundamental_hz : float or None
        As measured, within 0.5 Hz of it.
    level_dbfs : float or None
        Power of all lines together, averaged over the channels; a full-scale sine has -3.0.
    lines : tuple of HumLine
        The strongest first.
    """

    detected: bool | None
    mains_hz: int | None = None
    fundamental_hz: float | None = None
    level_dbfs: float | None = None
    lines: tuple[HumLine, ...] = ()


class HumMeter(Meter):
    """Finds mains hum in a stream, all channels taken together.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.

    Notes
    -----
    Memory: 2 MB for the statistics and a second of audio, for any length.
    """

    def __init__(self, sample_rate: int, channels: int = 1) -> None:
        super().__init__(sample_rate, channels)
        window = hann(self.sample_rate)
        # Scaled so that the bins a sine occupies add up to its mean square.
        self._window = window * np.float32(
            np.sqrt(2.0 / (self.sample_rate * np.square(window, dtype=np.float64).sum()))
        )
        self._framer = Framer(self.channels, self.sample_rate, self.sample_rate // 2)
        self._spectrum = LevelHistogram(_TOP_HZ + 1, -190.0, 130.0)

    def _process(self, block: FloatArray) -> None:
        frames = self._framer.push(block)
        for index in range(frames.shape[1]):
            frame = frames[:, index]
            if frame.any():
                bins = np.fft.rfft(frame * self._window, axis=1)[:, : _TOP_HZ + 1]
                self._spectrum.add((bins.real**2 + bins.imag**2).mean(axis=0)[None])

    def result(self) -> Hum:
        """Return what was found in all that was heard."""
        if self._spectrum.frames < _LEAST_FRAMES:
            return Hum(None)
        spectrum_db = self._spectrum.quantile_db(_QUANTILE)
        prominent_db = _PROMINENT_DB + _CHANCE_DB / self._spectrum.frames**0.5
        candidates = [_hum_at(spectrum_db, mains_hz, prominent_db) for mains_hz in MAINS_HZ]
        found = [hum for hum in candidates if hum.detected]
        return max(found, key=lambda hum: sum(line.prominence_db for line in hum.lines)) if found else Hum(False)


def detect_hum(audio: npt.ArrayLike, sample_rate: int) -> Hum:
    """Return the mains hum in ``[samples]`` or ``[channels, samples]``; see ``HumMeter``."""
    samples = as_channels(audio)
    meter = HumMeter(sample_rate, samples.shape[0])
    meter.process(samples)
    return meter.result()


def _hum_at(spectrum_db: npt.NDArray[np.float64], mains_hz: int, prominent_db: float) -> Hum:
    """Look for the lines of one mains frequency in levels in dB of bins 1 Hz wide."""
    steps = np.arange(-_DRIFT_HZ, _DRIFT_HZ + 0.5 * _DRIFT_STEP_HZ, _DRIFT_STEP_HZ)
    multiples = np.outer(mains_hz + steps, np.arange(1, _HARMONICS + 1))
    levels_db = np.interp(multiples, np.arange(spectrum_db.size), spectrum_db)
    beside_db = np.array([_beside_db(spectrum_db, harmonic * mains_hz) for harmonic in range(1, _HARMONICS + 1)])
    best = int(np.clip(levels_db - beside_db, 0.0, 40.0).sum(axis=1).argmax())
    lines = {
        harmonic: line
        for harmonic in range(1, _HARMONICS + 1)
        if (line := _line_at(spectrum_db, multiples[best, harmonic - 1], beside_db[harmonic - 1])) is not None
        and line.prominence_db >= prominent_db
        and abs(line.hz - harmonic * mains_hz) <= harmonic * _DRIFT_HZ + _DRIFT_SLACK_HZ
    }
    if 1 not in lines and len(lines.keys() & {3, 5, 7}) < 2:
        return Hum(False)
    strongest = sorted(lines, key=lambda harmonic: -lines[harmonic].level_dbfs)
    total = sum(10.0 ** (line.level_dbfs / 10.0) for line in lines.values())
    fundamental_hz = lines[strongest[0]].hz / strongest[0]
    ordered = tuple(lines[harmonic] for harmonic in strongest)
    return Hum(True, mains_hz, fundamental_hz, float(10.0 * np.log10(total)), ordered)


def _beside_db(spectrum_db: npt.NDArray[np.float64], hz: int) -> float:
    """Return the higher one of the median levels on both sides of a line."""
    left = np.median(spectrum_db[hz - _FAR_HZ : hz - _NEAR_HZ])
    right = np.median(spectrum_db[hz + _NEAR_HZ + 1 : hz + _FAR_HZ + 1])
    return float(max(left, right))


def _line_at(spectrum_db: npt.NDArray[np.float64], hz: float, beside_db: float) -> HumLine | None:
    nearest = round(hz)
    peak = nearest - 1 + int(spectrum_db[nearest - 1 : nearest + 2].argmax())
    low, middle, high = spectrum_db[peak - 1 : peak + 2]
    # A bin of the noise beside it, in each of the five that a line occupies, is not hum.
    power = (10.0 ** (spectrum_db[peak - 2 : peak + 3] / 10.0)).sum() - 5.0 * 10.0 ** (beside_db / 10.0)
    if power <= 0.0 or middle < max(low, high):
        return None
    curvature = low - 2.0 * middle + high
    place = peak + 0.5 * (low - high) / curvature if curvature < 0.0 else float(peak)
    return HumLine(float(place), float(10.0 * np.log10(power)), float(middle - beside_db))
