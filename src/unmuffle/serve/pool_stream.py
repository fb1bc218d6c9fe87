"""A stream of a pool: samples in, samples out, from any thread."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError, InvalidParameterError, UnmuffleError, one_line
from unmuffle.process.dry_wet import AUTO, Strength, wet_share
from unmuffle.serve.pool_chain import ChainFeed
from unmuffle.serve.pool_errors import PoolBusyError
from unmuffle.serve.pool_feed import Feed
from unmuffle.serve.pool_statistics import StreamStatistics
from unmuffle.signal.arrays import AnyArray, from_float32, to_float32

_FLOAT32 = np.dtype(np.float32)


class PoolOfStream(Protocol):
    """What a stream needs of its pool."""

    max_pending_s: float
    clock: Callable[[], float]

    def wake(self, stream: PoolStream) -> None:
        """Take note that a stream has something to do."""

    def leave(self, stream: PoolStream) -> None:
        """Give back what a stream has."""

    def rung_of(self, stream: PoolStream) -> str:
        """Return the name of what a stream hears."""

    def set_share(self, stream: PoolStream, share: float) -> None:
        """Glide to a share of the effect."""


class PoolStream:
    """A live stream whose frames go through the network together with those of others; made by ``StreamPool.open``.

    What is written is processed by the next ``tick`` of the pool, and can be read from then on. The output is not
    shifted: put together, it is as long as the input, and at most ``latency`` samples of it are still to come when all
    has been ticked. Any thread may call these methods, but those of one stream not at the same time.

    NaN and infinity in the input are replaced by silence and counted.

    Attributes
    ----------
    sample_rate, channels : int
    latency : int
        Samples by which the output is behind the input at most.
    closed : bool
        Whether the slot has been given back.
    """

    def __init__(self, pool: PoolOfStream, feed: Feed, chain: ChainFeed | None, strength: Strength) -> None:
        self._pool = pool
        self.door: Feed | ChainFeed = feed if chain is None else chain
        self.feed = feed
        self.chain = chain
        self.sample_rate = feed.lane.grid.sample_rate
        self.channels = feed.channels
        self.latency = feed.lane.latency if chain is None else chain.processor.latency
        self.queued = False
        self.closed = False
        self._strength = strength
        self._read = 0
        self._dtype: np.dtype[np.generic] = _FLOAT32
        self._one_dimensional = False
        self._most_pending = pool.max_pending_s * self.sample_rate + self.latency

    def __enter__(self) -> PoolStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def write(self, block: npt.ArrayLike) -> None:
        """Give the next samples, any number of them.

        Parameters
        ----------
        block : array_like
            ``[channels, n]``, or ``[n]`` for one channel; float (full scale 1.0), int16 or int32.

        Raises
        ------
        PoolBusyError
            If more than ``max_pending_s`` of what was written before has not been read. The block was not taken then.
        InvalidAudioError
            If the shape or the type is wrong.
        InvalidParameterError
            If the stream has been closed or finished.
        UnmuffleError
            If a stage of its chain has failed; the other streams go on.
        """
        samples = np.asarray(block)
        one_dimensional = samples.ndim == 1
        rows = samples[None] if one_dimensional else samples
        if rows.ndim != 2 or len(rows) != self.channels:
            raise InvalidAudioError(
                f"this stream has {self.channels} channels: give blocks [{self.channels}, n]"
                f"{' or [n]' if self.channels == 1 else ''}, not {list(samples.shape)}"
            )
        if rows.dtype != _FLOAT32:
            rows = to_float32(rows)
        door = self.door
        if self.closed or door.ending:
            raise InvalidParameterError(f"the stream was {'closed' if self.closed else 'finished'}: open another")
        if self.chain is not None and self.chain.failure is not None:
            raise UnmuffleError(
                f"the chain of this stream failed ({one_line(self.chain.failure)}): open another, with another preset"
            ) from self.chain.failure
        if door.received - self._read > self._most_pending:
            raise PoolBusyError(
                f"{self.pending_s:.2f} s of this stream wait, and the pool keeps {self._pool.max_pending_s:g} s: "
                "read what is ready, tick more often, or write more slowly"
            )
        self._dtype, self._one_dimensional = samples.dtype, one_dimensional
        if door.push(rows, self._pool.clock()) and not self.queued:
            self._pool.wake(self)

    def read(self) -> AnyArray:
        """Return what is ready, at once: ``[channels, m]``, or ``[m]`` if that was written; of the type that was."""
        enhanced: AnyArray = self.door.take()
        self._read += enhanced.shape[1]
        if self._dtype != _FLOAT32:
            enhanced = from_float32(enhanced, self._dtype)
        return enhanced[0] if self._one_dimensional else enhanced

    def finish(self) -> None:
        """Write no more: the rest can be read after the next ticks."""
        if not self.closed:
            self.door.end(self._pool.clock())
            self._pool.wake(self)

    def reset(self) -> None:
        """Forget the past, what waits, and what was not read; the stream begins anew."""
        self.door.reset()
        self._read = 0

    def close(self) -> None:
        """Give the slot back; nothing can be written or read any more. A second time does nothing."""
        if not self.closed:
            self.closed = True
            self.reset()
            self.feed.close()
            self._pool.leave(self)

    @property
    def finished(self) -> bool:
        """Whether no more is to come: after ``finish``, when all has been made and waits to be read."""
        return self.door.complete

    @property
    def position(self) -> int:
        """How many samples have been read since the stream began."""
        return self._read

    @property
    def pending_s(self) -> float:
        """Seconds of audio that have been written and not been read."""
        return (self.door.received - self._read) / self.sample_rate

    @property
    def latency_ms(self) -> float:
        """``latency`` in milliseconds."""
        return 1e3 * self.latency / self.sample_rate

    @property
    def strength(self) -> Strength:
        """How much of the effect is heard, 0 to 1; may be set at any time, and glides there in 20 ms.

        A stream that was opened with ``"auto"`` keeps that. With a preset it is that of the whole chain.
        """
        return self._strength

    @strength.setter
    def strength(self, strength: Strength) -> None:
        share = wet_share(strength, None)
        if AUTO in (strength, self._strength) and strength != self._strength:
            raise InvalidParameterError("a strength of 'auto' is chosen when a stream is opened, and stays")
        if self.chain is None:
            self._pool.set_share(self, share)
        else:
            self.chain.processor.strength = strength
        self._strength = strength

    @property
    def statistics(self) -> StreamStatistics:
        """How the stream fares."""
        feed = self.feed
        return StreamStatistics(
            frames=feed.frames,
            deadline_misses=feed.late_frames,
            gated_share=feed.gated_frames / feed.frames if feed.frames else 0.0,
            rung=self._pool.rung_of(self),
            pending_s=self.pending_s,
            seconds=self.door.received / self.sample_rate,
            nonfinite_samples=self.door.nonfinite_samples,
        )
