"""A recursive filter that goes on from block to block."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray

_NEGLIGIBLE = 1e-150


class StreamFilter:
    """Second-order sections over a stream, in float64.

    Parameters
    ----------
    sections : float64 [sections, 6]
        As designed by ``scipy.signal``.
    channels : int
        Rows of every block.
    """

    def __init__(self, sections: npt.NDArray[np.float64], channels: int) -> None:
        self._sections = sections
        self._state = np.zeros((len(sections), channels, 2))

    def process(self, block: FloatArray) -> npt.NDArray[np.float64]:
        """Return the next block [channels, n] filtered, float64."""
        from scipy.signal import sosfilt

        if block.shape[1] == 0:
            return np.zeros(block.shape)
        filtered, self._state = sosfilt(self._sections, block.astype(np.float64), axis=1, zi=self._state)
        # In silence it would decay into denormal numbers, which are slow.
        self._state[np.abs(self._state) < _NEGLIGIBLE] = 0.0
        return filtered

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        """What is known of the channels, [channels, sections, 2]; a view."""
        return (self._state.swapaxes(0, 1),)

    def reset(self, mask: BoolArray | None = None) -> None:
        """Forget the past of all channels, or of those in the mask."""
        self._state[:, slice(None) if mask is None else mask] = 0.0
