"""Rumble and DC: a Butterworth high-pass in second-order sections, minimum phase, without latency."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import IntOrArray, NonFinite, Processor
from unmuffle.process.whole import process_whole
from unmuffle.repair.stream_filter import StreamFilter
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray
from unmuffle.signal.grid import is_whole

LOWEST_HZ, HIGHEST_HZ = 1.0, 1_000.0
MOST_ORDER = 8


class HighPass(Processor):
    """Takes out what lies below a voice: DC, rumble, wind, handling.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    cutoff_hz : float, default 70
        Where it is 3 dB down, 1 to 1,000 Hz.
    order : int, default 4
        1 to 8; below the cut-off it falls by 6 dB an octave times the order.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is outside its range.
    """

    loudest: ClassVar[float] = 1e30

    def __init__(
        self,
        sample_rate: int,
        channels: int = 1,
        *,
        cutoff_hz: float = 70.0,
        order: int = 4,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        if not LOWEST_HZ <= cutoff_hz <= HIGHEST_HZ:
            raise InvalidParameterError(
                f"cutoff_hz is {cutoff_hz!r}; it must be from {LOWEST_HZ:g} to {HIGHEST_HZ:g} Hz, "
                "and 70 spares the deepest voices"
            )
        if not is_whole(order) or not 1 <= order <= MOST_ORDER:
            raise InvalidParameterError(f"order is {order!r}; it must be a whole number from 1 to {MOST_ORDER}")
        from scipy.signal import butter

        sections = butter(int(order), cutoff_hz, "highpass", fs=self.sample_rate, output="sos")
        self._filter = StreamFilter(sections, self.channels)

    @property
    def latency(self) -> int:
        """None."""
        return 0

    @property
    def row_states(self) -> tuple[AnyArray, ...]:
        """The states of the filter."""
        return self._filter.row_states

    def complete_after(self, received: IntOrArray) -> IntOrArray:
        """Return all that was received."""
        return received

    def _process(self, block: FloatArray) -> FloatArray:
        return self._filter.process(block).astype(np.float32)

    def _flush(self) -> FloatArray:
        return np.zeros((self.channels, 0), np.float32)

    def _reset(self, mask: BoolArray | None) -> None:
        self._filter.reset(mask)


def high_pass(audio: npt.ArrayLike, sample_rate: int, *, cutoff_hz: float = 70.0, order: int = 4) -> AnyArray:
    """Return audio without what lies below a cut-off frequency; see ``HighPass``.

    Parameters
    ----------
    audio : array_like
        ``[samples]`` or ``[channels, samples]``; float (full scale 1.0), int16 or int32.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    cutoff_hz, order
        As those of ``HighPass``.

    Returns
    -------
    ndarray
        Of the shape and type of ``audio``.
    """
    return process_whole(audio, partial(HighPass, sample_rate, cutoff_hz=cutoff_hz, order=order))
