"""A network of waveforms that carries its states, run hop by hop: no chunk has to be waited for.

At another rate than its own the stream is resampled there and back; what lies above the network's own Nyquist frequency
is lost. The delays of both resamplers and of the network are whole samples of the stream when put together.
"""

from __future__ import annotations

from fractions import Fraction
from math import floor, gcd, lcm
from typing import ClassVar

import numpy as np

from unmuffle.errors import ModelError
from unmuffle.models.stream import StreamGraph
from unmuffle.process.processor import IntOrArray, NonFinite, Processor
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.sinc_resampler import SincResampler, reach_for

LONGEST_CALL_S = 0.5


class StreamNetwork(Processor):
    """Runs a network of waveforms with states over a stream.

    Channels are enhanced each on its own, all in one call. Where the network gives something that is not finite, the
    audio is left as it was, and the network begins anew.

    Parameters
    ----------
    graph : StreamGraph
        From ``unmuffle.models.stream.stream_graph``; may serve several processors.
    sample_rate : int
        Of the stream in Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    ModelError
        While processing, if the network fails.
    """

    loudest: ClassVar[float] = 1e6

    def __init__(
        self, graph: StreamGraph, sample_rate: int, channels: int = 1, *, nonfinite: NonFinite = "raise"
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self.graph = graph
        rate, own = self.sample_rate, graph.sample_rate
        step = Fraction(rate, own)
        # So that the last sample of a period is the last that its last hop needs.
        before = reach_for(rate, own) + 1 - step
        self._delay = floor(before + (graph.delay + reach_for(own, rate)) * step)
        after = (self._delay - before) / step - graph.delay
        self._to_own = SincResampler(rate, own, self.channels, before)
        self._from_own = SincResampler(own, rate, self.channels, after)
        own_period = lcm(graph.hop, own // gcd(rate, own))
        self._period = int(own_period * step)
        self._most = max(1, round(LONGEST_CALL_S * own / graph.hop / self.channels)) * graph.hop
        self._states: list[FloatArray] = [np.zeros((self.channels, *shape), np.float32) for shape in graph.shapes]
        self._waiting: FloatArray = np.zeros((self.channels, 0), np.float32)
        self._dry: FloatArray = np.zeros((self.channels, graph.delay), np.float32)
        self._heard: BoolArray = np.zeros(self.channels, np.bool_)
        self._clear()

    @property
    def latency(self) -> int:
        """A hop, the network's own delay, and at other rates that of resampling."""
        return self._most_owed(1)

    @property
    def block_period(self) -> int:
        """After so many samples, hops and both rates meet again."""
        return self._period

    def complete_after(self, received: IntOrArray) -> IntOrArray:
        """Return how many samples of output have been given when so many of input have come in since the start."""
        if isinstance(received, np.ndarray):
            return np.array([self._complete(int(count)) for count in received], received.dtype)
        return self._complete(int(received))

    def delay_for(self, block_size: int) -> int:
        """Return by how many samples the output lags at most when whole blocks of this size have come in."""
        return self._most_owed(block_size)

    def _complete(self, received: int) -> int:
        hop = self.graph.hop
        own = self._to_own.complete_after(received) // hop * hop
        return max(0, self._from_own.complete_after(own) - self._delay)

    def _most_owed(self, block_size: int) -> int:
        start = self._delay // self._period + 2
        counts = np.arange(start * self._period, (start + 1) * self._period, gcd(block_size, self._period))
        return int((counts - self.complete_after(counts)).max())

    def _clear(self) -> None:
        self._received = self._returned = 0
        self._skipped = self._delay
        self._waiting = self._waiting[:, :0]

    def _process(self, block: FloatArray) -> FloatArray:
        self._received += block.shape[1]
        own = np.concatenate((self._waiting, self._to_own.process(block)), axis=1)
        whole = own.shape[1] // self.graph.hop * self.graph.hop
        self._waiting = own[:, whole:].copy()
        pieces = [self._enhanced(own[:, at : min(whole, at + self._most)]) for at in range(0, whole, self._most)]
        enhanced = np.concatenate(pieces, axis=1) if pieces else np.zeros((self.channels, 0), np.float32)
        out = self._from_own.process(enhanced)
        skipped = min(self._skipped, out.shape[1])
        self._skipped -= skipped
        self._returned += out.shape[1] - skipped
        return out[:, skipped:]

    def _enhanced(self, audio: FloatArray) -> FloatArray:
        """Whole hops of the network's output, as late as it is; float32 [channels, samples] for as many."""
        audio = np.ascontiguousarray(audio)
        found, *states = self._run(audio)
        dry = np.concatenate((self._dry, audio), axis=1)
        self._dry = dry[:, audio.shape[1] :].copy()
        lost = np.logical_not(np.isfinite(found).all(axis=1))
        found = np.where(lost[:, None], dry[:, : audio.shape[1]], found)
        self._states = [np.where(_like(lost, state), np.float32(0.0), state) for state in states]
        # Until the first sample that is not 0, silence: whatever the network would make of it.
        loud = audio.reshape(self.channels, -1, self.graph.hop).any(axis=2)
        heard = np.logical_or.accumulate(np.concatenate((self._heard[:, None], loud), axis=1), axis=1)
        self._heard = heard[:, -1]
        return np.where(np.repeat(heard[:, 1:], self.graph.hop, axis=1), found, np.float32(0.0))

    def _run(self, audio: FloatArray) -> list[FloatArray]:
        feeds = {f"state_{number}": state for number, state in enumerate(self._states)}
        names = ["enhanced", *(f"next_{number}" for number in range(len(self._states)))]
        try:
            found: list[FloatArray] = self.graph.session.run(names, {"audio": audio} | feeds)
        except Exception as error:
            # Those of ONNX Runtime have no common base.
            reason = " ".join(str(error).split())
            raise ModelError(f"the model {self.graph.name} fails on {audio.shape[1]} samples: {reason}") from error
        for given, name, after in zip([audio, *self._states], names, found, strict=True):
            if after.shape != given.shape:
                raise ModelError(
                    f"the model {self.graph.name} gives {name} {list(after.shape)} where {list(given.shape)} was wanted"
                )
        return found

    def _flush(self) -> FloatArray:
        owed = self._received - self._returned
        return self._process(np.zeros((self.channels, self.latency + self._period), np.float32))[:, :owed]

    def _reset(self, mask: BoolArray | None) -> None:
        chosen = slice(None) if mask is None else mask
        self._to_own.reset(mask)
        self._from_own.reset(mask)
        for array in (*self._states, self._waiting, self._dry, self._heard):
            array[chosen] = 0
        if mask is None:
            self._clear()


def _like(rows: BoolArray, array: FloatArray) -> BoolArray:
    """Rows [channels] in a shape that goes with an array [channels, ...]."""
    return rows.reshape(-1, *(1 for _ in array.shape[1:]))
