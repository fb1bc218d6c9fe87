"""Where voices are over time, and which of them is which."""

from __future__ import annotations

from collections.abc import Iterator

import numpy.typing as npt

from unmuffle.array.direction_finder import DirectionFinder, FoundDirection
from unmuffle.array.directions import Direction, angle_between_deg
from unmuffle.array.geometry import GeometryLike
from unmuffle.array.localization import checked_recording
from unmuffle.array.steering import TEMPERATURE_C
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray

JUMP_DEG = 25.0


def track_directions(
    audio: npt.ArrayLike,
    sample_rate: int,
    geometry: GeometryLike,
    *,
    method: str = "norm-music",
    sources: int = 1,
    every_s: float = 0.25,
    memory_s: float = 0.5,
    voice_only: bool = True,
    temperature_c: float = TEMPERATURE_C,
) -> list[FoundDirection]:
    """Return where the sources are over time, in order of time.

    Parameters
    ----------
    audio : array_like [microphones, samples]
        Float (full scale 1.0), int16 or int32.
    every_s : float, default 0.25
        Seconds from one answer to the next, 0.05 to 60.
    sample_rate, geometry, method, sources, memory_s, voice_only, temperature_c
        See ``DirectionFinder``; the memory is 0.5 s unless told otherwise.

    Returns
    -------
    list of FoundDirection
        ``track`` stays the same while a source moves by less than 25 degrees from one answer to the next.
    """
    if not 0.05 <= every_s <= 60.0:
        raise InvalidParameterError(f"every_s is {every_s!r}; it must be 0.05 to 60 s, for instance 0.25")
    finder = DirectionFinder(
        sample_rate,
        geometry,
        method=method,
        sources=sources,
        memory_s=memory_s,
        voice_only=voice_only,
        temperature_c=temperature_c,
    )
    samples = checked_recording(audio, finder.geometry)
    return list(_tracked(finder, samples, round(every_s * sample_rate)))


def _tracked(finder: DirectionFinder, samples: FloatArray, step: int) -> Iterator[FoundDirection]:
    tracks = DirectionTracks()
    for start in range(0, samples.shape[1], step):
        finder.process(samples[:, start : start + step])
        middle = min(start + step / 2.0, samples.shape[1]) / finder.grid.sample_rate
        yield from tracks.follow(middle, finder.find())


class DirectionTracks:
    """Gives sources that were found one after the other the numbers of those before them."""

    def __init__(self) -> None:
        self._last: dict[int, Direction] = {}

    def follow(self, time_s: float, found: list[FoundDirection]) -> list[FoundDirection]:
        """Return the sources of a time, numbered; each takes the nearest track that is free and near enough."""
        pairs = sorted(
            (angle_between_deg(one.direction, last), place, track)
            for place, one in enumerate(found)
            for track, last in self._last.items()
        )
        chosen: dict[int, int] = {}
        for angle, place, track in pairs:
            if angle <= JUMP_DEG and place not in chosen and track not in chosen.values():
                chosen[place] = track
        for place in range(len(found)):
            if place not in chosen:
                chosen[place] = len(self._last)
                self._last[chosen[place]] = found[place].direction
        for place, track in chosen.items():
            self._last[track] = found[place].direction
        return [FoundDirection(time_s, one.direction, one.salience, chosen[place]) for place, one in enumerate(found)]
