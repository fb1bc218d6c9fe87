"""Any network that takes a waveform, run chunk by chunk over a stream: overlap-add with a fade where chunks meet.

Each chunk is resampled to the network's rate and back on its own. So nothing but audio is kept from chunk to chunk, and
what a resampler does at the edges of a chunk falls into the fade.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from unmuffle.errors import InvalidParameterError, ModelError
from unmuffle.models.waveform import WaveformGraph
from unmuffle.process.processor import NonFinite, Processor
from unmuffle.signal.arrays import BoolArray, FloatArray
from unmuffle.signal.grid import check_sample_rate
from unmuffle.signal.resample import resample


class WaveformNetwork(Processor):
    """Runs a network of waveforms over a stream.

    Channels are enhanced each on its own. Where the network gives something that is not finite, the chunk is left as it
    was.

    Parameters
    ----------
    graph : WaveformGraph
        From ``unmuffle.models.waveform.waveform_graph``.
    sample_rate : int
        Of the stream in Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    model_rate : int, optional
        Rate of the network in Hz; what the file tells, else 16,000.
    chunk_s : float, optional
        Seconds in a chunk, 0.01 to 600; what the file tells, else 1.0. A network with a fixed number of samples has
        no choice.
    overlap : float, optional
        Share of a chunk that it has in common with the next, 0 to 0.5; what the file tells, else 0.25.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is out of its range.
    ModelError
        While processing, if the network does not give as many samples as it takes, or fails.
    """

    loudest: ClassVar[float] = 1e6

    def __init__(
        self,
        graph: WaveformGraph,
        sample_rate: int,
        channels: int = 1,
        *,
        model_rate: int | None = None,
        chunk_s: float | None = None,
        overlap: float | None = None,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        self.graph = graph
        self.model_rate = check_sample_rate(graph.sample_rate if model_rate is None else model_rate)
        self._model_chunk = self._samples_in_chunk(graph.chunk_s if chunk_s is None else chunk_s)
        share = graph.overlap if overlap is None else overlap
        if not 0.0 <= share <= 0.5:
            raise InvalidParameterError(f"overlap is {share!r}; it must be from 0 to 0.5 of a chunk")
        self._chunk = max(2, round(self._model_chunk * self.sample_rate / self.model_rate))
        self._overlap = min(round(share * self._chunk), self._chunk // 2)
        places = (np.arange(self._overlap) + 0.5) / max(1, self._overlap)
        self._rise: FloatArray = (np.sin(0.5 * np.pi * places) ** 2).astype(np.float32)
        self._input: FloatArray = np.zeros((self.channels, self._chunk), np.float32)
        self._tail: FloatArray = np.zeros((self.channels, self._overlap), np.float32)
        self._clear()

    @property
    def latency(self) -> int:
        """One chunk less one sample."""
        return self._chunk - 1

    @property
    def block_period(self) -> int:
        """From the start of one chunk to that of the next."""
        return self._chunk - self._overlap

    def _samples_in_chunk(self, chunk_s: float) -> int:
        if self.graph.chunk is not None:
            return self.graph.chunk
        if not 0.01 <= chunk_s <= 600.0:
            raise InvalidParameterError(f"chunk_s is {chunk_s!r}; it must be 0.01 to 600 s")
        return round(chunk_s * self.model_rate)

    def _clear(self) -> None:
        # The first chunk begins with the silence before the first sample, which it has in common with none.
        self._filled = self._overlap
        self._owed_silence = self._overlap
        self._received = self._returned = 0

    def _process(self, block: FloatArray) -> FloatArray:
        self._received += block.shape[1]
        pieces = [np.zeros((self.channels, 0), np.float32)]
        start = 0
        while start < block.shape[1]:
            taken = min(block.shape[1] - start, self._chunk - self._filled)
            self._input[:, self._filled : self._filled + taken] = block[:, start : start + taken]
            self._filled += taken
            start += taken
            if self._filled == self._chunk:
                pieces.append(self._next_piece())
        out = np.concatenate(pieces, axis=1)
        self._returned += out.shape[1]
        return out

    def _next_piece(self) -> FloatArray:
        """Enhance the chunk that is full and return what is complete with it, float32 [channels, at most a period]."""
        overlap, period = self._overlap, self.block_period
        enhanced = self._enhanced(self._input)
        enhanced[:, :overlap] = self._tail + self._rise * enhanced[:, :overlap]
        self._tail[:] = enhanced[:, period:] * self._rise[::-1]
        self._input[:, :overlap] = self._input[:, period:]
        self._filled = overlap
        skipped = min(self._owed_silence, period)
        self._owed_silence -= skipped
        return enhanced[:, skipped:period]

    def _enhanced(self, chunk: FloatArray) -> FloatArray:
        heard = chunk.any(axis=1, keepdims=True)
        if not heard.any():
            return np.zeros_like(chunk)
        given = _of_length(resample(chunk, self.sample_rate, self.model_rate), self._model_chunk)
        found = resample(self._run(given), self.model_rate, self.sample_rate)
        sound = np.isfinite(found).all(axis=1, keepdims=True)
        return np.where(heard, np.where(sound, _of_length(found, self._chunk), chunk), np.float32(0.0))

    def _run(self, chunk: FloatArray) -> FloatArray:
        """What the network gives for [channels, samples] at its rate, in the same shape."""
        if self.graph.one_by_one and len(chunk) > 1:
            return np.concatenate([self._run(row[None]) for row in chunk])
        samples = chunk.shape[1]
        shape = {1: (samples,), 2: chunk.shape, 3: (len(chunk), 1, samples)}[self.graph.dimensions]
        try:
            found = self.graph.session.run(None, {self.graph.input: chunk.reshape(shape)})[0]
        except Exception as error:
            # Those of ONNX Runtime have no common base.
            reason = " ".join(str(error).split())
            raise ModelError(f"the model {self.graph.name} fails on {samples} samples: {reason}") from error
        if found.size != chunk.size:
            raise ModelError(
                f"the model {self.graph.name} gives {list(found.shape)} for {list(shape)}: it must give as many samples"
            )
        return np.asarray(found, np.float32).reshape(chunk.shape)

    def _flush(self) -> FloatArray:
        owed = self._received - self._returned
        padding = np.zeros((self.channels, 2 * self._chunk), np.float32)
        return self._process(padding)[:, :owed]

    def _reset(self, mask: BoolArray | None) -> None:
        chosen = slice(None) if mask is None else mask
        self._input[chosen] = 0.0
        self._tail[chosen] = 0.0
        if mask is None:
            self._clear()


def _of_length(audio: FloatArray, samples: int) -> FloatArray:
    """Cut or lengthen [channels, n] by the rounding of a rate."""
    return np.pad(audio[:, :samples], ((0, 0), (0, max(0, samples - audio.shape[1]))))
