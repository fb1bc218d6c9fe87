"""Directions in files of many microphones, which are read once, block by block."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from unmuffle.array.direction_finder import DirectionFinder, FoundDirection
from unmuffle.array.faults import LONGEST_S, MicrophoneFault, find_faulty_microphones, healthy_channels
from unmuffle.array.geometry import ArrayGeometry, GeometryLike
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.localization import localize_blocks
from unmuffle.array.steering import TEMPERATURE_C
from unmuffle.array.tracking import check_interval, track_blocks
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray, check_finite

BLOCK_S = 2.0


@dataclass(frozen=True)
class LocateReport:
    """Where sources are, and by which microphones that was told.

    Attributes
    ----------
    found : list of FoundDirection
    geometry : ArrayGeometry
        Of the microphones that were used.
    left_out : tuple of MicrophoneFault
        Microphones that were not used.
    warnings : tuple of str
    """

    found: list[FoundDirection]
    geometry: ArrayGeometry
    left_out: tuple[MicrophoneFault, ...]
    warnings: tuple[str, ...]


def locate_file(
    path: str | os.PathLike[str],
    geometry: GeometryLike,
    *,
    every_s: float | None = None,
    method: str = "norm-music",
    sources: int = 1,
    voice_only: bool = True,
    elevation: bool = False,
    temperature_c: float = TEMPERATURE_C,
) -> LocateReport:
    """Tell where the sources of a file are, in constant memory; microphones that are faulty are left out.

    Parameters
    ----------
    path : str or path
        Of a recording with a channel for each microphone; ``"-"`` is standard input.
    every_s : float, optional
        Follow the sources, with an answer every so many seconds; they are remembered twice as long.
    geometry, method, sources, voice_only, elevation, temperature_c
        See ``DirectionFinder``.

    Raises
    ------
    UnmuffleError
        With what is wrong.
    """
    from unmuffle.signal.files import open_reader

    if every_s is not None and elevation:
        raise InvalidParameterError("elevations are told of the whole recording: leave out every_s, or elevation")
    array = as_geometry(geometry)
    with open_reader(path) as reader:
        rate, channels = reader.info.sample_rate, reader.info.channels
        array.check_channels(channels)
        start = reader.read(round(LONGEST_S * rate))
        check_finite(str(path), start)
        faults = find_faulty_microphones(start, rate)
        used = healthy_channels(faults, channels)
        finder = DirectionFinder(
            rate,
            array.subset(used),
            method=method,
            sources=sources,
            memory_s=inf if every_s is None else 2.0 * check_interval(every_s),
            voice_only=voice_only,
            elevation=elevation,
            temperature_c=temperature_c,
        )

        def blocks() -> Iterator[FloatArray]:
            yield start[used]
            for block in reader.blocks(round(BLOCK_S * rate)):
                check_finite(str(path), block)
                yield block[used]

        found = localize_blocks(finder, blocks()) if every_s is None else [*track_blocks(finder, blocks(), every_s)]
    left_out = tuple(fault for fault in faults if not used[fault.channel])
    kept = tuple(f"{fault}, and is used all the same" for fault in faults if used[fault.channel])
    return LocateReport(found, finder.geometry, left_out, kept)
