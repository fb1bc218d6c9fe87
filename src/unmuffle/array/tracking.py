"""Where voices are over time, and which of them is which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy.typing as npt

from unmuffle.array.direction_finder import DirectionFinder, FoundDirection
from unmuffle.array.directions import angle_between_deg
from unmuffle.array.geometry import GeometryLike
from unmuffle.array.localization import checked_recording
from unmuffle.array.steering import TEMPERATURE_C
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.arrays import FloatArray

JUMP_DEG = 25.0
KEPT_S = 10.0
"""Silence after which a source that is heard again has a new number."""
LEAST_EVIDENCE = 0.5
"""Bins of sure voice that must be remembered for an answer. In simulated rooms at 0 dB this left out four of five
answers in pauses, which were of the noise, and one of seven while somebody spoke."""
LEAST_NEW = 0.25
"""Of the time from one answer to the next, how much the mean time of what is heard must move on for an answer."""


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
        ``track`` stays the same while a source moves by less than 25 degrees from one answer to the next, and is found
        at least every 10 s. ``time_s`` is that of the sound that was heard: where a source that moves was at that time.
        There is no answer while no voice is heard.

    Raises
    ------
    InvalidAudioError
        If the array has a wrong shape or type, or holds NaN or infinity.
    InvalidParameterError
        If a parameter is out of its range, or there are not as many channels as microphones.
    """
    check_interval(every_s)
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
    return list(track_blocks(finder, [samples], every_s))


def track_blocks(finder: DirectionFinder, blocks: Iterable[FloatArray], every_s: float) -> Iterator[FoundDirection]:
    """Yield where the sources of a recording are that comes in blocks [microphones, n]; see ``track_directions``."""
    tracks, latest_s = DirectionTracks(), -every_s
    for found in _found_every(finder, blocks, round(every_s * finder.grid.sample_rate)):
        new = found and found[0].time_s - latest_s >= LEAST_NEW * every_s
        if new and finder.evidence >= LEAST_EVIDENCE:
            latest_s = found[0].time_s
            yield from tracks.follow(found)


def _found_every(finder: DirectionFinder, blocks: Iterable[FloatArray], step: int) -> Iterator[list[FoundDirection]]:
    """Yield what is found after every so many samples, and at the end."""
    heard = 0
    for block in blocks:
        start = 0
        while start < block.shape[1]:
            taken = min(step - heard % step, block.shape[1] - start)
            finder.process(block[:, start : start + taken])
            start, heard = start + taken, heard + taken
            if heard % step == 0:
                yield finder.find()
    if heard % step:
        yield finder.find()


def check_interval(every_s: float) -> float:
    """Return an interval in seconds, or raise if it is not 0.05 to 60."""
    if not 0.05 <= every_s <= 60.0:
        raise InvalidParameterError(f"every_s is {every_s!r}; it must be 0.05 to 60 s, for instance 0.25")
    return every_s


class DirectionTracks:
    """Gives sources that were found one after the other the numbers of those before them."""

    def __init__(self) -> None:
        self._last: dict[int, FoundDirection] = {}
        self._next = 0

    def follow(self, found: list[FoundDirection]) -> list[FoundDirection]:
        """Return the sources of a time, numbered; each takes the nearest track that is free and near enough."""
        now = max((one.time_s for one in found), default=0.0)
        self._last = {track: last for track, last in self._last.items() if now - last.time_s <= KEPT_S}
        pairs = sorted(
            (angle_between_deg(one.direction, last.direction), place, track)
            for place, one in enumerate(found)
            for track, last in self._last.items()
        )
        chosen: dict[int, int] = {}
        for angle, place, track in pairs:
            if angle <= JUMP_DEG and place not in chosen and track not in chosen.values():
                chosen[place] = track
        numbered = []
        for place, one in enumerate(found):
            if place not in chosen:
                chosen[place], self._next = self._next, self._next + 1
            numbered.append(replace(one, track=chosen[place]))
            self._last[chosen[place]] = numbered[-1]
        return numbered
