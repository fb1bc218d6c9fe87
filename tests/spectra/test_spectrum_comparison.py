"""What was done to speech, to pauses and to single bands is what the comparison says of them."""

from __future__ import annotations

import numpy as np
import pytest

from unmuffle.errors import InvalidAudioError
from unmuffle.measure import log_spectral_distance_db
from unmuffle.measure.spectra import compare_spectra

RATE = 16_000


def noise(seconds: float = 6.0, seed: int = 0) -> np.ndarray:
    return 0.1 * np.random.default_rng(seed).standard_normal(round(RATE * seconds))


def talking(samples: int) -> np.ndarray:
    """Half a second of sound, half a second of none."""
    return (np.arange(samples) // (RATE // 2)) % 2 == 1


@pytest.mark.parametrize("gain_db", [-12.0, 3.0])
def test_a_gain_is_the_difference_and_its_size_the_distance(gain_db):
    before = np.stack([noise(), noise(seed=1)])
    found = compare_spectra(before, 10.0 ** (gain_db / 20.0) * before, RATE)
    assert found.difference_db.shape == (2, found.bands.centres_hz.size)
    np.testing.assert_allclose(found.difference_db, gain_db, atol=0.01)
    np.testing.assert_allclose(found.distance_db, abs(gain_db), atol=0.01)


def test_a_change_of_some_bands_is_seen_in_these():
    before = noise()
    spectrum = np.fft.rfft(before)
    hz = np.fft.rfftfreq(before.size, 1.0 / RATE)
    edges = 10.0 ** (29.5 / 10.0), 10.0 ** (32.5 / 10.0)
    spectrum[(hz > edges[0]) & (hz < edges[1])] *= 10.0 ** (-10.0 / 20.0)
    found = compare_spectra(before, np.fft.irfft(spectrum), RATE)
    changed = np.isin(found.bands.centres_hz, (1000.0, 1250.0, 1600.0))
    # Hann frames see two bins over a border.
    np.testing.assert_allclose(found.difference_db[0, changed], -10.0, atol=1.5)
    far = (found.bands.centres_hz < 700.0) | (found.bands.centres_hz > 2_200.0)
    np.testing.assert_allclose(found.difference_db[0, far], 0.0, atol=0.05)


def test_pauses_and_speech_are_told_apart_by_the_reference():
    speech = talking(6 * RATE)
    clean = np.where(speech, noise(), 0.0)
    before = clean + 0.1 * noise(seed=1)
    after = np.where(speech, before, 0.1 * before)
    found = compare_spectra(before, after, RATE, clean)
    assert found.activity_from == "reference"
    assert found.speech_share == pytest.approx(0.5, abs=0.05)
    # Frames that reach into a pause count as speech, and so do the edges of pauses.
    np.testing.assert_allclose(found.speech_difference_db, 0.0, atol=0.2)
    np.testing.assert_allclose(found.pause_difference_db, -20.0, atol=0.6)
    assert found.before_distance_db is not None
    assert (found.after_distance_db >= 0.0).all()


@pytest.mark.parametrize("snr_db", [5.0, 15.0])
def test_pauses_are_found_in_the_noisy_audio_too(snr_db):
    speech = talking(6 * RATE)
    before = np.where(speech, noise(), 0.0) + 10.0 ** (-snr_db / 20.0) * noise(seed=1)
    after = np.where(speech, before, 0.1 * before)
    found = compare_spectra(before, after, RATE)
    assert found.activity_from == "before"
    assert found.speech_share == pytest.approx(0.5, abs=0.1)
    assert np.abs(found.speech_difference_db).max() < 1.0
    np.testing.assert_allclose(found.pause_difference_db, -20.0, atol=2.0)


def test_steady_noise_has_no_pauses():
    found = compare_spectra(noise(), 0.5 * noise(), RATE)
    assert found.speech_share == 1.0
    assert found.pause_difference_db is None
    assert found.before_distance_db is None


def test_distances_to_the_reference():
    clean = noise()
    before = clean + noise(seed=1)
    found = compare_spectra(before, clean, RATE, clean)
    np.testing.assert_allclose(found.after_distance_db, 0.0, atol=1e-9)
    np.testing.assert_allclose(found.before_distance_db, found.distance_db, atol=1e-9)


def test_distance_in_a_band_is_that_of_the_measure_of_the_whole():
    clean, before = noise(), noise() + noise(seed=1)
    found = compare_spectra(before, clean, RATE)
    for band in (8, 12, 16):
        low_hz, high_hz = found.bands.edges_hz[band : band + 2]
        whole = log_spectral_distance_db(clean, before, RATE, low_hz=low_hz, high_hz=high_hz)
        assert found.distance_db[0, band] == pytest.approx(whole, rel=0.03)


def test_delays_are_taken_out_and_told():
    before = noise()
    found = compare_spectra(before, np.roll(0.5 * before, 400), RATE, np.roll(before, -300))
    assert found.delays_s == pytest.approx({"after": 400 / RATE, "reference": -300 / RATE}, abs=1e-5)
    np.testing.assert_allclose(found.distance_db, 6.02, atol=0.1)
    assert found.before_distance_db.max() < 0.5


def test_a_reference_that_is_silent_is_refused():
    with pytest.raises(InvalidAudioError, match="reference is silent"):
        compare_spectra(noise(), noise(), RATE, np.zeros(6 * RATE))
    with pytest.raises(InvalidAudioError, match="before has 96,000 samples and reference 10"):
        compare_spectra(noise(), noise(), RATE, np.ones(10))
