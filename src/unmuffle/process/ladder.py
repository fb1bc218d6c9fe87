"""Several processors for one task, from the best to the lightest, and the change from one to another without a click.

All are in step with the input, so that outputs of two of them can be faded into each other sample by sample. They carry
the same voice, and so the weights of a fade add up to 1 in amplitude. A processor that is to take over begins anew and
listens for a while before its output is heard; only those that are heard, or are about to be, take time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import lcm

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import IntOrArray, Processor
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.fifo import SampleFifo
from unmuffle.signal.grid import is_whole

FADE_S = 0.03
WARM_S = 0.25
"""After so long log-MMSE and our network are within -20 dB of what they would give had they always listened."""


class Ladder(Processor):
    """One of several processors, or the input itself: which one may be chosen while the stream runs.

    The last rung is the bypass, the input in step with all the others, which costs nothing. A change is the same for
    every way of cutting the input into blocks: it counts from the sample at which it was chosen.

    Parameters
    ----------
    processors : sequence of Processor
        At least one, from the best to the lightest; all of the same sample rate and number of channels. Latencies may
        differ: that of the ladder is the largest. The ladder owns them from now on.
    rung : int, default 0
        The one to begin with: a place in ``processors``, or their number for the bypass.
    warm_s : float, default 0.25
        For how long a processor listens before it is heard, 0 to 10 s; the bypass is heard at once.
    fade_s : float, default 0.03
        Length of the fade from one to the next, 0.001 to 1 s.

    Raises
    ------
    InvalidParameterError
        If there is no processor, rates or channels differ, or a parameter is out of its range.
    """

    def __init__(
        self, processors: Sequence[Processor], rung: int = 0, *, warm_s: float = WARM_S, fade_s: float = FADE_S
    ) -> None:
        if not processors:
            raise InvalidParameterError("a Ladder needs at least one processor: the bypass is always there")
        first = processors[0]
        if any((other.sample_rate, other.channels) != (first.sample_rate, first.channels) for other in processors):
            told = ", ".join(f"{other.sample_rate} Hz and {other.channels} channels" for other in processors)
            raise InvalidParameterError(
                f"the processors of a Ladder must have one rate and as many channels, not {told}"
            )
        if not 0.001 <= fade_s <= 1.0:
            raise InvalidParameterError(f"fade_s is {fade_s!r}; it must be 0.001 to 1 s")
        super().__init__(first.sample_rate, first.channels, nonfinite=first.nonfinite)
        self.processors = tuple(processors)
        self._warm = self._samples_to_warm(warm_s)
        self._fade = max(1, round(fade_s * self.sample_rate))
        self._rungs = [_Rung(processor, self.channels) for processor in (*processors, None)]
        self._chosen = self._checked_rung(rung)
        self._heard = self._rungs[self._chosen]
        self._changes: list[_Change] = []
        self._start()

    @property
    def latency(self) -> int:
        """The largest of all."""
        return max(processor.latency for processor in self.processors)

    @property
    def linked(self) -> bool:
        """Whether the channels of any of the processors are linked."""
        return any(processor.linked for processor in self.processors)

    @property
    def block_period(self) -> int:
        """The least common multiple of all periods, in samples."""
        return lcm(*(processor.block_period for processor in self.processors))

    def complete_after(self, received: IntOrArray) -> IntOrArray:
        """Return what all of the processors have given: so no change is heard in the delay."""
        complete = received
        for processor in self.processors:
            # Written so that it holds for both numbers and arrays.
            other = processor.complete_after(received)
            complete = complete + (other - complete) * (other < complete)
        return complete

    def delay_for(self, block_size: int) -> int:
        """Return the largest of all."""
        return max(processor.delay_for(block_size) for processor in self.processors)

    @property
    def bypass(self) -> int:
        """The number of the last rung."""
        return len(self.processors)

    @property
    def rung(self) -> int:
        """The one that was chosen, which may not be heard yet; a reset keeps it."""
        return self._chosen

    @property
    def settled(self) -> bool:
        """Whether what was chosen is all that is heard."""
        return not self._changes

    @property
    def heard(self) -> Processor | None:
        """The processor that is heard, before and during a fade the one that is to end; None for the bypass."""
        return self._heard.processor

    def choose(self, rung: int, warm_s: float | None = None) -> None:
        """Change to a rung: its fade begins when it is warm, and when one that is under way has ended.

        A change that is not heard yet is dropped.

        Parameters
        ----------
        rung : int
            Its place in ``processors``, or their number for the bypass.
        warm_s : float, optional
            For how long it listens before it is heard, instead of the ladder's own, 0 to 10 s.

        Raises
        ------
        InvalidParameterError
            If there is no such rung, or the time is out of range.
        """
        warm = self._warm if warm_s is None else self._samples_to_warm(warm_s)
        self._chosen = self._checked_rung(rung)
        begun = [change for change in self._changes if change.start < self._returned]
        last = begun[-1].rung if begun else self._heard
        free_from = begun[-1].start + self._fade if begun else self._returned
        wanted = self._rungs[rung]
        dropped = [change for change in self._changes if change not in begun and change.rung is wanted]
        self._changes = begun
        if wanted is last:
            return
        if dropped:
            # It has been listening all the while.
            begun.append(_Change(wanted, max(free_from, dropped[0].start)))
        elif wanted is self._heard or wanted.processor is None:
            begun.append(_Change(wanted, free_from))
        else:
            wanted.begin(self._received, self._returned)
            begun.append(_Change(wanted, max(free_from, self._received + warm)))

    def _samples_to_warm(self, warm_s: float) -> int:
        if not 0.0 <= warm_s <= 10.0:
            raise InvalidParameterError(f"warm_s is {warm_s!r}; it must be 0 to 10 s")
        return round(warm_s * self.sample_rate)

    def _checked_rung(self, rung: int) -> int:
        if not is_whole(rung) or not 0 <= rung < len(self._rungs):
            raise InvalidParameterError(f"rung is {rung!r}; it must be a whole number from 0 (best) to {self.bypass}")
        return int(rung)

    def _start(self) -> None:
        self._received = self._returned = 0
        self._heard = self._rungs[self._chosen]
        self._changes = []

    def _process(self, block: FloatArray) -> FloatArray:
        for rung in self._active():
            rung.process(block)
        self._received += block.shape[1]
        return self._next(self.complete_after(self._received) - self._returned)

    def _flush(self) -> FloatArray:
        for rung in self._active():
            rung.flush()
        return self._next(self._received - self._returned)

    def _reset(self, mask: BoolArray | None) -> None:
        for rung in self._rungs if mask is None else self._active():
            rung.reset(mask)
        if mask is None:
            self._start()

    def _active(self) -> list[_Rung]:
        """Those that have to be fed; the bypass always, since it may be heard at once."""
        active = [self._rungs[self.bypass], self._heard, *(change.rung for change in self._changes)]
        return [rung for place, rung in enumerate(active) if rung not in active[:place]]

    def _next(self, count: int) -> FloatArray:
        """Return the next samples, float32 [channels, count]."""
        parts = {id(rung): rung.ready.pop(count) for rung in self._active()}
        out: FloatArray = parts[id(self._heard)].copy()
        for change in self._changes:
            start = max(0, change.start - self._returned)
            if start >= count:
                continue
            places = np.arange(self._returned + start, self._returned + count) - change.start + 0.5
            share = np.sin(0.5 * np.pi * np.clip(places / self._fade, 0.0, 1.0)) ** 2
            share = share.astype(np.float32)
            out[:, start:] = (1 - share) * out[:, start:] + share * parts[id(change.rung)][:, start:]
        self._returned += count
        while self._changes and self._changes[0].start + self._fade <= self._returned:
            self._heard = self._changes.pop(0).rung
        return out


@dataclass(frozen=True, eq=False)
class _Change:
    """A rung, and the sample of the output at which its fade begins."""

    rung: _Rung
    start: int


class _Rung:
    """A processor, or none for the bypass, and what of its output waits for the slowest of all."""

    def __init__(self, processor: Processor | None, channels: int) -> None:
        self.processor = processor
        self.ready = SampleFifo(channels)
        self._channels = channels
        self._skipped = 0

    def begin(self, received: int, returned: int) -> None:
        """Begin anew after so many samples of input, of which so many have been answered."""
        if self.processor is None:
            return
        self.processor.reset()
        self.ready.clear()
        # Its frames have to lie where they would had it always listened, or its output would come at other times.
        phase = received % self.processor.block_period
        self.ready.push_zeros(max(0, received - phase - returned))
        self._skipped = max(0, returned - received + phase)
        self.process(np.zeros((self._channels, phase), np.float32))

    def process(self, block: FloatArray) -> None:
        self._push(block if self.processor is None else self.processor.process(block))

    def flush(self) -> None:
        if self.processor is not None:
            self._push(self.processor.flush())

    def reset(self, mask: BoolArray | None) -> None:
        if self.processor is not None:
            self.processor.reset(mask)
        if mask is None:
            self.ready.clear()
            self._skipped = 0
        else:
            self.ready.silence(mask)

    def _push(self, block: FloatArray) -> None:
        skipped = min(self._skipped, block.shape[1])
        self._skipped -= skipped
        self.ready.push(block[:, skipped:])
