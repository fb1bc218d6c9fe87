"""The next hop of each of some streams, put together for one pass through the pool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from unmuffle.process.stft_processor import StftProcessor
from unmuffle.serve.pool_feed import Feed
from unmuffle.serve.pool_lane import Lane
from unmuffle.serve.slots import SlotArray
from unmuffle.signal.arrays import FloatArray


class Hops:
    """One hop of each of some streams of one lane.

    Attributes
    ----------
    lane : Lane
    feeds : list of Feed
    epochs : list of int
        Which life of its stream a hop belongs to.
    slots : int [rows]
        All channels of a stream lie together.
    samples : float32 [rows, hop]
    left : int [rows] or None
        How many samples there are from the first of the hop to the end of the stream; None where all are far from it.
    """

    def __init__(
        self,
        lane: Lane,
        feeds: list[Feed],
        epochs: list[int],
        samples: FloatArray,
        left: SlotArray | None = None,
    ) -> None:
        self.lane = lane
        self.feeds = feeds
        self.epochs = epochs
        self.samples = samples
        self.left = left
        self.slots: SlotArray = np.concatenate([feed.slots for feed in feeds])

    def tamed_peaks(self) -> FloatArray:
        """Return the largest magnitude of each row, float32 [rows], all of them finite.

        What is not finite becomes silence and is counted, what is beyond all measure is clipped, as in a lone stream.
        """
        samples = self.samples
        peaks = self.peaks()
        # NaN compares false with everything.
        if peaks.max() <= StftProcessor.loudest:
            return peaks
        bad = ~np.isfinite(samples)
        counts = bad.reshape(len(self.feeds), -1).sum(axis=1).tolist()
        for feed, count in zip(self.feeds, counts, strict=True):
            feed.nonfinite_samples += count
        samples[bad] = 0.0
        np.clip(samples, -StftProcessor.loudest, StftProcessor.loudest, out=samples)
        return self.peaks()

    def peaks(self) -> FloatArray:
        """Return the largest magnitude of each row, float32 [rows]."""
        return np.asarray(np.maximum(self.samples.max(axis=1), -self.samples.min(axis=1)))

    def give(self, samples: FloatArray) -> None:
        """Give each stream what has become of its hop, float32 [rows, hop]."""
        channels = self.lane.channels
        for place, (feed, epoch) in enumerate(zip(self.feeds, self.epochs, strict=True)):
            feed.give(samples[place * channels : (place + 1) * channels], epoch)


def take_hops(lane: Lane, feeds: Sequence[Feed]) -> Hops | None:
    """Take the next hop of each of the streams of a lane; who resets a stream may have been faster."""
    channels = lane.channels
    samples: FloatArray = np.empty((len(feeds) * channels, lane.grid.hop), np.float32)
    taken: list[Feed] = []
    epochs: list[int] = []
    lefts: list[int] = []
    start = 0
    for feed in feeds:
        found = feed.take_hop(samples[start : start + channels])
        if found is not None:
            taken.append(feed)
            epochs.append(found[0])
            lefts.append(found[1])
            start += channels
    if not taken:
        return None
    left = np.repeat(np.array(lefts, np.intp), channels) if min(lefts) < lane.grid.hop else None
    return Hops(lane, taken, epochs, samples[:start], left)


def batches(feeds: Iterable[Feed], rows_at_once: int) -> Iterator[list[tuple[Lane, list[Feed]]]]:
    """Cut streams into batches of about equal size, at most so many channels unless one stream has more.

    Streams of a lane lie together.
    """
    by_lane: dict[Lane, list[Feed]] = {}
    for feed in feeds:
        by_lane.setdefault(feed.lane, []).append(feed)
    rows = sum(lane.channels * len(some) for lane, some in by_lane.items())
    most = -(-rows // max(1, -(-rows // rows_at_once)))
    batch: list[tuple[Lane, list[Feed]]] = []
    room = most
    for lane, waiting in by_lane.items():
        start = 0
        while start < len(waiting):
            count = room // lane.channels
            if count == 0 and batch:
                yield batch
                batch, room = [], most
                continue
            some = waiting[start : start + max(1, count)]
            batch.append((lane, some))
            start += len(some)
            room = max(0, room - lane.channels * len(some))
    if batch:
        yield batch
