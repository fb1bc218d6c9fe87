"""A live stream: frames in, frames out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.process import DryWet, FixedBlock
from unmuffle.signal.arrays import AnyArray, from_float32, to_float32


class EnhancerStream:
    """Enhances audio as it comes; made by ``unmuffle.open_stream``.

    A stream keeps its own state and is to be used by one thread at a time. NaN and infinity in the input are replaced
    by silence and counted in ``nonfinite_samples``, so that a live stream goes on.

    Attributes
    ----------
    sample_rate, channels : int
    block_size : int or None
        Samples in every block, or None where blocks may have any size.
    """

    def __init__(self, processor: DryWet, block_size: int | None) -> None:
        self._mix = processor
        self._runner: DryWet | FixedBlock = processor if block_size is None else FixedBlock(processor, block_size)
        self.sample_rate = processor.sample_rate
        self.channels = processor.channels
        self.block_size = block_size
        self._dtype: np.dtype[np.generic] = np.dtype(np.float32)
        self._one_dimensional = False

    @property
    def latency(self) -> int:
        """By how many samples the output is behind the input.

        With a fixed block size this is exact: output sample ``t + latency`` belongs to input sample ``t``. Without,
        the output is not shifted at all, and at most so many samples are still to come at any time.
        """
        return self._runner.delay if isinstance(self._runner, FixedBlock) else self._runner.latency

    @property
    def latency_ms(self) -> float:
        """``latency`` in milliseconds."""
        return 1e3 * self.latency / self.sample_rate

    @property
    def strength(self) -> float:
        """How much of the effect is heard, 0 to 1; may be set at any time, and glides there in 20 ms."""
        return self._mix.strength

    @strength.setter
    def strength(self, strength: float) -> None:
        self._mix.strength = strength

    @property
    def nonfinite_samples(self) -> int:
        """How many NaN or infinite samples were replaced by silence since the stream began."""
        return self._mix.nonfinite_samples

    def process(self, block: npt.ArrayLike) -> AnyArray:
        """Take the next block in and return what is ready.

        Parameters
        ----------
        block : array_like
            ``[channels, n]``, or ``[n]`` for one channel; float (full scale 1.0), int16 or int32. ``n`` is the block
            size if one was given, else anything from 0 up.

        Returns
        -------
        ndarray
            Of the block's type and number of dimensions; of its shape if there is a block size.

        Raises
        ------
        InvalidAudioError
            If the shape or the type is wrong.
        """
        samples = np.asarray(block)
        self._one_dimensional = samples.ndim == 1
        if self._one_dimensional and self.channels > 1:
            raise InvalidAudioError(
                f"this stream has {self.channels} channels: give blocks [{self.channels}, n], not [{len(samples)}]"
            )
        enhanced = self._runner.process(to_float32(np.atleast_2d(samples)))
        self._dtype = samples.dtype
        return self._as_given(enhanced)

    def flush(self) -> AnyArray:
        """End the stream: return the rest, as the last block was, and be as new."""
        return self._as_given(self._runner.flush())

    def reset(self, mask: npt.ArrayLike | None = None) -> None:
        """Forget the past of all channels, or of those where the mask [channels] is true.

        Raises
        ------
        InvalidParameterError
            If there is a mask and the channels are linked, or it is not one boolean a channel.
        """
        self._runner.reset(mask)

    def _as_given(self, enhanced: AnyArray) -> AnyArray:
        converted = from_float32(enhanced, self._dtype)
        return converted[0] if self._one_dimensional else converted
