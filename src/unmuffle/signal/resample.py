"""Resampling that keeps its state from block to block, by soxr.

Resampling each block on its own would put a click at every border; a stream remembers the filter's past.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.signal.arrays import FloatArray, as_channels

QUALITIES = ("QQ", "LQ", "MQ", "HQ", "VHQ")


class Resampler:
    """Changes the sample rate of a stream; the output is in step with the input.

    Parameters
    ----------
    input_rate, output_rate : int
        In Hz, above 0.
    channels : int, default 1
        Rows of every block.
    quality : str, default "HQ"
        Of soxr, from quick to very high: QQ, LQ, MQ, HQ, VHQ.

    Raises
    ------
    InvalidParameterError
        If a rate is not above 0 or the quality is not one of soxr's.
    """

    def __init__(self, input_rate: int, output_rate: int, channels: int = 1, quality: str = "HQ") -> None:
        _check_rates(input_rate, output_rate)
        if quality not in QUALITIES:
            raise InvalidParameterError(f"quality must be one of {', '.join(QUALITIES)}, not {quality!r}")
        self.input_rate, self.output_rate, self.channels = input_rate, output_rate, channels
        self._quality = quality
        self.reset()

    def process(self, block: FloatArray) -> FloatArray:
        """Take a block [channels, n] and return what is ready [channels, m]."""
        if block.ndim != 2 or len(block) != self.channels:
            raise InvalidAudioError(f"a block must have shape [{self.channels}, samples], not {list(block.shape)}")
        return self._run(block, last=False)

    def flush(self) -> FloatArray:
        """End the stream, return the rest and be as new."""
        rest = self._run(np.zeros((self.channels, 0), np.float32), last=True)
        self.reset()
        return rest

    def reset(self) -> None:
        """Forget the past."""
        import soxr

        self._stream: Any = soxr.ResampleStream(
            self.input_rate, self.output_rate, self.channels, dtype="float32", quality=self._quality
        )

    def _run(self, block: FloatArray, *, last: bool) -> FloatArray:
        frames = np.ascontiguousarray(block.T)
        resampled = self._stream.resample_chunk(frames, last=last)
        return np.ascontiguousarray(resampled.reshape(-1, self.channels).T)


def resample(audio: npt.ArrayLike, input_rate: int, output_rate: int, quality: str = "HQ") -> FloatArray:
    """Return audio [samples] or [channels, samples] at another rate, float32 [channels, round(samples * ratio)]."""
    samples = as_channels(audio)
    _check_rates(input_rate, output_rate)
    if input_rate == output_rate:
        return samples
    resampler = Resampler(input_rate, output_rate, len(samples), quality)
    resampled = np.concatenate((resampler.process(samples), resampler.flush()), axis=1)
    wanted = round(samples.shape[1] * output_rate / input_rate)
    return resampled[:, :wanted]


def _check_rates(input_rate: int, output_rate: int) -> None:
    if not (input_rate > 0 and output_rate > 0):
        raise InvalidParameterError(f"sample rates must be above 0 Hz, not {input_rate} and {output_rate}")
