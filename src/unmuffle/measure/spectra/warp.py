"""Frequency axes: linear, logarithmic or mel (S. S. Stevens et al., 1937, in O'Shaughnessy's form of 1987)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.spectra.bands import band_power
from unmuffle.measure.spectra.power import to_db

SCALES = ("linear", "log", "mel")
LOWEST_LOG_HZ = 50.0

_TICKS_KHZ = {
    "log": (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0),
    "mel": (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0),
}


@dataclass(frozen=True)
class FrequencyAxis:
    """An axis from 0 Hz (50 Hz where it is logarithmic) up.

    Attributes
    ----------
    scale : str
        ``"linear"``, ``"log"`` or ``"mel"``.
    highest_hz : float
        Where it ends.
    """

    scale: str
    highest_hz: float

    @property
    def lowest_hz(self) -> float:
        """Where it starts."""
        return LOWEST_LOG_HZ if self.scale == "log" else 0.0

    def place(self, hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return where frequencies lie: kHz where it is linear, else mel or octaves."""
        frequency = np.asarray(hz, np.float64)
        if self.scale == "mel":
            return np.asarray(2595.0 * np.log10(1.0 + frequency / 700.0))
        return np.asarray(np.log2(frequency) if self.scale == "log" else frequency / 1000.0)

    def borders_hz(self, rows: int) -> npt.NDArray[np.float64]:
        """Return the borders of rows of equal height, from the lowest up, [rows + 1]."""
        places = np.linspace(self.place(self.lowest_hz), self.place(self.highest_hz), rows + 1)
        if self.scale == "mel":
            return np.asarray(700.0 * (10.0 ** (places / 2595.0) - 1.0))
        return np.asarray(2.0**places if self.scale == "log" else 1000.0 * places)

    def ticks_khz(self) -> tuple[float, ...]:
        """Return the frequencies to be labelled; none where matplotlib finds them itself."""
        low, high = self.lowest_hz / 1000.0, self.highest_hz / 1000.0
        return tuple(tick for tick in _TICKS_KHZ.get(self.scale, ()) if low <= tick <= high)

    def rows(self, level_db: npt.NDArray[np.float32], bin_hz: float, rows: int) -> npt.NDArray[np.float32]:
        """Return levels [bins, columns] as rows of equal height, [rows, columns]: the mean power of what lies in each.

        Bins are ``bin_hz`` apart from 0 Hz to half the sample rate.
        """
        borders = self.borders_hz(rows)
        power = 10.0 ** (level_db.T.astype(np.float64) / 10.0)
        within = band_power(power, bin_hz, borders) / np.diff(borders) * bin_hz
        return to_db(within).T.astype(np.float32)


def check_scale(scale: str) -> str:
    """Return the name of a scale, or raise ``InvalidParameterError``."""
    if scale not in SCALES:
        raise InvalidParameterError(f"frequency scale {scale!r} is not known: choose one of {', '.join(SCALES)}")
    return scale
