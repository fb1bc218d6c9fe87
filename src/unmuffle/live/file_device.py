"""A sound device without hardware: a file is the microphone, and what would be heard can be captured."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from unmuffle.errors import UnmuffleError, one_line
from unmuffle.live.device import Give, Side, Take, block_size_for
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.fifo import SampleFifo
from unmuffle.signal.files import AudioReader, open_reader

TAIL_S = 0.25
"""Silence behind the file, in which the rest of it is heard."""


@dataclass
class Capture:
    """What a device has played.

    Attributes
    ----------
    blocks : list of float32 [channels, n]
    times_s : list of float
        When each of them began to play, since the first sample of the input.
    """

    blocks: list[FloatArray] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)

    @property
    def audio(self) -> FloatArray:
        """All that was played, float32 [channels, samples]."""
        return np.concatenate(self.blocks, axis=1) if self.blocks else np.zeros((1, 0), np.float32)


class FileDevice:
    """Plays a file or an array as the microphone.

    A block of input comes when its last sample has sounded, as in a sound card, and the block of output that is then
    asked for begins to play at once.

    Parameters
    ----------
    source : path or array
        Any audio or video file, read as it plays; or float32 [channels, samples].
    sample_rate : int, optional
        That of an array.
    block_ms : float, optional
        Length of a block; half a frame if not given.
    output_rate : int, optional
        The output then has a clock of its own.
    output_off_ppm : float, default 0.0
        By how many millionths that clock runs fast.
    capture : Capture, optional
        Gets what is played; it is dropped otherwise.

    Raises
    ------
    AudioFileError
        If the file cannot be read.
    """

    xruns = 0

    def __init__(
        self,
        source: str | os.PathLike[str] | FloatArray,
        sample_rate: int | None = None,
        *,
        block_ms: float | None = None,
        output_rate: int | None = None,
        output_off_ppm: float = 0.0,
        capture: Capture | None = None,
    ) -> None:
        self._reader: AudioReader | None = None
        if isinstance(source, np.ndarray):
            name, rate, channels = "an array", sample_rate or 48_000, len(source)
            self._blocks: Iterator[FloatArray] = iter((source,))
        else:
            self._reader = open_reader(source)
            name, rate, channels = str(source), self._reader.info.sample_rate, self._reader.info.channels
            self._blocks = self._reader.blocks()
        self.input = Side(name, rate, channels, block_size_for(rate, block_ms))
        self.one_clock = output_rate is None and output_off_ppm == 0.0
        played = output_rate or rate
        self.output = Side("the loop-back", played, channels, block_size_for(played, block_ms))
        self._output_rate_hz = played * (1.0 + 1e-6 * output_off_ppm)
        self._capture = capture
        self._waiting = SampleFifo(channels)
        self._tail = round(TAIL_S * rate)
        self._taken = self._given = 0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._begun_s: float | None = None
        self.error: str | None = None

    @property
    def latency_s(self) -> float:
        """A block of the input has to be whole before it comes."""
        return self.input.block_size / self.input.sample_rate

    @property
    def active(self) -> bool:
        """Whether there is more of the file, or of the silence behind it."""
        return not self._ended.is_set()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the file and the silence behind it are over; tell whether they are."""
        return self._ended.wait(timeout_s)

    def start(self, take: Take, give: Give) -> None:
        """Play in real time, by a thread of its own."""
        self._thread = threading.Thread(target=self._play, args=(take, give), name="unmuffle device", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop playing and close the file."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        if self._reader is not None:
            self._reader.close()

    def step(self, take: Take, give: Give) -> None:
        """Play one block of input, and as much of the output as its clock has come to."""
        take(self._next_block())
        self._taken += self.input.block_size
        if self.one_clock:
            self._give(give)
            return
        while (self._given + self.output.block_size) / self._output_rate_hz <= self._taken / self.input.sample_rate:
            self._give(give)

    def _give(self, give: Give) -> None:
        out = np.zeros((self.output.channels, self.output.block_size), np.float32)
        if self._capture is not None:
            began = time.perf_counter() - self._begun_s if self._begun_s is not None else 0.0
            self._capture.times_s.append(began)
            self._capture.blocks.append(out)
        give(out)
        self._given += self.output.block_size

    def _next_block(self) -> FloatArray:
        size = self.input.block_size
        while len(self._waiting) < size:
            block = self._read_on()
            if block is None:
                short = size - len(self._waiting)
                self._tail -= short
                self._waiting.push_zeros(short)
            else:
                self._waiting.push(block)
        if self._tail <= 0:
            self._ended.set()
        return self._waiting.pop(size)

    def _read_on(self) -> FloatArray | None:
        """Return the next block of the source; None at its end, and where it is damaged."""
        try:
            return next(self._blocks, None)
        except UnmuffleError as error:
            self.error = one_line(error)
            return None

    def _play(self, take: Take, give: Give) -> None:
        self._begun_s = begun_s = time.perf_counter()
        while self.active:
            due_s = begun_s + (self._taken + self.input.block_size) / self.input.sample_rate
            time.sleep(max(0.0, due_s - time.perf_counter()))
            self.step(take, give)
