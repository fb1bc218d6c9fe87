"""A live stream: frames in, frames out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.denoise import SpectralProcessor
from unmuffle.enhancer.overload import LoadReport, Overload
from unmuffle.errors import InvalidAudioError
from unmuffle.process import Chain, DryWet, FixedBlock, Ladder
from unmuffle.process.dry_wet import Strength
from unmuffle.process.processor import Processor
from unmuffle.signal.arrays import AnyArray, FloatArray, from_float32, to_float32


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

    def __init__(self, processor: DryWet, block_size: int | None, overload: Overload) -> None:
        self._mix = processor
        self._runner: DryWet | FixedBlock = processor if block_size is None else FixedBlock(processor, block_size)
        self.sample_rate = processor.sample_rate
        self.channels = processor.channels
        self.block_size = block_size
        self._overload = overload
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
    def strength(self) -> Strength:
        """How much of the effect is heard, 0 to 1; may be set at any time, and glides there in 20 ms.

        A stream that was opened with ``"auto"`` keeps that.
        """
        return self._mix.strength

    @strength.setter
    def strength(self, strength: Strength) -> None:
        self._mix.strength = strength

    @property
    def speech_presence(self) -> FloatArray | None:
        """Probability of speech in the latest frame of the input, float32 [channels]; None without a network at work.

        A frame is 32 ms, and a new one comes every 16 ms. NaN before the first.
        """
        told = _latest_speech(self._mix)
        return None if told is None else told[0]

    @property
    def local_snr_db(self) -> FloatArray | None:
        """Ratio of speech to all else in the latest frame, float32 [channels] in dB; None without a network at work.

        What lies beyond the range of the network, -15 to 35 dB for our own, is told as its end. NaN before the first
        frame.
        """
        told = _latest_speech(self._mix)
        return None if told is None else told[1]

    @property
    def load(self) -> LoadReport:
        """How the stream keeps up with its blocks, and what it has stepped down to if it may.

        This is of the machine rather than of the audio, and so goes on over a flush and a reset.
        """
        return self._overload.report

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
        begun_s = self._overload.clock()
        samples = np.asarray(block)
        self._one_dimensional = samples.ndim == 1
        if self._one_dimensional and self.channels > 1:
            raise InvalidAudioError(
                f"this stream has {self.channels} channels: give blocks [{self.channels}, n], not [{len(samples)}]"
            )
        enhanced = self._runner.process(to_float32(np.atleast_2d(samples)))
        self._dtype = samples.dtype
        answer = self._as_given(enhanced)
        self._overload.tell(samples.shape[-1] / self.sample_rate, self._overload.clock() - begun_s)
        return answer

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


def _latest_speech(processor: Processor) -> tuple[FloatArray, FloatArray] | None:
    """What the first network in a processor tells of its latest frame."""
    if isinstance(processor, SpectralProcessor):
        return processor.latest_speech
    parts = processor.processors if isinstance(processor, Chain) else ()
    if isinstance(processor, DryWet):
        parts = (processor.processor,)
    if isinstance(processor, Ladder) and processor.heard is not None:
        parts = (processor.heard,)
    return next((told for part in parts if (told := _latest_speech(part)) is not None), None)
