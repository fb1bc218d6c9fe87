"""The live loop: from the microphone through an enhancer to the output, with no callback that ever waits.

The device's callbacks only copy samples to and from rings, and a worker thread enhances: its answer to a block is due
at the next one.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass

import numpy as np

from unmuffle.enhancer import EnhancerStream, LoadReport
from unmuffle.errors import InvalidParameterError, one_line
from unmuffle.live.device import Device
from unmuffle.live.levels import LevelMeter
from unmuffle.live.playback import RING_S, Playback
from unmuffle.live.recorder import Recorder
from unmuffle.live.ring import SampleRing
from unmuffle.signal.arrays import AnyArray, FloatArray

WARM_S = 0.1
STOPPING_S = 5.0

log = logging.getLogger("unmuffle.live")


@dataclass(frozen=True)
class LiveReport:
    """How a live loop does.

    Attributes
    ----------
    seconds : float
        Audio that was enhanced.
    level_in_dbfs, level_out_dbfs, peak_in_dbfs, peak_out_dbfs : float
        Levels now.
    cpu_share : float
        Of one core, by the worker, over the last second.
    latency_ms : float
        From the microphone to the output, as far as the device tells its part.
    grown_ms : float
        Of this, what is kept waiting since sound was late again and again.
    worst_block_ms, mean_block_ms : float
        Time that a block has taken to enhance.
    block_ms : float
        Time that there is for it.
    dropouts : int
        Blocks of output that were not there in time, or not whole.
    missing_s : float
        Silence that was played for them.
    lost_s : float
        Input that there was no room for.
    device_xruns : int
        Blocks that the device itself says were lost.
    load : LoadReport
        How the enhancer keeps up, and what it has stepped down to.
    """

    seconds: float
    level_in_dbfs: float
    level_out_dbfs: float
    peak_in_dbfs: float
    peak_out_dbfs: float
    cpu_share: float
    latency_ms: float
    grown_ms: float
    worst_block_ms: float
    mean_block_ms: float
    block_ms: float
    dropouts: int
    missing_s: float
    lost_s: float
    device_xruns: int
    load: LoadReport

    @property
    def attenuation_db(self) -> float:
        """By how much the output is quieter than the input now."""
        return self.level_in_dbfs - self.level_out_dbfs


class LiveLoop:
    """Runs a stream between a microphone and an output; a context manager.

    Parameters
    ----------
    device : Device
        Not started yet.
    stream : EnhancerStream
        Opened with the rate, the channels and the block size of the device's input; owned by the loop from now on.
    recorder : Recorder, optional
        Gets both sides, and is closed with the loop.

    Raises
    ------
    InvalidParameterError
        If stream and device do not fit each other.

    Attributes
    ----------
    error : str or None
        Why the enhancer failed, in one line; the input has been passed on as it is since then.
    """

    def __init__(self, device: Device, stream: EnhancerStream, recorder: Recorder | None = None) -> None:
        side = device.input
        given = (stream.sample_rate, stream.channels, stream.block_size)
        wanted = (side.sample_rate, side.channels, side.block_size)
        if given != wanted:
            raise InvalidParameterError(
                f"a stream with rate, channels and block size of {given} does not fit {side.name}, which has {wanted}"
            )
        self.device = device
        self.error: str | None = None
        self._stream = stream
        self._recorder = recorder
        self._playback = None if device.output is None else Playback(device, device.output)
        self._incoming = SampleRing(side.channels, round(RING_S * side.sample_rate))
        self._block: FloatArray = np.zeros((side.channels, side.block_size), np.float32)
        self._level_in, self._level_out = LevelMeter(side.sample_rate), LevelMeter(side.sample_rate)
        self._woken = threading.Semaphore(0)
        self._thread: threading.Thread | None = None
        self._running = False
        self._blocks = self._lost = 0
        self._worst_s = self._spent_s = self._cpu_share = 0.0
        self._cpu_mark: tuple[float, float] | None = None

    @property
    def latency_ms(self) -> float:
        """From the microphone to the output, as far as the device tells its part."""
        waiting_s = 0.0 if self._playback is None else self._playback.allowance_s
        return self._stream.latency_ms + 1e3 * (waiting_s + self.device.latency_s)

    @property
    def report(self) -> LiveReport:
        """How the loop does; may be asked for at any time, by any thread."""
        side, out, playback = self.device.input, self.device.output, self._playback
        return LiveReport(
            seconds=self._blocks * side.block_size / side.sample_rate,
            level_in_dbfs=self._level_in.rms_dbfs,
            level_out_dbfs=self._level_out.rms_dbfs,
            peak_in_dbfs=self._level_in.peak_dbfs,
            peak_out_dbfs=self._level_out.peak_dbfs,
            cpu_share=self._cpu_share,
            latency_ms=self.latency_ms,
            grown_ms=0.0 if playback is None else 1e3 * playback.grown_s,
            worst_block_ms=1e3 * self._worst_s,
            mean_block_ms=1e3 * self._spent_s / max(1, self._blocks),
            block_ms=1e3 * side.block_size / side.sample_rate,
            dropouts=0 if playback is None else playback.dropouts,
            missing_s=0.0 if playback is None or out is None else playback.missing / out.sample_rate,
            lost_s=self._lost / side.sample_rate,
            device_xruns=self.device.xruns,
            load=self._stream.load,
        )

    def start(self) -> None:
        """Warm the enhancer up, then let the device begin."""
        for _ in range(1 + round(WARM_S * self._stream.sample_rate / self._block.shape[1])):
            self._stream.process(self._block)
        self._stream.reset()
        self._running = True
        self._thread = threading.Thread(target=self._work, name="unmuffle live", daemon=True)
        self._thread.start()
        try:
            self.device.start(self.take, self.give)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the device, enhance what has come in, and close the recording; nothing happens the second time."""
        if not self._running:
            return
        self._running = False
        self.device.stop()
        self._woken.release()
        if self._thread is not None:
            self._thread.join(STOPPING_S)
        if self._recorder is not None:
            owed = np.zeros((self._stream.channels, self._stream.latency), np.float32)
            self._recorder.close(owed if self.error else self._stream.flush())

    def __enter__(self) -> LiveLoop:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def take(self, block: FloatArray) -> None:
        """Take a block of the microphone [channels, n]; for the device's callback, so it only copies."""
        self._lost += block.shape[1] - self._incoming.write(block)
        self._woken.release()

    def give(self, out: FloatArray) -> None:
        """Fill a block for the output [channels, n]; for the device's callback, so it only copies."""
        if self._playback is None:
            out[:] = 0.0
        else:
            self._playback.give(out)

    def run_waiting(self) -> None:
        """Enhance all whole blocks that have come in: what the worker does whenever there is one."""
        while len(self._incoming) >= self._block.shape[1]:
            self._incoming.read_into(self._block)
            enhanced = self._enhance()
            if self._playback is not None:
                self._playback.push(enhanced, self._lost)
            self._level_in.process(self._block)
            self._level_out.process(enhanced)
            if self._recorder is not None:
                self._recorder.put(self._block, enhanced)
            self._blocks += 1

    def _enhance(self) -> AnyArray:
        """Return the enhanced block, or, once the enhancer has failed, the block itself."""
        if self.error is not None:
            return self._block
        begun_s = time.perf_counter()
        try:
            enhanced = self._stream.process(self._block)
        except Exception as error:
            # Nobody hears the exception of a thread; the voice goes on without us.
            self.error = one_line(error)
            log.exception("the enhancer failed; the input is passed on as it is")
            return self._block
        taken_s = time.perf_counter() - begun_s
        self._worst_s = max(self._worst_s, taken_s)
        self._spent_s += taken_s
        return enhanced

    def _work(self) -> None:
        while True:
            self._woken.acquire()
            self.run_waiting()
            self._tell_cpu()
            if not self._running:
                return

    def _tell_cpu(self) -> None:
        now_s, spent_s = time.perf_counter(), time.thread_time()
        then_s, before_s = self._cpu_mark or (now_s, spent_s)
        if now_s - then_s >= 1.0:
            self._cpu_share = (spent_s - before_s) / (now_s - then_s)
        if self._cpu_mark is None or now_s - then_s >= 1.0:
            self._cpu_mark = (now_s, spent_s)
