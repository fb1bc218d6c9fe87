"""The contract of everything that changes audio: a stateful object fed with blocks."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import gcd, inf
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray, find_nonfinite
from unmuffle.signal.grid import check_channels, check_sample_rate

NonFinite = Literal["raise", "silence"]
IntOrArray = TypeVar("IntOrArray", int, npt.NDArray[np.integer[Any]])


class Processor(ABC):
    """Audio in, audio out, in blocks of any size.

    Six laws hold for every processor, and one test module checks them all:

    1. *Aligned and complete*: all outputs put together are as long as the input and sample-aligned with it.
    2. *Block-invariant*: the result is the same for every way of cutting the input into blocks.
    3. *Causal to its word*: output sample ``t`` depends on no input after ``t + latency``, and on some close to it.
    4. *Reset is birth*: after ``reset`` or ``flush`` it behaves as new.
    5. *Finite*: finite input gives finite output.
    6. *Silence in, silence out.*

    Channels are a batch: each has its own state, and ``reset`` can clear some of them.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block, at least 1.
    nonfinite : {"raise", "silence"}, default "raise"
        What to do with NaN or infinity in the input: raise ``InvalidAudioError`` (files), or replace the sample by
        silence and count it in ``nonfinite_samples`` (live streams, which must go on).

    Notes
    -----
    A subclass fills in ``latency``, ``_process``, ``_flush`` and ``_reset``; checks are made here.
    """

    loudest: ClassVar[float] = inf
    """Input beyond this magnitude is clipped to it, so that its powers stay within float32."""

    heeds_empty_blocks: ClassVar[bool] = False
    """Whether blocks without samples must reach ``_process``, which may be asked for more than what they complete."""

    def __init__(self, sample_rate: int, channels: int = 1, *, nonfinite: NonFinite = "raise") -> None:
        if nonfinite not in ("raise", "silence"):
            raise InvalidParameterError(f"nonfinite must be 'raise' or 'silence', not {nonfinite!r}")
        self.sample_rate = check_sample_rate(sample_rate)
        self.channels = check_channels(channels)
        self.nonfinite: NonFinite = nonfinite
        self.nonfinite_samples = 0

    @property
    @abstractmethod
    def latency(self) -> int:
        """How many samples of the future an output sample depends on."""

    @property
    def block_period(self) -> int:
        """Samples from one internal frame to the next; 1 where there are no frames.

        A reset of some channels is exact at multiples of it.
        """
        return 1

    @property
    def linked(self) -> bool:
        """Whether the channels share what is known of them, so that none can be reset alone."""
        return False

    @property
    def row_states(self) -> tuple[AnyArray, ...] | None:
        """All that is known of the channels, arrays [channels, ...] that may be written; None where it cannot be told.

        Of channels that are not linked, at multiples of ``block_period`` and once output is complete: what is read from
        the rows of one processor and written to rows of another of the same kind goes on there.
        """
        return None

    @property
    def channels_out(self) -> int:
        """Rows of the output: as many as of the input, but for beamformers, which make one of them."""
        return self.channels

    @property
    def latency_ms(self) -> float:
        """``latency`` in milliseconds."""
        return 1e3 * self.latency / self.sample_rate

    def complete_after(self, received: IntOrArray) -> IntOrArray:
        """Return how many samples of output have been given when so many of input have come in since the start."""
        whole = received // self.block_period * self.block_period
        complete = whole + self.block_period - 1 - self.latency
        return complete * (complete > 0)

    def delay_for(self, block_size: int) -> int:
        """Return by how many samples the output lags at most when whole blocks of this size have come in.

        Never more than ``latency``; less where blocks and internal frames end together.
        """
        return self.latency + 1 - gcd(block_size, self.block_period)

    def process(self, block: npt.ArrayLike) -> FloatArray:
        """Take the next block in and return the output that is now complete.

        Parameters
        ----------
        block : float32 [channels, n]
            ``n`` may be anything from 0 up, and another one each time. It is not changed.

        Returns
        -------
        float32 [channels, m]
            The next ``m >= 0`` samples of the output.

        Raises
        ------
        InvalidAudioError
            If the block has another shape or type, or holds NaN or infinity and ``nonfinite="raise"``.
        """
        samples = self._checked(block)
        if samples.shape[1] == 0 and not self.heeds_empty_blocks:
            return np.zeros((self.channels_out, 0), np.float32)
        return self._process(samples)

    def flush(self) -> FloatArray:
        """End the stream: return the rest of the output, float32 [channels, k], and be as new.

        ``nonfinite_samples`` still tells of the stream that has ended.
        """
        rest = self._flush()
        self._reset(None)
        return rest

    def reset(self, mask: npt.ArrayLike | None = None) -> None:
        """Forget the past of all channels, or only of those where the mask is true.

        Parameters
        ----------
        mask : bool [channels], optional
            The other channels do not notice. The time axis, common to all, goes on.

        Raises
        ------
        InvalidParameterError
            If the mask is not one boolean a channel, or the channels are linked.
        """
        if mask is None:
            self.nonfinite_samples = 0
            self._reset(None)
            return
        chosen = np.asarray(mask)
        if chosen.dtype != np.bool_ or chosen.shape != (self.channels,):
            raise InvalidParameterError(
                f"the mask of reset must be {self.channels} booleans, one a channel, not {chosen.dtype} {chosen.shape}"
            )
        if self.linked:
            raise InvalidParameterError(
                "the channels of this stream share their gains, so none can be reset alone: "
                "reset all, or open the stream with link_channels=False"
            )
        self._reset(chosen)

    @abstractmethod
    def _process(self, block: FloatArray) -> FloatArray: ...

    @abstractmethod
    def _flush(self) -> FloatArray: ...

    @abstractmethod
    def _reset(self, mask: BoolArray | None) -> None: ...

    def _checked(self, block: npt.ArrayLike) -> FloatArray:
        array = np.asarray(block)
        if array.ndim != 2 or array.shape[0] != self.channels:
            raise InvalidAudioError(_shape_message(array.shape, self.channels))
        if array.dtype.kind != "f":
            raise InvalidAudioError(
                f"a block must be float32 with full scale 1.0, not {array.dtype}: see unmuffle.signal.to_float32"
            )
        with np.errstate(over="ignore"):
            samples = array.astype(np.float32, copy=False)
        if samples.size == 0:
            return samples
        peak = max(samples.max(), -samples.min())
        # NaN compares false with everything, so it lands here as well.
        return samples if peak <= min(self.loudest, np.finfo(np.float32).max) else self._tamed(samples)

    def _tamed(self, samples: FloatArray) -> FloatArray:
        found = find_nonfinite(samples)
        if found is not None:
            count, channel, index = found
            if self.nonfinite == "raise":
                raise InvalidAudioError(
                    f"audio holds {count} NaN or infinite samples, the first in channel {channel} at sample {index} "
                    "of the block: repair or replace them, for instance with numpy.nan_to_num"
                )
            self.nonfinite_samples += count
            samples = np.where(np.isfinite(samples), samples, np.float32(0.0))
        return samples if self.loudest == inf else np.clip(samples, -self.loudest, self.loudest)


def _shape_message(shape: tuple[int, ...], channels: int) -> str:
    if len(shape) == 2 and shape[1] == channels:
        return f"a block of shape {shape} looks like (samples, channels); it must be (channels, samples): pass block.T"
    return f"a block must have shape [{channels}, samples], not {list(shape)}"
