"""Frame-online dereverberation of a band of frequencies by weighted prediction error.

The recursion is that of ``wpe_recursion``. The power that weighs it is that of what was left of this frame and the one
before, averaged over neighbouring frequencies: much sharper in time than the mean over the whole past that Drude et al.
2018 use, as the weights are to find the moments in which there is little but reverberation. It is not let fall more
than 40 dB below the mean of the past, so that digital silence after a word has a bounded weight.

What is predicted is taken off only as far as it has proved right: errors are those of a filter that has not seen the
frame yet, so the share of the prediction that would have been best of late (a ratio of two averages over near
frequencies and 1.6 s) is about 1 in a room and well below 0.5 for dry speech, of which an untempered filter takes some
parts off that no room has brought in.
"""

from __future__ import annotations

import numpy as np

from unmuffle.repair.wpe_recursion import QUIETEST_POWER, RecursiveFilter
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray

LEAST_POWER = np.float32(1e-4)
"""Of the mean power of the past."""

NEIGHBOURS = 8
"""Bins to either side whose predictions are trusted alike."""

DOUBTED, TRUSTED = 0.5, 1.0
"""Shares of the predictions that would have been best, up to which none of them and from which on all is used."""

LEAST_CLAIM = 1e-9
"""Sum of predicted powers, in parts of what cannot be predicted, below which there is no prediction to speak of."""

MOST_POWER = 1e15
"""At which powers are clipped so that their weighted sums stay within float32."""


class WpeBand:
    """Takes the predictable part off frames; the inputs of a group are predicted from all of them.

    Parameters
    ----------
    groups, inputs, bins : int
        Shape of a frame.
    taps : int
        Frames a prediction is made from.
    delay : int
        How many frames before the predicted one the latest of them lies, at least 1.
    forgetting : float
        Weight of a frame against that of the next.
    prior : float
        See ``RecursiveFilter``.
    pole : float
        Of the averages that tell how far predictions are right.
    """

    def __init__(
        self,
        groups: int,
        inputs: int,
        bins: int,
        *,
        taps: int,
        delay: int,
        forgetting: float,
        prior: float,
        pole: float,
    ) -> None:
        self._shape = groups, inputs, bins
        lanes = groups * bins
        self._order = taps * inputs
        self._filter = RecursiveFilter(self._order, inputs, lanes, forgetting, prior)
        self._latest = delay - 1
        self._past: ComplexArray = np.zeros((delay - 1 + taps, inputs, lanes), np.complex64)
        self._left: FloatArray = np.zeros((groups, bins), np.float32)
        self._pole = np.float32(pole)
        self._right: FloatArray = np.zeros((groups, bins), np.float32)
        self._claimed: FloatArray = np.zeros((groups, bins), np.float32)

    def dereverberate(self, frame: ComplexArray) -> ComplexArray:
        """Return the next frame [groups, inputs, bins] without what is predicted of it, complex64 of the same shape."""
        groups, inputs, bins = self._shape
        now = frame.swapaxes(0, 1).reshape(inputs, groups * bins)
        past = self._past[self._latest :].reshape(self._order, -1)
        predicted = self._filter.predict(past)
        error = now - predicted
        power = self._power(now, error, past).reshape(-1)
        share = self._share(now, predicted, power)
        self._filter.learn(past, error, power)
        self._past[1:] = self._past[:-1]
        self._past[0] = now
        cleared = now - bounded(share.reshape(-1) * predicted, now, axis=0)
        return cleared.reshape(inputs, groups, bins).swapaxes(0, 1)

    def reset(self, groups: BoolArray) -> None:
        """Forget the past of the groups in the mask."""
        lanes = np.repeat(groups, self._shape[2])
        self._filter.reset(lanes)
        self._past[..., lanes] = 0.0
        for state in (self._left, self._right, self._claimed):
            state[groups] = 0.0

    def _power(self, now: ComplexArray, error: ComplexArray, past: ComplexArray) -> FloatArray:
        """Power of what cannot be predicted, float32 [groups, bins]; 0 in digital silence, which is no proof of it."""
        left = power_of(error).mean(axis=0).reshape(self._left.shape)
        np.minimum(left, np.float32(MOST_POWER), out=left)
        mean = np.float32(0.5) * (left + self._left)
        self._left = left
        least = LEAST_POWER * np.minimum(power_of(past).mean(axis=0), np.float32(MOST_POWER))
        sounding = power_of(now).mean(axis=0) > QUIETEST_POWER
        return np.maximum(smoothed(mean), least.reshape(mean.shape)) * sounding.reshape(mean.shape)

    def _share(self, now: ComplexArray, predicted: ComplexArray, power: FloatArray) -> FloatArray:
        """How much of the prediction is taken off, 0 to 1, float32 [groups, bins]."""
        weight = np.float32(1.0) / np.maximum(power, np.float32(QUIETEST_POWER))
        # Silence says nothing of the predictions before it.
        novelty = np.where(power > QUIETEST_POWER, np.float32(1.0) - self._pole, np.float32(0.0))
        right = (now.real * predicted.real + now.imag * predicted.imag).sum(axis=0) * weight
        claimed = power_of(predicted).sum(axis=0) * weight
        for state, new in ((self._right, right), (self._claimed, claimed)):
            state += (novelty * (new - state.reshape(-1))).reshape(state.shape)
        return share_to_use(self._right, self._claimed, DOUBTED, TRUSTED)


def power_of(spectra: ComplexArray) -> FloatArray:
    """Return squared magnitudes."""
    return spectra.real**2 + spectra.imag**2


def bounded(predicted: ComplexArray, now: ComplexArray, axis: int) -> ComplexArray:
    """Return predictions made no stronger than what came, so that they add no echo to a pause; inputs along an axis."""
    claimed = power_of(predicted).sum(axis=axis, keepdims=True)
    ratio = np.minimum(power_of(now).sum(axis=axis, keepdims=True), claimed)
    ratio /= np.maximum(claimed, np.float32(QUIETEST_POWER))
    return predicted * np.sqrt(ratio)


def smoothed(spectrum: FloatArray) -> FloatArray:
    """Average each bin [..., bins] with its neighbours, half of it and a quarter of each; beyond the ends lies 0."""
    mean = np.float32(0.5) * spectrum
    mean[..., 1:] += np.float32(0.25) * spectrum[..., :-1]
    mean[..., :-1] += np.float32(0.25) * spectrum[..., 1:]
    return mean


def share_to_use(right: FloatArray, claimed: FloatArray, doubted: float, trusted: float) -> FloatArray:
    """Return how much of the predictions is taken off, 0 to 1, from how they bore out.

    Parameters
    ----------
    right, claimed : float [..., bins]
        Sums of the weighted products of predictions with what came, and of predictions with themselves.
    doubted, trusted : float
        Ratios of the two at which nothing and everything is taken off.

    Returns
    -------
    float32 [..., bins]
    """
    best = _sum_of_neighbours(right) / (_sum_of_neighbours(claimed) + LEAST_CLAIM)
    return np.clip((best - doubted) / (trusted - doubted), 0.0, 1.0).astype(np.float32)


def _sum_of_neighbours(spectrum: FloatArray) -> FloatArray:
    """Sum of each bin [..., bins] and those near it, of those that there are, in float64 against cancellation."""
    bins = spectrum.shape[-1]
    sums = np.zeros((*spectrum.shape[:-1], bins + 2 * NEIGHBOURS + 1))
    inner = sums[..., NEIGHBOURS + 1 : NEIGHBOURS + 1 + bins]
    np.cumsum(spectrum, axis=-1, dtype=np.float64, out=inner)
    sums[..., NEIGHBOURS + 1 + bins :] = inner[..., -1:]
    return sums[..., 2 * NEIGHBOURS + 1 :] - sums[..., :bins]
