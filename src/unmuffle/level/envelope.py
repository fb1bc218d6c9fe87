"""Attack and release without a loop over samples: the decoupled peak detector.

Giannoulis, Massberg and Reiss, "Digital dynamic range compressor design", J. Audio Eng. Soc. 60 (6), 2012, equation
15: a peak that decays with the release time, then a one-pole average with the attack time. Its first half is a running
maximum once the decay is divided out, its second a linear filter, so both run at the speed of array arithmetic. (The
paper's branching detector, equation 16, has no such form.) What follows from the decoupling, as the paper says: the
attack starts the release late, which adds about one attack time to it.
"""

from __future__ import annotations

from functools import lru_cache
from math import exp

import numpy as np
import numpy.typing as npt

from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray

_PIECE = 1 << 14
_MOST_NEPERS = 300.0
"""Within a piece the decay is divided out, so no piece may be so long that exp of this overflows."""

_NOTHING = 1e-9
"""Values that have decayed to less are 0 from the next piece on: far below what is heard, far above denormals."""

Float64Array = npt.NDArray[np.float64]


class AttackRelease:
    """Follows values >= 0 with an attack and a release time; state is kept from call to call.

    With values in dB (a gain reduction, an amount by which a level exceeds something) it glides in dB, which is how
    ears judge it; with magnitudes or powers it is a level meter. For a fall as quick as a rise is quick, exchange what
    is high and what is low before and after.

    Parameters
    ----------
    sample_rate : float
        Values a second in each row: the audio's rate, or a frame rate.
    rows : int
        Rows of values, each followed on its own: channels, or 1 where they are linked.
    attack_s : float
        Time constant of a rise: after it, 63 % of a step is reached. 0 follows rises at once.
    release_s : float
        Time constant of a decay towards 0: after it, 37 % is left; the value is never below the input's own decay. 0
        lets go at once.

    Examples
    --------
    A step of 10 dB, and its end:

    >>> follower = AttackRelease(1000, 1, attack_s=0.01, release_s=0.1)
    >>> rising = follower.follow(np.full((1, 100), 10.0))
    >>> falling = follower.follow(np.zeros((1, 110)))
    >>> rising[0, 9].round(2), rising[0, 99].round(2), falling[0, 109].round(1)
    (np.float64(6.32), np.float64(10.0), np.float64(3.7))
    """

    def __init__(self, sample_rate: float, rows: int, attack_s: float, release_s: float) -> None:
        from scipy.signal import lfilter

        self._lfilter = lfilter
        self._keep = exp(-1.0 / (attack_s * sample_rate)) if attack_s > 0.0 else 0.0
        self._decay = DecayingPeak(sample_rate, rows, release_s)
        self._state: Float64Array = np.zeros((rows, 1))

    def follow(self, values: FloatArray) -> Float64Array:
        """Return the followed values for the next ones, both [rows, n]; the input must not be below 0."""
        peaks = self._decay.follow(values)
        if self._keep == 0.0 or peaks.shape[1] == 0:
            return peaks
        self._state[self._state < _NOTHING] = 0.0
        smoothed, self._state = self._lfilter([1.0 - self._keep], [1.0, -self._keep], peaks, zi=self._state)
        return np.asarray(smoothed)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is left of the past, so that zeros in give zeros out."""
        return self._decay.at_rest and not (self._state >= _NOTHING).any()

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        """What is known of the rows, [rows, ...]; a view."""
        return (*self._decay.row_states, self._state)

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past of all rows, or of those of the mask [rows]."""
        self._decay.reset(mask)
        self._state[slice(None) if mask is None else mask] = 0.0


class DecayingPeak:
    """The release alone: ``y[n] = max(x[n], keep * y[n - 1])`` for values >= 0; see ``AttackRelease``."""

    def __init__(self, sample_rate: float, rows: int, release_s: float) -> None:
        self._rate = 1.0 / (release_s * sample_rate) if release_s > 0.0 else np.inf
        self._last: Float64Array = np.zeros((rows, 1))

    @property
    def at_rest(self) -> bool:
        """Whether nothing is left of the past."""
        return not (self._last >= _NOTHING).any()

    def follow(self, values: FloatArray) -> Float64Array:
        """Return the decaying peaks for the next values, both [rows, n]."""
        if self._rate > 1.0 / _NOTHING:
            return values.astype(np.float64)
        out: Float64Array = np.empty(values.shape)
        longest = max(1, min(_PIECE, int(_MOST_NEPERS / self._rate)))
        for start in range(0, values.shape[1], longest):
            piece = out[:, start : start + longest]
            grown, shrunk = _decay(self._rate, longest)
            size = piece.shape[1]
            self._last[self._last < _NOTHING] = 0.0
            np.multiply(values[:, start : start + size], grown[:size], out=piece)
            np.maximum(piece[:, :1], self._last, out=piece[:, :1])
            np.maximum.accumulate(piece, axis=1, out=piece)
            piece *= shrunk[:size]
            # Handed on as the value that the first sample of the next piece is compared with.
            self._last = piece[:, -1:] * exp(-self._rate)
        return out

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        """What is known of the rows, [rows, ...]; a view."""
        return (self._last,)

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past of all rows, or of those of the mask [rows]."""
        self._last[slice(None) if mask is None else mask] = 0.0


@lru_cache(maxsize=32)
def _decay(rate: float, size: int) -> tuple[Float64Array, Float64Array]:
    """Return the factors that divide the decay out, and put it back."""
    nepers = rate * np.arange(size)
    return np.exp(nepers), np.exp(-nepers)
