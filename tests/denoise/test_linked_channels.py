"""Linked channels keep the place of a voice between the loudspeakers."""

from __future__ import annotations

import numpy as np
import pytest
from denoise_signals import denoised, make_noise, noisy_voice, rms

from unmuffle.denoise import METHODS, SpectralProcessor, find_method
from unmuffle.errors import InvalidParameterError

RATE = 16000
each_method = pytest.mark.parametrize("method", METHODS)


def panned(balance_db: float, delay: int, snr_db: float) -> tuple[np.ndarray, np.ndarray]:
    """A voice on two channels, the right one weaker and later, in noises of their own; and the voice alone."""
    _, voice = noisy_voice("white", RATE, 5.0, snr_db=0.0)
    right = np.roll(voice, delay, axis=1) * np.float32(10 ** (-balance_db / 20))
    voices = np.concatenate((voice, right))
    level = rms(voice) * 10 ** (-snr_db / 20)
    noises = np.concatenate([make_noise("white", RATE, 5.0, seed, level) for seed in (1, 2)])
    return voices + noises, voices


def cross_spectrum(channels: np.ndarray, voices: np.ndarray) -> np.ndarray:
    """Left times the conjugate of right, over the bins and frames where the voice is strong."""
    frames = [np.fft.rfft(np.lib.stride_tricks.sliding_window_view(c, 512)[::256] * np.hanning(512)) for c in channels]
    strength = np.abs(np.fft.rfft(np.lib.stride_tricks.sliding_window_view(voices[0], 512)[::256] * np.hanning(512)))
    return (frames[0] * frames[1].conj())[strength > 0.3 * strength.max()]


def balance_of(channels: np.ndarray, voices: np.ndarray) -> float:
    """Level difference in dB of the voice, found by projecting each channel on its own clean voice."""
    gains = [float(c @ v) / float(v @ v) for c, v in zip(channels.astype(float), voices.astype(float), strict=True)]
    levels = [abs(g) * rms(v) for g, v in zip(gains, voices, strict=True)]
    return 20 * np.log10(levels[0] / levels[1])


@each_method
def test_level_difference_is_kept(method):
    mixture, voices = panned(balance_db=6.0, delay=0, snr_db=20.0)
    found = denoised(method, mixture, RATE, link_channels=True)
    assert balance_of(found[:, RATE:], voices[:, RATE:]) == pytest.approx(6.0, abs=0.1)


@each_method
def test_phase_difference_is_kept(method):
    mixture, voices = panned(balance_db=3.0, delay=4, snr_db=20.0)
    found = denoised(method, mixture, RATE, link_channels=True)
    turned = cross_spectrum(found, voices) * cross_spectrum(mixture, voices).conj()
    assert abs(np.angle(turned.sum())) < 0.01
    assert np.median(np.abs(np.angle(turned))) < 0.05


@each_method
def test_copies_stay_copies(method):
    mixture, _ = noisy_voice("pink", RATE, 3.0, snr_db=5.0)
    found = denoised(method, np.concatenate((mixture, -0.5 * mixture)), RATE, link_channels=True)
    np.testing.assert_allclose(found[1], -0.5 * found[0], atol=1e-6 * np.abs(mixture).max())


def test_unlinked_channels_have_their_own_gains():
    """The property is the link's and not the test's."""
    mixture, voices = panned(balance_db=20.0, delay=0, snr_db=5.0)
    found = denoised("om_lsa", mixture, RATE)
    assert abs(balance_of(found[:, RATE:], voices[:, RATE:]) - 20.0) > 0.5


def test_linked_channels_are_reset_together_or_not_at_all():
    processor = SpectralProcessor(find_method("auto").make(None), RATE, 2, link_channels=True)
    with pytest.raises(InvalidParameterError, match="none can be reset alone"):
        processor.reset(np.array([True, False]))
    processor.reset()


def test_a_link_of_one_channel_is_no_link():
    mixture, _ = noisy_voice("white", RATE, 1.0, snr_db=5.0)
    linked, plain = (denoised("om_lsa", mixture, RATE, link_channels=link) for link in (True, False))
    np.testing.assert_array_equal(linked, plain)
