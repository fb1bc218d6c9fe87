"""Noise profiles and parameters that cannot be right are refused by a message that says why."""

from __future__ import annotations

import numpy as np
import pytest
from denoise_signals import make_noise

from unmuffle.denoise import SpectralProcessor, find_method
from unmuffle.denoise.a_priori import DecisionDirected
from unmuffle.denoise.noise import NoiseProfile, SppMmse
from unmuffle.denoise.suppressors import OmLsa, Oversubtraction
from unmuffle.errors import InvalidAudioError, InvalidParameterError

NOISE = make_noise("white", 16000, 1.0, 1)


def with_sample(value: float) -> np.ndarray:
    noise = NOISE.copy()
    noise[0, 777] = value
    return noise


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (NOISE[:, :511], "31.9 ms long; at least 32 ms"),
        (NOISE[:, :0], "0.0 ms long"),
        (np.zeros((1, 16000), np.float32), "digital silence"),
        (with_sample(np.nan), "NaN or infinite"),
        (with_sample(-np.inf), "NaN or infinite"),
        (np.zeros((2, 2, 2000), np.float32), "3 dimensions"),
        (NOISE.T, r"looks like \(samples, channels\)"),
        (np.zeros(16000, np.complex64), "no known full scale"),
    ],
)
def test_a_profile_that_tells_nothing(noise, message):
    with pytest.raises(InvalidAudioError, match=message):
        NoiseProfile(noise, 16000)


def test_a_profile_of_another_rate():
    with pytest.raises(InvalidAudioError, match="profile has 16000 Hz, the audio 48000 Hz"):
        SpectralProcessor(find_method("auto").make(NoiseProfile(NOISE, 16000)), 48000)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_mean_of_a_profile_of_other_channels_serves_all(channels):
    profile = NoiseProfile(np.concatenate((NOISE, 3.0 * NOISE)), 16000)
    SpectralProcessor(find_method("auto").make(profile), 16000, channels)
    alone = NoiseProfile(NOISE, 16000)
    SpectralProcessor(find_method("auto").make(alone), 16000, channels)
    np.testing.assert_allclose(profile.noise_psd, 5.0 * alone.noise_psd, rtol=1e-4)


@pytest.mark.parametrize(
    "noise",
    [NOISE, NOISE[0], NOISE[0].astype(np.float64), (NOISE[0] * 32768).astype(np.int16), NOISE[0].tolist()],
    ids=["2-D", "1-D", "float64", "int16", "list"],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_profile_of_one_channel_serves_all(noise, channels):
    if isinstance(noise, list):
        noise = np.asarray(noise, np.float32)
    profile = NoiseProfile(noise, 16000)
    SpectralProcessor(find_method("wiener").make(profile), 16000, channels)
    reference = np.mean(np.abs(np.fft.rfft(NOISE[0, :512])) ** 2)
    assert profile.noise_psd.shape == (channels, 257)
    assert 0.1 * reference < profile.noise_psd.mean() < 10 * reference


def test_the_shortest_profile_is_one_window():
    assert np.isfinite(NoiseProfile(NOISE[:, :512], 16000)._psd).all()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: DecisionDirected(weight=1.0), "weight is 1.0"),
        (lambda: DecisionDirected(weight=-0.1), "weight is -0.1"),
        (lambda: DecisionDirected(weight=float("nan")), "weight is nan"),
        (lambda: SppMmse(presence_snr_db=0.0), "must be above 0 dB"),
        (lambda: OmLsa(floor_db=1.0), "must be 0 dB or less"),
        (lambda: Oversubtraction(oversubtraction=0.5), "must be at least 1"),
        (lambda: Oversubtraction(floor=1.5), "must be from 0 to 1"),
    ],
)
def test_a_parameter_out_of_range(make, message):
    with pytest.raises(InvalidParameterError, match=message):
        make()
