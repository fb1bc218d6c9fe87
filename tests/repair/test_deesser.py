"""Sharp sibilants are turned down within the bound; the rest of a voice comes back bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from band_signals import sibilant, with_events
from numpy.testing import assert_array_equal
from scipy.signal import butter, sosfilt
from voices_to_spoil import noise

from unmuffle.errors import InvalidParameterError
from unmuffle.repair import DeEsser, deess


def vowels(rate: int, seconds: float, seed: int = 0) -> np.ndarray:
    """A voice of -20 dBFS without sibilants: syllables of harmonics below 3.5 kHz."""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2.0 * np.pi * (120.0 * time + 2.0 * np.sin(2.0 * np.pi * 0.7 * time + seed))
    sound = sum(np.sin(k * phase) / k for k in range(1, 26)) * np.clip(
        np.sin(2.0 * np.pi * 3.0 * time) + 0.4, 0.0, None
    )
    return 0.1 * sound / sound.std() + 1e-4 * noise(rate, seconds, seed)


def level_db(sound: np.ndarray) -> float:
    return 10.0 * np.log10(np.square(sound, dtype=np.float64).mean())


@pytest.mark.parametrize("rate", [16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("max_reduction_db", [3.0, 6.0, 12.0])
def test_sharp_sibilants_fall_to_the_bound_and_no_further(rate, max_reduction_db):
    audio, spans = with_events(vowels(rate, 6.0), rate, sibilant, -8.0)
    output = deess(audio, rate, max_reduction_db=max_reduction_db)
    high = butter(4, 5000.0, "highpass", fs=rate, output="sos")
    for span in spans:
        # The shelf has reached more than half of its depth in dB at 5.5 kHz, and more above.
        fall = level_db(sosfilt(high, audio)[span]) - level_db(sosfilt(high, output)[span])
        assert 0.58 * max_reduction_db <= fall <= max_reduction_db


@pytest.mark.parametrize("gain", [1e-3, 0.1, 1.0])
def test_the_level_of_the_recording_does_not_matter(gain):
    audio, spans = with_events(vowels(48000, 6.0), 48000, sibilant, -8.0)
    output = deess(gain * audio, 48000) / gain
    high = butter(4, 5000.0, "highpass", fs=48000, output="sos")
    for span in spans:
        fall = level_db(sosfilt(high, audio)[span]) - level_db(sosfilt(high, output)[span])
        assert 3.9 <= fall <= 6.0


def test_soft_sibilants_and_vowels_come_back_bit_for_bit():
    audio, _spans = with_events(vowels(48000, 6.0), 48000, sibilant, -32.0)
    assert_array_equal(deess(audio.astype(np.float32), 48000), audio.astype(np.float32))


def test_only_the_sibilant_and_its_surroundings_change():
    audio, spans = with_events(vowels(48000, 6.0), 48000, sibilant, -8.0)
    changed = np.flatnonzero(deess(audio.astype(np.float32), 48000) != audio.astype(np.float32))
    reach = round(0.03 * 48000)
    assert all(any(span.start - reach <= at < span.stop + reach for span in spans) for at in changed[::50])
    assert changed.size


def test_what_lies_below_the_band_stays_in_a_sibilant():
    audio, spans = with_events(vowels(48000, 6.0), 48000, sibilant, -8.0)
    low = butter(6, 1000.0, fs=48000, output="sos")
    difference = sosfilt(low, deess(audio, 48000) - audio)
    for span in spans:
        assert level_db(difference[span]) < level_db(sosfilt(low, audio)[span]) - 20.0


@pytest.mark.parametrize("rate", [8000, 11025, 12000])
def test_rates_without_the_band_are_passed_on(rate):
    hiss = (0.3 * noise(rate, 1.0)).astype(np.float32)
    assert DeEsser(rate).latency == 0
    assert_array_equal(deess(hiss, rate), hiss)


def test_steady_hiss_is_no_sibilant():
    hiss = (0.1 * noise(48000, 3.0)).astype(np.float32)
    assert_array_equal(deess(hiss, 48000)[24000:], hiss[24000:])


def test_linked_channels_keep_their_ratio():
    left, _ = with_events(vowels(48000, 6.0), 48000, sibilant, -8.0)
    output = deess(np.stack([left, 0.25 * left]), 48000, link_channels=True)
    assert not np.array_equal(output[0], left)
    assert np.abs(output[1] - 0.25 * output[0]).max() < 1e-7


@pytest.mark.parametrize("options", [{"max_reduction_db": -1.0}, {"max_reduction_db": 30.0}, {"threshold_db": np.nan}])
def test_what_cannot_be_is_refused(options):
    with pytest.raises(InvalidParameterError, match="must be from"):
        DeEsser(16000, **options)
