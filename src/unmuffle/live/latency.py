"""The delay from microphone to output, measured: chirps go in, and are looked for in what comes out, by the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from unmuffle.enhancer import EnhancerStream
from unmuffle.errors import UnmuffleError
from unmuffle.live.file_device import Capture, FileDevice
from unmuffle.live.loop import LiveLoop, LiveReport
from unmuffle.signal.arrays import FloatArray

CHIRP_S, EVERY_S = 0.1, 0.5
LOWEST_HZ, HIGHEST_HZ = 300.0, 3_400.0
CHIRP_PEAK = 0.25
HEARD_DB = 12.0
"""The enhancer, at full work, is kept from attenuating by more than this: it takes chirps for what they are, noise."""
LONGEST_DELAY_S = 0.5
WANTED_MS = 50.0

OpenStream = Callable[[int, int, int], EnhancerStream]
"""Takes sample rate, channels and block size."""


class NothingHeardError(UnmuffleError):
    """No chirp was found in the output."""


@dataclass(frozen=True)
class LatencyReport:
    """What was measured.

    Attributes
    ----------
    algorithm_ms : float
        What the enhancer looks ahead: with blocks of any size.
    total_ms, worst_ms : float
        From a sample's sounding before the microphone to its sounding again: mean over the chirps, and the longest.
    chirps : int
        How many were found.
    loop : LiveReport
        How the loop did meanwhile.
    """

    algorithm_ms: float
    total_ms: float
    worst_ms: float
    chirps: int
    loop: LiveReport

    @property
    def rest_ms(self) -> float:
        """All but the algorithm: blocks that have to be whole, the worker's turn, the system's lateness."""
        return self.total_ms - self.algorithm_ms

    def lines(self) -> list[str]:
        """Return the report for people."""
        loop = self.loop
        verdict = f"{'below' if self.worst_ms < WANTED_MS else 'not below'} {WANTED_MS:.0f} ms"
        heard = f"{self.chirps} chirps in {loop.seconds:.1f} s"
        taken = f"{loop.mean_block_ms:.2f} ms (at worst {loop.worst_block_ms:.2f} ms) of {loop.block_ms:.1f} ms"
        lines = [
            f"end to end     {self.total_ms:.1f} ms, at worst {self.worst_ms:.1f} ms: {verdict} ({heard})",
            f"  algorithm    {self.algorithm_ms:.1f} ms",
            f"  all else     {self.rest_ms:.1f} ms: two blocks and lateness, less what ending with frames saves",
            f"a block takes  {taken}",
            f"dropouts       {loop.dropouts}",
        ]
        if loop.grown_ms > 0.0:
            why = "this machine was late again and again"
            lines.insert(3, f"    of this      {loop.grown_ms:.1f} ms held in reserve at the end: {why}")
        return lines


def measure_latency(
    open_stream: OpenStream,
    sample_rate: int = 48_000,
    *,
    block_ms: float | None = None,
    seconds: float = 5.0,
) -> LatencyReport:
    """Run a live loop on the loop-back device in real time and measure its delay.

    Parameters
    ----------
    open_stream : callable
        Makes the stream from sample rate, channels and block size. It should attenuate by no more than 12 dB, since
        chirps are no voice.
    sample_rate : int, default 48000
        In Hz.
    block_ms : float, optional
        Length of a block; half a frame, 8 ms, if not given.
    seconds : float, default 5.0
        How long to listen.

    Raises
    ------
    NothingHeardError
        If the output holds no chirp.
    """
    sounded, starts = _chirps(sample_rate, seconds)
    capture = Capture()
    device = FileDevice(sounded, sample_rate, block_ms=block_ms, capture=capture)
    stream = open_stream(sample_rate, 1, device.input.block_size)
    with LiveLoop(device, stream) as loop:
        device.wait(seconds + 10.0)
        report = loop.report
    delays = [_delay_s(sounded, capture, start, sample_rate, device.input.block_size) for start in starts]
    found_ms = 1e3 * np.array([delay for delay in delays if delay is not None])
    if found_ms.size == 0:
        raise NothingHeardError(
            "no chirp was found in the output: allow less attenuation (--strength), or a longer time"
        )
    free_of_blocks = open_stream(sample_rate, 1, 1)
    return LatencyReport(
        free_of_blocks.latency_ms, float(found_ms.mean()), float(found_ms.max()), found_ms.size, report
    )


def _chirps(sample_rate: int, seconds: float) -> tuple[FloatArray, list[int]]:
    """Return upward sweeps float32 [1, samples], and where each begins."""
    time_s = np.arange(round(CHIRP_S * sample_rate)) / sample_rate
    phase = 2 * np.pi * (LOWEST_HZ * time_s + (HIGHEST_HZ - LOWEST_HZ) / (2 * CHIRP_S) * time_s**2)
    chirp = CHIRP_PEAK * np.sin(phase) * np.hanning(time_s.size)
    starts = [round(at * sample_rate) for at in np.arange(EVERY_S / 2, max(seconds, EVERY_S), EVERY_S)]
    sounded = np.zeros((1, starts[-1] + round(EVERY_S * sample_rate)), np.float32)
    for start in starts:
        sounded[0, start : start + chirp.size] = chirp
    return sounded, starts


def _delay_s(sounded: FloatArray, capture: Capture, start: int, sample_rate: int, block_size: int) -> float | None:
    """Return the seconds from a chirp's sounding to its sounding again; None where it was not heard."""
    from scipy.signal import correlate

    chirp = sounded[0, start : start + round(CHIRP_S * sample_rate)]
    heard = capture.audio[0, start : start + chirp.size + round(LONGEST_DELAY_S * sample_rate)]
    if heard.size < chirp.size:
        return None
    likeness = correlate(heard, chirp, mode="valid")
    lag = int(np.argmax(likeness))
    energy = float(np.vdot(heard[lag : lag + chirp.size], heard[lag : lag + chirp.size]) * np.vdot(chirp, chirp))
    if energy == 0.0 or likeness[lag] < 0.5 * energy**0.5:
        return None
    block, into = divmod(start + lag, block_size)
    return capture.times_s[block] + (into - start) / sample_rate
