"""The output side of the live loop: what is enhanced waits here until the device wants it.

Where one clock drives both sides, the answer to a block is due at the next one. What comes later is replaced by silence
and counted, and is left out when it does come, so that the delay stays what it was. If that happens again soon, it is
how this device or machine is: some sound systems call for two blocks at once, and then wait for as long as both last.
What is late is then kept, and the delay grows by it, until less turns out to be enough. Where there are two clocks, the
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
SOON_S = 5.0
"""One clock: a dropout so soon after another lets the delay grow."""
MOST_GROWN_S = 0.1
CALM_S = 20.0
"""What of it was not needed for so long is taken back."""


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
    """

    def __init__(self, device: Device, output: Side) -> None:
        source = device.input
        self.dropouts = self.missing = 0
        self._channels, self._rate = source.channels, output.sample_rate
        self._ring = SampleRing(source.channels, round(RING_S * output.sample_rate))
        self._played: FloatArray = np.zeros((source.channels, output.block_size), np.float32)
        self._fade = np.linspace(0.0, 1.0, round(FADE_S * output.sample_rate), dtype=np.float32)
        self._last: FloatArray = np.zeros((source.channels, 1), np.float32)
        self._since = round(SOON_S * output.sample_rate)
        self._most_grown = round(MOST_GROWN_S * output.sample_rate)
        self._grown = self._shrunk = self._calm = self._heard_of = 0
        self._block = output.block_size
        self._dry = self._growing = self._begins = False
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
        self._waiting_s = waiting / output.sample_rate + reach_s
        self._ring.write(np.zeros((source.channels, waiting), np.float32))

    @property
    def allowance_s(self) -> float:
        """How long a sample waits here; where there are two clocks, at first."""
        return self._waiting_s + self.grown_s

    @property
    def grown_s(self) -> float:
        """By how much the delay has grown, one clock driving both sides."""
        return 0.0 if self._match is not None else (self._grown - self._shrunk) / self._rate

    def give(self, out: FloatArray) -> None:
        """Fill a block for the output [channels, n]; for the device's callback, so it only copies."""
        wanted = out.shape[1]
        if wanted > self._played.shape[1]:
            self._played = np.zeros((self._channels, wanted), np.float32)
        self._fewest = min(self._fewest, len(self._ring))
        played = self._played[:, :wanted]
        found = self._ring.read_into(played)
        if found < wanted:
            self._drop(played, found)
        else:
            self._dry = False
            self._since += wanted
        np.copyto(self._last, played[:, wanted - 1 :])
        # One channel is heard on all; several have an output of as many, or are mixed into its one.
        np.copyto(out, played if self._channels in (1, len(out)) else played.mean(axis=0, keepdims=True))

    def _drop(self, played: FloatArray, found: int) -> None:
        """Let what was heard last die away, and take in that the rest is missing."""
        last = played[:, found - 1 : found] if found else self._last
        played[:, found:] = 0.0
        dying = played[:, found : found + self._fade.size]
        dying += last * self._fade[::-1][: dying.shape[1]]
        missing = played.shape[1] - found
        if not self._dry:
            self._growing = self._since < SOON_S * self._rate
        self._dry, self._since = True, 0
        if self._growing:
            # Before they are counted as missing: the other thread would leave them out.
            self._grown = min(self._grown + missing, self._most_grown + self._shrunk)
        self.missing += missing
        self.dropouts += 1

    def push(self, enhanced: FloatArray, lost: int) -> None:
        """Append a block [channels, n] of the input's rate; ``lost`` samples of input have never come in till now."""
        if self._match is not None:
            self._steer(self._match, enhanced.shape[1])
            enhanced = self._match.process(enhanced)
            late = self._too_many
        else:
            self._shrink(enhanced.shape[1])
            late = self.missing - lost - self._grown + self._shrunk
        dropouts = self.dropouts
        self._begins = self._begins or dropouts != self._heard_of
        self._heard_of = dropouts
        # Where sound goes on, there must be something to fade over to.
        most = enhanced.shape[1] - (0 if self._begins else self._fade.size)
        late = max(0, min(late - self._left_out, most))
        self._left_out += late
        self._ring.write(self._faded(enhanced, late))

    def _faded(self, enhanced: FloatArray, late: int) -> FloatArray:
        """Return a block without its first samples, faded in after a dropout, and else over from what is left out."""
        kept = enhanced[:, late:]
        if not kept.shape[1] or not (late or self._begins):
            return kept
        kept = kept.copy()
        fade = self._fade[: kept.shape[1]]
        kept[:, : fade.size] *= fade
        if not self._begins:
            kept[:, : fade.size] += enhanced[:, : fade.size] * fade[::-1]
        self._begins = False
        return kept

    def _shrink(self, samples: int) -> None:
        """Take back what of the grown delay was not needed, once in a while."""
        if self.dropouts != self._heard_of:
            self._calm, self._fewest = 0, self._ring.capacity
        self._calm += samples
        if self._calm < CALM_S * self._rate:
            return
        too_many = min(self._fewest - self._block, self._grown - self._shrunk)
        self._calm, self._fewest = 0, self._ring.capacity
        self._shrunk += max(0, min(too_many, samples - self._fade.size))

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
