"""Averages over the last seconds of a stream of frames, right from its first frame on."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.signal.arrays import BoolArray

_LEAST_WEIGHT = 1e-300
_VOICE_MEMORY_S = 3.0
_KNOWN_S = (0.1, 0.3)
_ASSUMED_POWER = 10.0**-2.6


class RunningMean:
    """Exponentially forgetting weighted mean of a value in each of many channels.

    Parameters
    ----------
    channels : int
        Rows.
    frames : float
        Time constant in frames.
    """

    def __init__(self, channels: int, frames: float) -> None:
        self._keep = float(np.exp(-1.0 / frames))
        self._state = np.zeros((2, channels, 1))

    def process(self, values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the mean up to and with each frame; values and weights (0 or more) are [channels, frames]."""
        from scipy.signal import lfilter

        if values.shape[1] == 0:
            return values
        sums, self._state = lfilter([1.0], [1.0, -self._keep], np.stack([values * weights, weights]), zi=self._state)
        means: npt.NDArray[np.float64] = sums[0] / np.maximum(sums[1], _LEAST_WEIGHT)
        return means

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past of all channels, or of those in the mask."""
        self._state[:, slice(None) if mask is None else mask] = 0.0


class VoiceLevel:
    """Level of a voice over the last seconds: the mean of its energies weighted by themselves, so pauses do not count.

    Until a third of a second was heard, a voice of -26 dBFS is assumed where less was heard.

    Parameters
    ----------
    channels : int
        Rows.
    frame_s : float
        Time from one energy to the next.
    samples : int
        How many samples an energy is the sum of.
    """

    def __init__(self, channels: int, frame_s: float, samples: int) -> None:
        self._frame_s = frame_s
        self._assumed = _ASSUMED_POWER * samples
        self._keep = float(np.exp(-frame_s / _VOICE_MEMORY_S))
        self._state = np.zeros((2, channels, 1))

    def process(self, energies: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the level, as an energy, up to and with each frame; energies [channels, frames] are above 0."""
        from scipy.signal import lfilter

        if energies.shape[1] == 0:
            return energies
        sums, self._state = lfilter([1.0], [1.0, -self._keep], np.stack([energies, energies**2]), zi=self._state)
        # The square of the sum over the sum of the squares is the number of frames that count.
        heard_s = self._frame_s * sums[0] ** 2 / sums[1]
        unknown = np.clip((_KNOWN_S[1] - heard_s) / (_KNOWN_S[1] - _KNOWN_S[0]), 0.0, 1.0)
        level: npt.NDArray[np.float64] = np.maximum(sums[1] / sums[0], unknown * self._assumed)
        return level

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past of all channels, or of those in the mask."""
        self._state[:, slice(None) if mask is None else mask] = 0.0
