"""What digital silence, the level and the other channels do to a noise estimate: nothing they should not."""

from __future__ import annotations

import numpy as np
import pytest
from denoise_signals import make_noise, noise_tracking

from unmuffle.denoise.noise import Imcra, MinimumStatistics, NoiseProfile, SppMmse
from unmuffle.signal.grid import grid_for

RATE = 16000
HOP = grid_for(RATE).hop
TRACKERS = {
    "SppMmse": SppMmse,
    "SppMmse raised": lambda: SppMmse(overestimation_db=1.0),
    "Imcra": Imcra,
    "MinimumStatistics": MinimumStatistics,
    "NoiseProfile": lambda: NoiseProfile(make_noise("white", RATE, 1.0, 8), RATE),
}
track = noise_tracking.track


@pytest.fixture(params=TRACKERS)
def make(request):
    return TRACKERS[request.param]


@pytest.mark.parametrize("silent_frames", [1, 50, 1000])
def test_silence_in_the_middle_leaves_the_estimate_where_it_was(make, silent_frames):
    """And all else that the tracker knows: it goes on as if the silence had been cut out."""
    power = np.random.default_rng(1).exponential(1.0, (400, 1, HOP + 1)).astype(np.float32)
    gap = np.zeros((silent_frames, 1, HOP + 1), np.float32)
    whole, cut = make(), make()
    whole.start(grid_for(RATE), 1)
    cut.start(grid_for(RATE), 1)
    before = np.array([whole.update(frame).copy() for frame in power[:200]])
    during = np.array([whole.update(frame).copy() for frame in gap])
    after = np.array([whole.update(frame).copy() for frame in power[200:]])
    np.testing.assert_array_equal(during, np.broadcast_to(before[-1], during.shape))
    np.testing.assert_array_equal(
        np.concatenate((before, after)), np.array([cut.update(frame).copy() for frame in power])
    )


def test_silence_in_audio_costs_the_two_frames_it_cuts(make):
    """Those hold part of the noise only, and pull the estimate down a little."""
    noise = make_noise("white", RATE, 9.0, 1)
    noise[:, 3 * RATE : 7 * RATE] = 0.0
    found_db = 10 * np.log10(track(make(), noise, RATE)).mean(axis=(1, 2))
    start, end = grid_for(RATE).frames(3.0), grid_for(RATE).frames(7.0)
    assert np.abs(found_db[start : end + 3] - found_db[start - 2]).max() < 3.0
    assert found_db[end + 20 :].mean() == pytest.approx(found_db[start - 60 : start].mean(), abs=0.5)


def test_a_stream_begins_with_its_first_sound(make):
    noise = make_noise("white", RATE, 2.0, 2)
    late = np.concatenate((np.zeros((1, 70 * HOP), np.float32), noise), axis=1)
    np.testing.assert_array_equal(track(make(), late, RATE)[70:], track(make(), noise, RATE))


def test_silence_of_one_channel_is_not_heard_in_another(make):
    both = np.concatenate([make_noise("white", RATE, 3.0, seed) for seed in (3, 4)])
    both[0, : 20 * HOP] = 0.0
    both[0, 60 * HOP : 100 * HOP] = 0.0
    both[1, 80 * HOP : 130 * HOP] = 0.0
    together = track(make(), both, RATE)
    for channel in range(2):
        np.testing.assert_array_equal(together[:, channel], track(make(), both[[channel]], RATE)[:, 0])


def test_silence_alone_gives_an_estimate_next_to_nothing(make):
    found = track(make(), np.zeros((2, RATE), np.float32), RATE)
    assert np.isfinite(found).all()
    assert (found > 0.0).all()


@pytest.mark.parametrize("scale", [1e-4, 30.0])
@pytest.mark.parametrize("make", [SppMmse, Imcra, MinimumStatistics])
def test_level_equivariance(make, scale):
    noise = make_noise("pink", RATE, 4.0, 5)
    plain, scaled = (track(make(), audio, RATE) for audio in (noise, np.float32(scale) * noise))
    off = np.abs(scaled / (plain * scale**2) - 1.0)
    # A decision on a threshold may turn with the last bit of a sum, here and there.
    assert np.quantile(off, 0.999) < 1e-3
    assert off.max() < 0.5


@pytest.mark.parametrize("make", [SppMmse, Imcra, MinimumStatistics])
def test_bins_that_were_empty_at_first_are_found(make):
    power = np.random.default_rng(6).exponential(1.0, (300, 1, HOP + 1)).astype(np.float32)
    power[0, :, 30:40] = 1e-6
    estimator = make()
    estimator.start(grid_for(RATE), 1)
    found = np.array([estimator.update(frame)[0].copy() for frame in power])
    assert np.abs(10 * np.log10(found[200:, 30:40].mean(axis=0))).max() < 4.0


def test_reset_of_a_channel_is_birth_to_it_and_nothing_to_the_others(make):
    power = np.random.default_rng(7).exponential(1.0, (300, 2, HOP + 1)).astype(np.float32)
    one, whole, fresh = make(), make(), make()
    for estimator, channels in ((one, 2), (whole, 2), (fresh, 1)):
        estimator.start(grid_for(RATE), channels)
    for frame, spectrum in enumerate(power):
        if frame == 130:
            one.reset(np.array([True, False]))
        found, undisturbed = one.update(spectrum), whole.update(spectrum)
        np.testing.assert_array_equal(found[1], undisturbed[1])
        if frame >= 130:
            np.testing.assert_array_equal(found[0], fresh.update(spectrum[:1])[0])
