"""The output side of the live loop: what is enhanced waits here until the device wants it.

Where one clock drives both sides, the answer to a block is due at the next one. What comes later is replaced by silence
and counted, and is left out when it does come, so that the delay stays what it was. Where there are two clocks, the
stream is brought to that of the output.
"""

from __future__ import annotations

import numpy as np

from unmuffle.live.clock_match import ClockMatch
from unmuffle.live.device import Device, Side
from unmuffle.live.ring import SampleRing
from unmuffle.signal.arrays import FloatArray

RING_S = 2.0
STEERING_S = 1.0
MARGIN_S = 0.004
"""Two clocks: what should wait beyond a block of each side whenever the output takes one."""
TOO_MUCH_S = 0.06
"""Beyond this what waits too long is left out: steering would take half a minute to use it up."""
FADE_S = 0.002


class Playback:
    """Between the worker, which pushes, and the output's callback, which has blocks filled.

    Parameters
    ----------
    device : Device
        With an output.
    output : Side
        That output.

    Attributes
    ----------
    dropouts : int
        Blocks that were not there in time, or not whole.
    missing : int
        Samples of silence that were played for them.
    allowance_s : float
        How long a sample waits here at first.
    """

    def __init__(self, device: Device, output: Side) -> None:
        source = device.input
        self.dropouts = self.missing = 0
        self._channels, self._rate = source.channels, output.sample_rate
        self._ring = SampleRing(source.channels, round(RING_S * output.sample_rate))
        self._played: FloatArray = np.zeros((source.channels, output.block_size), np.float32)
        self._fade = np.linspace(0.0, 1.0, round(FADE_S * output.sample_rate), dtype=np.float32)
        self._left_out = self._too_many = 0
        self._fewest, self._unsteered = self._ring.capacity, 0
        self._match: ClockMatch | None = None
        waiting = source.block_size
        if not device.one_clock:
            # As the clocks slide past each other, a block of input comes now just before one of output is taken, and
            # now just after it.
            most_late_s = source.block_size / source.sample_rate + MARGIN_S
            waiting = output.block_size + round(most_late_s * output.sample_rate)
            self._match = ClockMatch(source.sample_rate, output.sample_rate, source.channels, waiting)
        reach_s = 0.0 if self._match is None else self._match.resampler.reach / source.sample_rate
        self.allowance_s = waiting / output.sample_rate + reach_s
        self._ring.write(np.zeros((source.channels, waiting), np.float32))

    def give(self, out: FloatArray) -> None:
        """Fill a block for the output [channels, n]; for the device's callback, so it only copies."""
        wanted = out.shape[1]
        if wanted > self._played.shape[1]:
            self._played = np.zeros((self._channels, wanted), np.float32)
        self._fewest = min(self._fewest, len(self._ring))
        played = self._played[:, :wanted]
        found = self._ring.read_into(played)
        if found < wanted:
            played[:, found:] = 0.0
            self.missing += wanted - found
            self.dropouts += 1
        # One channel is heard on all; several have an output of as many, or are mixed into its one.
        np.copyto(out, played if self._channels in (1, len(out)) else played.mean(axis=0, keepdims=True))

    def push(self, enhanced: FloatArray, lost: int) -> None:
        """Append a block [channels, n] of the input's rate; ``lost`` samples of input have never come in till now."""
        if self._match is not None:
            self._steer(self._match, enhanced.shape[1])
            enhanced = self._match.process(enhanced)
            late = self._too_many
        else:
            late = self.missing - lost
        late = min(late - self._left_out, enhanced.shape[1])
        if late > 0:
            self._left_out += late
            enhanced = enhanced[:, late:].copy()
            fade = self._fade[: enhanced.shape[1]]
            enhanced[:, : fade.size] *= fade
        self._ring.write(enhanced)

    def _steer(self, match: ClockMatch, samples: int) -> None:
        """Keep what waits for the output's clock as it should be; once a second."""
        self._unsteered += samples
        if self._unsteered < STEERING_S * match.input_rate:
            return
        self._unsteered = 0
        fewest, self._fewest = self._fewest, self._ring.capacity
        if fewest == self._ring.capacity:
            # The output has not begun yet.
            return
        too_many = fewest - match.wanted
        if too_many > TOO_MUCH_S * self._rate:
            self._too_many += too_many
        else:
            match.steer(fewest)
