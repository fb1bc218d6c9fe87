"""Third-octave bands: IEC 61260-1:2014, base ten.

Exact mid-band frequencies are 10^(n/10) Hz, borders a twentieth of a decade to both sides, names the nominal ones of
its Annex E. The energy of a bin that lies across a border is shared between both bands by width, so that bands add up
to the spectrum they are made of. Left out: the shapes of the filters; these bands have brick walls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.signal.arrays import FloatArray

LOWEST_HZ = 25.0

_NOMINAL = (1.0, 1.25, 1.6, 2.0, 2.5, 3.15, 4.0, 5.0, 6.3, 8.0)


@dataclass(frozen=True)
class Bands:
    """Neighbouring bands.

    Attributes
    ----------
    centres_hz : float64 [bands]
        Nominal mid-band frequencies.
    edges_hz : float64 [bands + 1]
        Band ``b`` reaches from ``edges_hz[b]`` to ``edges_hz[b + 1]``.
    """

    centres_hz: npt.NDArray[np.float64]
    edges_hz: npt.NDArray[np.float64]

    @property
    def widths_hz(self) -> npt.NDArray[np.float64]:
        """Upper less lower border, float64 [bands]."""
        return np.diff(self.edges_hz)


def third_octave_bands(sample_rate: int, lowest_hz: float = LOWEST_HZ) -> Bands:
    """Return the third-octave bands from a nominal frequency up to half the sample rate, where the last one is cut.

    Examples
    --------
    >>> third_octave_bands(8000, 800.0).centres_hz
    array([ 800., 1000., 1250., 1600., 2000., 2500., 3150., 4000.])
    """
    first = round(10.0 * np.log10(lowest_hz))
    top = 0.5 * sample_rate
    numbers = np.arange(first, int(np.ceil(10.0 * np.log10(top) + 0.5)))
    centres = np.array([_NOMINAL[number % 10] * 10.0 ** (number // 10) for number in numbers])
    edges = 10.0 ** ((np.append(numbers, numbers[-1] + 1) - 0.5) / 10.0)
    return Bands(centres, np.minimum(edges, top))


def fractional_octave_edges(lowest_hz: float, highest_hz: float, per_octave: int) -> npt.NDArray[np.float64]:
    """Return the borders of bands of a part of an octave that fill a range."""
    count = max(1, round(float(np.log2(highest_hz / lowest_hz)) * per_octave))
    return np.geomspace(lowest_hz, highest_hz, count + 1)


def band_power(power: FloatArray, bin_hz: float, edges_hz: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return what bins [..., bins] from 0 Hz to half the sample rate hold between neighbouring borders.

    The first and the last bin are half as wide as the others, and each holds its power evenly over its width.
    """
    bins = power.shape[-1]
    borders_hz = np.concatenate(([0.0], (np.arange(bins - 1) + 0.5) * bin_hz, [(bins - 1) * bin_hz]))
    place = np.interp(edges_hz, borders_hz, np.arange(bins + 1.0))
    below = np.zeros((*power.shape[:-1], bins + 1))
    np.cumsum(power, axis=-1, dtype=np.float64, out=below[..., 1:])
    whole = np.minimum(place.astype(np.intp), bins - 1)
    upto = below[..., whole] + (place - whole) * power[..., whole]
    return np.maximum(np.diff(upto, axis=-1), 0.0)
