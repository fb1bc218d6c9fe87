"""The search for mains hum: lines at the multiples of 50 or 60 Hz in spectra of one second.

Eight spectra a quarter of a second apart are kept, and each bin's 25th percentile over them is taken, as in minimum
statistics (R. Martin, "Noise power spectral density estimation based on optimal smoothing and minimum statistics", IEEE
Trans. SAP 9(5), 2001): a voice moves in pitch and pauses, so little of it is left, while hum stays whole. The
fundamental is the one whose multiples stand highest above what lies beside them, all added up. What is found here is a
proposal; whether it is hum is told by the phases of its lines (see ``dehum_tracking``).
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import FloatArray

MAINS_HZ = (50.0, 60.0)
REACH_HZ = 0.6
"""How far the mains frequency may lie from its nominal value."""

_SPECTRA = 8
_NEWEST = 3
_QUANTILE = 0.25
_HARMONICS = 16
_STEP_HZ = 0.02
_NEAR_HZ, _FAR_HZ = 5.0, 18.0
_PROMINENT_DB = 8.0
_MOST_DB = 30.0
_LEAST_SCORE_DB = 16.0
_QUIETEST_POWER = 1e-20


class HumSearch:
    """Proposes fundamentals of hum.

    Parameters
    ----------
    rate_hz : float
        Of the low band, at least 5,000.
    nominal_hz : tuple of float
        The mains frequencies that come into question.
    """

    def __init__(self, rate_hz: float, nominal_hz: tuple[float, ...] = MAINS_HZ) -> None:
        self.nominal_hz = nominal_hz
        self.size = round(rate_hz)
        self._transform_size = 1 << (self.size - 1).bit_length()
        self._bin_hz = rate_hz / self._transform_size
        self._bins = round((max(nominal_hz) + REACH_HZ) * _HARMONICS / self._bin_hz) + round(2 * _FAR_HZ / self._bin_hz)
        self._window = np.hanning(self.size).astype(np.float32)
        self._spectra: list[FloatArray] = []

    def propose(self, second: FloatArray) -> list[float]:
        """Take the last second [rows, size] and return fundamentals in Hz that may be hum, the likeliest first."""
        bins = np.fft.rfft(second * self._window, self._transform_size, axis=1)[:, : self._bins]
        power = (bins.real**2 + bins.imag**2).mean(axis=0) / self.size**2
        self._spectra = [*self._spectra[1 - _SPECTRA :], 10.0 * np.log10(power + _QUIETEST_POWER)]
        if not second.any():
            return []
        history_db = np.array(self._spectra)
        # The lowest of the last ones, too: they tell of hum that has just begun.
        floors_db = [np.quantile(history_db, _QUANTILE, axis=0, method="lower"), history_db[-_NEWEST:].min(axis=0)]
        scored = [self._best(floor_db, nominal_hz) for floor_db in floors_db for nominal_hz in self.nominal_hz]
        likely = sorted({hz: score_db for score_db, hz in scored if score_db >= _LEAST_SCORE_DB}.items(), key=_score)
        return [hz for hz, _ in likely]

    def reset(self) -> None:
        """Forget the spectra."""
        self._spectra = []

    def _best(self, spectrum_db: FloatArray, nominal_hz: float) -> tuple[float, float]:
        """Return the sum of the rises in dB at the best fundamental, and the fundamental."""
        harmonics = np.arange(1, _HARMONICS + 1)
        candidates_hz = np.arange(nominal_hz - REACH_HZ, nominal_hz + REACH_HZ, _STEP_HZ)
        places = np.outer(candidates_hz, harmonics) / self._bin_hz
        levels_db = np.interp(places, np.arange(spectrum_db.size), spectrum_db)
        beside_db = self._beside_db(spectrum_db, nominal_hz * harmonics)
        rises_db = np.minimum(levels_db - beside_db, _MOST_DB)
        score_db = np.where(rises_db >= _PROMINENT_DB, rises_db, 0.0).sum(axis=1)
        # The middle of the best, because a candidate between two bins and its neighbours score nearly the same.
        best = np.flatnonzero(score_db >= score_db.max() - 1e-9)
        return float(score_db.max()), float(candidates_hz[best[best.size // 2]])

    def _beside_db(self, spectrum_db: FloatArray, lines_hz: FloatArray) -> FloatArray:
        """Return the higher one of the median levels on both sides of each line."""
        offsets = np.arange(round(_NEAR_HZ / self._bin_hz), round(_FAR_HZ / self._bin_hz))
        centres = np.round(lines_hz / self._bin_hz).astype(int)[:, None]
        left = np.median(spectrum_db[centres - offsets], axis=1)
        right = np.median(spectrum_db[centres + offsets], axis=1)
        higher: FloatArray = np.maximum(left, right)
        return higher


def _score(proposal: tuple[float, float]) -> float:
    return -proposal[1]
