"""An enhanced clip brought in step with what it was made of: of nearly the same length, and maybe late."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.reference.alignment import align
from unmuffle.signal.arrays import FloatArray, as_channels, check_finite

LARGEST_DIFFERENCE_S = 1.0
"""By how much the length of enhanced audio may differ."""


@dataclass(frozen=True)
class InStep:
    """What two recordings have in common.

    Attributes
    ----------
    given, other : float32 [channels, samples]
        The stretch in both.
    start : int
        Where it starts in what was given.
    length : int
        Of what was given, in samples.
    delay_ms : float or None
        By how much the other was late, where that was compensated: more than 1 ms.
    """

    given: FloatArray
    other: FloatArray
    start: int
    length: int
    delay_ms: float | None

    def cut(self, audio: FloatArray) -> FloatArray:
        """Return the stretch of a third that is as long as what was given."""
        return audio[:, self.start : self.start + self.given.shape[1]]

    @property
    def padded(self) -> FloatArray:
        """The other in step with what was given and as long."""
        after = self.length - self.start - self.other.shape[1]
        return np.pad(self.other, ((0, 0), (self.start, after)))


def bring_in_step(given: FloatArray, enhanced: npt.ArrayLike, sample_rate: int) -> InStep:
    """Return what an enhancer was given and what it made of it, in step.

    Raises
    ------
    InvalidAudioError
        If it has other channels, another length by more than 1 s, or samples that are NaN or infinite.
    """
    made = as_channels(enhanced)
    if len(made) != len(given):
        raise InvalidAudioError(f"the enhancer returned {len(made)} channel(s), and {len(given)} were given")
    lengths = made.shape[1] / sample_rate, given.shape[1] / sample_rate
    if made.shape[1] == 0 or abs(lengths[0] - lengths[1]) > LARGEST_DIFFERENCE_S:
        raise InvalidAudioError(f"the enhancer returned {lengths[0]:.2f} s, and {lengths[1]:.2f} s were given")
    check_finite("what the enhancer returned", made)
    return in_step_pair(given, made, sample_rate)


def in_step_pair(given: FloatArray, other: FloatArray, sample_rate: int) -> InStep:
    """Return two recordings of as many channels in step, as they came where no delay can be told."""
    common = min(given.shape[1], other.shape[1])
    one, two = given[:, :common], other[:, :common]
    try:
        found = align(one, two, sample_rate)
    except InvalidAudioError:
        # Silence has no delay; what can be measured of it, measures tell.
        return InStep(one, two, 0, given.shape[1], None)
    if not found.compensated:
        return InStep(one, two, 0, given.shape[1], None)
    start = max(-round(found.delay.samples), 0)
    return InStep(found.reference, found.estimate, start, given.shape[1], 1000.0 * found.delay.seconds)
