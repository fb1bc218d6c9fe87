"""Transforms of many frames at once."""

from __future__ import annotations

from unmuffle.signal.arrays import ComplexArray, FloatArray


def rfft_of_frames(frames: FloatArray, size: int | None = None) -> ComplexArray:
    """Return the spectra of real frames [..., n], [..., size // 2 + 1] in the frames' own precision.

    By scipy, which transforms several rows side by side: eight times as fast as numpy for frames of float32, which it
    rounds a little more.
    """
    # Imported here because it takes time to load.
    from scipy.fft import rfft

    spectra: ComplexArray = rfft(frames, size, axis=-1)
    return spectra


def irfft_of_frames(spectra: FloatArray | ComplexArray) -> FloatArray:
    """Return the frames of spectra [..., size // 2 + 1], [..., size]; see ``rfft_of_frames``."""
    from scipy.fft import irfft

    frames: FloatArray = irfft(spectra, axis=-1)
    return frames
