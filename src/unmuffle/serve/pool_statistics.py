"""What a pool and its streams tell of themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class StreamStatistics:
    """How one stream fares.

    Attributes
    ----------
    frames : int
        Of 16 ms, that have been through the network or past it.
    deadline_misses : int
        How many of them were made later than they should have been.
    gated_share : float
        Share of the frames in which there was silence, and the network was spared.
    rung : str
        What is at work: a model, ``log_mmse`` or ``bypass``.
    pending_s : float
        Audio that was written and has not been read, in seconds.
    seconds : float
        Audio that was written, since the stream was opened or reset.
    nonfinite_samples : int
        NaN and infinity that were replaced by silence.
    """

    frames: int
    deadline_misses: int
    gated_share: float
    rung: str
    pending_s: float
    seconds: float
    nonfinite_samples: int


@dataclass(frozen=True)
class PoolStatistics:
    """How a pool fares.

    Attributes
    ----------
    streams, channels, capacity : int
        Streams that are open, their channels, and how many channels there is room for.
    ticks, frames : int
        Calls of ``tick`` that found something to do, and frames of 16 ms they made.
    batch_sizes : mapping of int to int
        Calls of the network by the number of channels they had.
    tick_s, mean_tick_s : float
        Time that the last tick took, and the mean of all.
    deadline_misses : int
        Frames that were late, of all streams that ever were.
    load : float
        Time that frames take over the time that they last, mean of the last quarter of a second or so.
    rung : str
        What is at work: a model, ``log_mmse`` or ``bypass``.
    steps_down, steps_up : int
        How often the pool has changed to something lighter, and back to something better.
    seconds : mapping of str to float
        Time spent at each rung.
    """

    streams: int
    channels: int
    capacity: int
    ticks: int
    frames: int
    batch_sizes: Mapping[int, int]
    tick_s: float
    mean_tick_s: float
    deadline_misses: int
    load: float
    rung: str
    steps_down: int
    steps_up: int
    seconds: Mapping[str, float]
