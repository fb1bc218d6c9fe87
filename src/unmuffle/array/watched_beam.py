"""A beam of a live stream that leaves microphones out while they are faulty.

It changes from one frame to the next. Frames overlap with windows whose squares add up to 1, so that what is heard is a
fade of 16 ms from one beam to the other, without a click.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from unmuffle.array.beamformer import Beamformer
from unmuffle.array.mask_beamformer import MaskBeamformer
from unmuffle.array.microphone_watch import MicrophoneWatch
from unmuffle.signal.arrays import BoolArray, ComplexArray


class Beams(Protocol):
    """A beam of any of the microphones of an array."""

    def combine(self, spectra: ComplexArray, used: BoolArray) -> ComplexArray:
        """Return the output [frames, bins] of frames [frames, microphones, bins], by some of the microphones."""

    def start_over(self) -> None:
        """Forget the past."""


class MaskBeams:
    """A beam by a mask: what it knows of the other microphones stays, whichever are left out.

    Parameters
    ----------
    beam : MaskBeamformer
    """

    def __init__(self, beam: MaskBeamformer) -> None:
        self._beam = beam

    def combine(self, spectra: ComplexArray, used: BoolArray) -> ComplexArray:
        """Return the output; see ``Beams``."""
        self._beam.use(used)
        return self._beam.combine(spectra)

    def start_over(self) -> None:
        """Forget the past."""
        self._beam.start_over()


class WatchedBeam(Beamformer):
    """A beam of those microphones that a watch says are to be used.

    Parameters
    ----------
    watch : MicrophoneWatch
        Sees all input before this does.
    beams : Beams
    """

    def __init__(self, watch: MicrophoneWatch, beams: Beams) -> None:
        super().__init__(watch.sample_rate, watch.channels, nonfinite=watch.nonfinite)
        self._watch, self._beams = watch, beams
        self._begin()

    def _begin(self) -> None:
        self._frames = 0
        self._used: BoolArray = np.ones(self.channels, np.bool_)

    def _combine(self, spectra: ComplexArray) -> ComplexArray:
        pieces, done = [], 0
        changes = self._watch.changes
        while changes and changes[0][0] < self._frames + len(spectra):
            frame, used = changes.popleft()
            stop = max(frame - self._frames, done)
            if stop > done:
                pieces.append(self._beams.combine(spectra[done:stop], self._used))
            self._used, done = used, stop
        pieces.append(self._beams.combine(spectra[done:], self._used))
        self._frames += len(spectra)
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _start_over(self) -> None:
        self._watch.changes.clear()
        self._beams.start_over()
        self._begin()
