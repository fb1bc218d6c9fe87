"""Where the noise of a noise profile comes from: an array, a span of the audio itself, or a file."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from unmuffle.denoise.noise import NoiseProfile
from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.signal.arrays import AnyArray, FloatArray
from unmuffle.signal.files import open_reader
from unmuffle.signal.files.reader import AudioReader
from unmuffle.signal.resample import resample

Span: TypeAlias = tuple[float, float]
"""Start and end in seconds."""

NoiseSample: TypeAlias = "AnyArray | Span | str | os.PathLike[str]"

LONGEST_S = 60.0
"""No more of a noise file is read than this: a profile is a mean, and a minute fixes it to 0.1 dB."""

CutAudio: TypeAlias = Callable[[float, float], AnyArray]


def noise_profile(sample: NoiseSample, sample_rate: int, cut: CutAudio | None) -> NoiseProfile:
    """Make the profile.

    Parameters
    ----------
    sample : array, (start_s, end_s), or path
        Noise alone: samples of the audio's own rate, a span of the audio itself, or a file of any rate.
    sample_rate : int
        Of the audio.
    cut : callable, optional
        Gives the samples of the audio from a start to an end in seconds; None where there is no past to cut from.

    Raises
    ------
    InvalidParameterError, InvalidAudioError
        If the span is not in the audio or cannot be had, or the noise is of no use.
    """
    if isinstance(sample, tuple):
        if cut is None:
            raise InvalidParameterError(
                "a live stream has no past to take a noise profile from: give the noise as an array or a file"
            )
        return NoiseProfile(_cut_checked(sample, cut), sample_rate)
    if isinstance(sample, (str, os.PathLike)):
        return NoiseProfile(_read_noise(sample, sample_rate), sample_rate)
    return NoiseProfile(sample, sample_rate)


def read_span(reader: AudioReader, start_s: float, end_s: float) -> FloatArray:
    """Go on to a span, from where the reader is, and return it, float32 [channels, n]; shorter if the audio ends."""
    rate = reader.info.sample_rate
    reader.skip(round(start_s * rate))
    return reader.read(round((end_s - start_s) * rate))


def _cut_checked(span: Span, cut: CutAudio) -> AnyArray:
    if len(span) != 2:
        raise InvalidParameterError(f"a noise profile of {len(span)} numbers is no span: give (start_s, end_s)")
    start_s, end_s = span
    if not 0.0 <= start_s < end_s < np.inf:
        raise InvalidParameterError(f"the noise profile from {start_s} s to {end_s} s is no span: start before end")
    noise = cut(start_s, end_s)
    if noise.shape[-1] == 0:
        raise InvalidAudioError(f"the noise profile from {start_s} s to {end_s} s lies beyond the end of the audio")
    return noise


def _read_noise(path: str | os.PathLike[str], sample_rate: int) -> FloatArray:
    with open_reader(path) as reader:
        noise = read_span(reader, 0.0, LONGEST_S)
        return resample(noise, reader.info.sample_rate, sample_rate)
