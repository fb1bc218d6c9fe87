"""The minimum of a spectrum over a sliding span of time.

R. Martin, "Noise power spectral density estimation based on optimal smoothing and minimum statistics", IEEE Trans.
Speech Audio Process. 9(5), 2001, section VI: the span is cut into U sub-windows of V frames, so that only U minima
are kept instead of U * V frames.
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import AnyArray, BoolArray, FloatArray

NOTHING_YET = np.float32(3e38)


class SlidingMinimum:
    """Minimum over the last whole sub-windows and the one under way; each channel has its own clock.

    Parameters
    ----------
    channels, bins : int
        Shape of a frame.
    subwindows, frames_per_subwindow : int
        Their product is the span in frames.

    Attributes
    ----------
    current, minimum : float32 [channels, bins]
        Minimum of the sub-window under way, and of the whole span.
    """

    def __init__(self, channels: int, bins: int, subwindows: int, frames_per_subwindow: int) -> None:
        self.frames_per_subwindow = frames_per_subwindow
        self._stored: FloatArray = np.full((subwindows, channels, bins), NOTHING_YET, np.float32)
        self.current: FloatArray = self._stored[0].copy()
        self.minimum: FloatArray = self._stored[0].copy()
        self._frame = np.zeros(channels, np.intp)

    def update(self, frame: FloatArray) -> None:
        """Take the next frame [channels, bins] into both minima."""
        np.minimum(self.current, frame, out=self.current)
        np.minimum(self.minimum, frame, out=self.minimum)

    def tick(self) -> BoolArray:
        """Count a frame and return the channels [channels] whose sub-window it ends."""
        self._frame += 1
        return self._frame >= self.frames_per_subwindow

    @property
    def starting(self) -> BoolArray:
        """The channels [channels] that are in the first frame of a sub-window."""
        return self._frame == 1

    def roll(self, channels: BoolArray) -> None:
        """Store the sub-window of the channels, drop their oldest, and begin the next."""
        self._stored[:-1, channels] = self._stored[1:, channels]
        self._stored[-1, channels] = self.current[channels]
        self.minimum[channels] = self._stored[:, channels].min(axis=0)
        self.current[channels] = NOTHING_YET
        self._frame[channels] = 0

    def lift(self, where: BoolArray, level: FloatArray) -> None:
        """Where told [channels, bins], raise all that is stored to a level: a rise of the noise accepted early."""
        np.copyto(self._stored, level, where=where)
        np.copyto(self.minimum, level, where=where)

    @property
    def state(self) -> tuple[AnyArray, ...]:
        """All that is kept from frame to frame, as views with the channels first."""
        return self.current, self.minimum, self._stored.swapaxes(0, 1), self._frame

    def reset(self, channels: BoolArray) -> None:
        """Forget the past of the channels in the mask."""
        self._stored[:, channels] = NOTHING_YET
        self.current[channels] = self.minimum[channels] = NOTHING_YET
        self._frame[channels] = 0
