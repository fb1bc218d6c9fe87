"""The filters of weighted prediction error are those of nara_wpe, by the authors of the recursive form."""

from __future__ import annotations

import numpy as np
import pytest
from nara_wpe.wpe import online_wpe_step, wpe_v6

from unmuffle.repair.wpe_block import predict_block
from unmuffle.repair.wpe_recursion import RecursiveFilter

LANES = 5


def reverberant_frames(frames: int, inputs: int, seed: int = 0) -> np.ndarray:
    """Bursts of noise that every lane repeats 3 and 5 frames later, complex128 [frames, inputs, lanes]."""
    random = np.random.default_rng(seed)
    spectra = random.standard_normal((2, frames, inputs, LANES))
    spectra = (spectra[0] + 1j * spectra[1]) * np.exp(random.standard_normal((frames, 1, LANES)))
    mixing = np.eye(inputs) + 0.3 * random.standard_normal((inputs, inputs))
    for frame in range(5, frames):
        spectra[frame] += 0.4 * mixing @ spectra[frame - 3] - 0.3j * spectra[frame - 5]
    return spectra


@pytest.mark.parametrize(("inputs", "taps", "delay"), [(1, 8, 3), (3, 4, 2)])
def test_the_recursion_is_that_of_nara_wpe(inputs, taps, delay):
    spectra = reverberant_frames(300, inputs)
    forgetting, order = 0.995, taps * inputs
    # Begun like theirs, but free to grow as theirs is.
    ours = RecursiveFilter(order, inputs, LANES, forgetting, prior=100.0)
    ours.inverse *= 0.01
    inverse = np.stack([np.eye(order, dtype=np.complex128)] * LANES)
    filters = np.zeros((LANES, order, inputs), np.complex128)
    # Its delay counts from the frame before the one that is predicted.
    buffer = np.zeros((taps + delay, LANES, inputs), np.complex128)
    cleared, wanted = [], []
    for frame in spectra:
        buffer = np.concatenate((buffer[1:], frame.T[None]))
        power = np.square(np.abs(buffer)).mean(axis=(0, 2))
        # Order of the past there: inputs, then taps from the latest on.
        past = buffer[:-delay][::-1].transpose(0, 2, 1).reshape(order, LANES).astype(np.complex64)
        error = frame.astype(np.complex64) - ours.predict(past)
        ours.learn(past, error, power.astype(np.float32))
        cleared.append(error)
        pred, inverse, filters = online_wpe_step(buffer, power, inverse, filters, forgetting, taps, delay - 1)
        wanted.append(pred.T)
    scale = np.abs(spectra).max()
    np.testing.assert_allclose(np.array(cleared), np.array(wanted), rtol=0, atol=1e-4 * scale)
    # And it does something.
    assert np.square(np.abs(wanted[100:])).sum() < 0.8 * np.square(np.abs(spectra[100:])).sum()


@pytest.mark.parametrize(("inputs", "taps", "delay", "iterations"), [(1, 10, 3, 1), (1, 10, 3, 3), (3, 4, 2, 3)])
def test_the_block_filters_are_those_of_nara_wpe(inputs, taps, delay, iterations):
    spectra = reverberant_frames(400, inputs, seed=1)
    wanted = wpe_v6(spectra.transpose(2, 1, 0), taps=taps, delay=delay, iterations=iterations).transpose(2, 1, 0)
    padded = np.concatenate((np.zeros((taps + delay - 1, inputs, LANES)), spectra)).astype(np.complex64)
    cleared = spectra
    for _ in range(iterations):
        power = np.square(np.abs(cleared)).mean(axis=1)
        predicted, share = predict_block(padded, power.astype(np.float32), taps, delay, ridge=0.0)
        assert share.tolist() == [1.0] * LANES
        cleared = spectra - predicted
    np.testing.assert_allclose(cleared, wanted, rtol=0, atol=1e-4 * np.abs(spectra).max())
