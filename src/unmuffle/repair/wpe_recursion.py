"""Weighted recursive least squares, for many frequencies at once.

T. Yoshioka and T. Nakatani, "Generalization of multi-channel linear prediction methods for blind MIMO impulse response
shortening", IEEE Trans. ASLP 20(10), 2012, and in its recursive form L. Drude, J. Heymann, C. Boeddeker and R.
Haeb-Umbach, "NARA-WPE: A Python package for weighted prediction error dereverberation in Numpy and Tensorflow for
online and offline processing", ITG Speech Communication 2018.

In single precision and for hours the recursion needs three things that the papers leave out. The inverse covariance is
kept Hermitian. What it grows to while nothing comes in is bounded by its first value, by scaling its rows and columns,
which leaves it positive definite: without, it grows without end by the forgetting, and the filter with it when sound
comes back. And its diagonal is raised a little in every step, by more than what rounding may take away.
"""

from __future__ import annotations

import numpy as np

from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray

QUIETEST_POWER = 1e-20
"""Below this power of an STFT bin there is nothing to learn from: nothing is, and nothing forgotten."""

DIAGONAL_GAIN = np.float32(1.0 + 2e-6)
STEPS_BETWEEN_MIRRORINGS = 16


class RecursiveFilter:
    """Predicts frames from earlier ones by a filter that is brought up to date with every frame.

    Parameters
    ----------
    order : int
        Numbers that a prediction is made from.
    outputs : int
        Numbers that are predicted.
    lanes : int
        Filters side by side: frequencies, or frequencies of several channels.
    forgetting : float
        Weight of a frame against that of the next, above 0, at most 1.
    prior : float
        What the inverse covariance begins with and stays below: the smaller, the more it takes for the filter to grow.
    """

    def __init__(self, order: int, outputs: int, lanes: int, forgetting: float, prior: float) -> None:
        self._forgetting = np.float32(forgetting)
        self._prior = np.float32(prior)
        self.inverse: ComplexArray = np.zeros((order, order, lanes), np.complex64)
        self.filter: ComplexArray = np.zeros((order, outputs, lanes), np.complex64)
        self._diagonal = np.arange(order)
        self._work = np.empty_like(self.inverse)
        self._steps = 0
        self.reset(np.ones(lanes, np.bool_))

    def predict(self, past: ComplexArray) -> ComplexArray:
        """Return what the frame should be [outputs, lanes] after the past [order, lanes]."""
        return (self.filter.conj() * past[:, None]).sum(axis=0)

    def learn(self, past: ComplexArray, error: ComplexArray, power: FloatArray) -> None:
        """Bring the filter up to date.

        Parameters
        ----------
        past : complex64 [order, lanes]
            What the prediction was made from.
        error : complex64 [outputs, lanes]
            By how much the frame was not as predicted.
        power : float32 [lanes]
            Expected power of the part of the frame that cannot be predicted.
        """
        heard = power > QUIETEST_POWER
        forgetting = np.where(heard, self._forgetting, np.float32(1.0))
        np.multiply(self.inverse, past, out=self._work)
        direction = self._work.sum(axis=1)
        norm = forgetting * np.maximum(power, np.float32(QUIETEST_POWER))
        norm += (past.real * direction.real + past.imag * direction.imag).sum(axis=0)
        direction *= heard / np.sqrt(norm)
        back = direction.conj()
        self.filter += direction[:, None] * (error.conj() / np.sqrt(norm))
        np.multiply(direction[:, None], back, out=self._work)
        self.inverse -= self._work
        self.inverse *= 1.0 / forgetting
        self._keep_sound()

    def reset(self, lanes: BoolArray) -> None:
        """Forget all that the lanes in the mask have learnt."""
        self.filter[..., lanes] = 0.0
        self.inverse[..., lanes] = 0.0
        self.inverse[self._diagonal[:, None], self._diagonal[:, None], np.flatnonzero(lanes)] = self._prior
        if lanes.all():
            self._steps = 0

    def _keep_sound(self) -> None:
        """Keep the inverse covariance Hermitian, positive definite and bounded."""
        self._steps += 1
        if self._steps % STEPS_BETWEEN_MIRRORINGS == 0:
            np.conjugate(self.inverse.swapaxes(0, 1), out=self._work)
            self.inverse += self._work
            self.inverse *= np.float32(0.5)
        diagonal = self.inverse[self._diagonal, self._diagonal].real * DIAGONAL_GAIN
        self.inverse[self._diagonal, self._diagonal] = diagonal
        if diagonal.max() > self._prior:
            scale = np.sqrt(self._prior / np.maximum(diagonal, self._prior))
            self.inverse *= scale[:, None] * scale
