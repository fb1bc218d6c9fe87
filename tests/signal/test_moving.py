"""Moving maxima and minima are those of scipy, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import maximum_filter1d, minimum_filter1d

from unmuffle.signal.fft import irfft_of_frames, rfft_of_frames
from unmuffle.signal.moving import moving_maximum, moving_minimum


@pytest.mark.parametrize("width", [1, 2, 3, 7, 8, 9, 64, 101, 500])
@pytest.mark.parametrize("axis", [0, -1])
def test_it_is_the_extreme_of_the_window_at_every_place(width, axis):
    values = np.random.default_rng(width).standard_normal((97, 130)).astype(np.float32)
    highest = maximum_filter1d(values, width, axis=axis, mode="constant", cval=-np.inf)
    lowest = minimum_filter1d(values, width, axis=axis, mode="constant", cval=np.inf)
    np.testing.assert_array_equal(moving_maximum(values, width, axis), highest)
    np.testing.assert_array_equal(moving_minimum(values, width, axis), lowest)
    assert moving_maximum(values, width, axis).dtype == np.float32


@pytest.mark.parametrize("size", [None, 512, 256])
def test_spectra_of_frames_are_numpys_in_single_precision(size):
    frames = np.random.default_rng(0).standard_normal((2, 11, 320)).astype(np.float32)
    found = rfft_of_frames(frames, size)
    assert found.dtype == np.complex64
    np.testing.assert_allclose(found, np.fft.rfft(frames.astype(np.float64), size), atol=1e-4)
    back = irfft_of_frames(found)[..., : min(320, size or 320)]
    np.testing.assert_allclose(back, frames[..., : back.shape[-1]], atol=1e-5)
