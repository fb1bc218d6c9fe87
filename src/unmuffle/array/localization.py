"""Where voices are: directions of a recording as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy.typing as npt

from unmuffle.array.direction_finder import DirectionFinder, FoundDirection
from unmuffle.array.geometry import ArrayGeometry, GeometryLike
from unmuffle.array.steering import TEMPERATURE_C
from unmuffle.signal.arrays import FloatArray, as_channels, check_finite


def localize(
    audio: npt.ArrayLike,
    sample_rate: int,
    geometry: GeometryLike,
    *,
    method: str = "norm-music",
    sources: int = 1,
    voice_only: bool = True,
    elevation: bool = False,
    step_deg: float = 1.0,
    temperature_c: float = TEMPERATURE_C,
) -> list[FoundDirection]:
    """Return where the sources of a recording are, the clearest first.

    Parameters
    ----------
    audio : array_like [microphones, samples]
        Float (full scale 1.0), int16 or int32.
    sample_rate, geometry, method, sources, voice_only, elevation, step_deg, temperature_c
        See ``DirectionFinder``.

    Returns
    -------
    list of FoundDirection
        Of as many sources as were asked for, or fewer.

    Raises
    ------
    InvalidAudioError
        If the array has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If a parameter is out of its range, or there are not as many channels as microphones.
    """
    finder = DirectionFinder(
        sample_rate,
        geometry,
        method=method,
        sources=sources,
        voice_only=voice_only,
        elevation=elevation,
        step_deg=step_deg,
        temperature_c=temperature_c,
    )
    samples = checked_recording(audio, finder.geometry)
    return localize_blocks(finder, [samples])


def localize_blocks(finder: DirectionFinder, blocks: Iterable[FloatArray]) -> list[FoundDirection]:
    """Return where the sources are in a recording that comes in blocks [microphones, n]; see ``localize``.

    Parameters
    ----------
    finder : DirectionFinder
        That has heard nothing yet.
    blocks : iterable of float32 [microphones, n]
    """
    for block in blocks:
        finder.process(block)
    return [replace(one, track=track) for track, one in enumerate(finder.find())]


def checked_recording(audio: npt.ArrayLike, geometry: ArrayGeometry | None) -> FloatArray:
    """Return a recording as float32 [microphones, samples], or raise if it does not fit the geometry."""
    samples = as_channels(audio)
    check_finite("the recording", samples)
    if geometry is not None:
        geometry.check_channels(len(samples))
    return samples
