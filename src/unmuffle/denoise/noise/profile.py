"""A noise spectrum learnt once from a recording of the noise alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from unmuffle.denoise.noise.base import QUIETEST_PSD, NoiseEstimator
from unmuffle.errors import InvalidAudioError
from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray, as_channels, find_nonfinite
from unmuffle.signal.grid import Grid, grid_for
from unmuffle.signal.stft import StftStream


class NoiseProfile(NoiseEstimator):
    """The mean power of each bin over a noise-only segment; it stays as it is (Boll 1979).

    Right for noise that does not change, such as a fan; any other noise is better followed by a tracker.

    Parameters
    ----------
    noise : array_like
        ``[samples]`` or ``[channels, samples]`` of noise alone, at least 32 ms; float or int16/int32. With as many
        channels as the audio, each has its own profile; otherwise the mean of its channels serves for all.
    sample_rate : int
        Of ``noise``; the audio must have the same.

    Raises
    ------
    InvalidAudioError
        If the segment is too short, silent, not finite, or of another rate than the audio.
    """

    def __init__(self, noise: npt.ArrayLike, sample_rate: int) -> None:
        samples = as_channels(noise)
        grid = grid_for(sample_rate)
        if samples.shape[1] < grid.window:
            raise InvalidAudioError(
                f"the noise profile is {1e3 * samples.shape[1] / sample_rate:.1f} ms long; "
                "at least 32 ms are needed, and half a second or more is better"
            )
        if find_nonfinite(samples) is not None:
            raise InvalidAudioError("the noise profile holds NaN or infinite samples: choose another segment")
        if not samples.any():
            raise InvalidAudioError("the noise profile is digital silence: choose a segment that holds the noise")
        self._grid = grid
        self._psd = _mean_power(samples, grid)

    def _prepare(self, grid: Grid, channels: int) -> None:
        if grid != self._grid:
            raise InvalidAudioError(
                f"the noise profile has {self._grid.sample_rate} Hz, the audio {grid.sample_rate} Hz: resample one"
            )
        if len(self._psd) != channels:
            self._psd = self._psd.mean(axis=0, keepdims=True)

    def _begin(self, channels: BoolArray, power: FloatArray) -> None:
        """Nothing of the audio is used."""

    def _reset(self, channels: BoolArray) -> None:
        np.copyto(self.noise_psd, self._psd, where=channels[:, None])

    def _update(self, power: FloatArray) -> None:
        """The profile stays as it is."""

    @property
    def _state(self) -> tuple[AnyArray, ...]:
        return ()


def _mean_power(samples: FloatArray, grid: Grid) -> FloatArray:
    """Mean squared magnitude [channels, bins] of the whole frames of the samples."""
    stream = StftStream(grid, len(samples))
    total = np.zeros((len(samples), grid.bins))
    frames = 0
    for spectra in stream.analyze(samples):
        # The first frame of the stream is half empty.
        whole = spectra[1:] if frames == 0 else spectra
        total += (whole.real**2 + whole.imag**2).sum(axis=0)
        frames += len(spectra)
    return np.maximum(total / (frames - 1), QUIETEST_PSD).astype(np.float32)
