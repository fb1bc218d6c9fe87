"""A delay is found to a twentieth of a sample and, above 1 ms, taken out."""

from __future__ import annotations

import numpy as np
import pytest
from measure_signals import low_passed, noise, speech_like
from pair_signals import delayed

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure import align, estimate_delay, si_sdr_db
from unmuffle.measure.reference.alignment import LEAST_LIKENESS


@pytest.mark.parametrize("rate", [8000, 48000])
@pytest.mark.parametrize("late", [0.0, 0.25, 0.5, -0.5, 3.3, -37.77, 500.4])
@pytest.mark.parametrize("make", [speech_like, noise])
@pytest.mark.parametrize("disturbance", [0.0, 0.5])
def test_delay_is_found_to_a_twentieth_of_a_sample(rate, late, make, disturbance):
    sound = make(rate, 2.0)
    other = delayed(sound, late)
    other = other + disturbance * other.std() * noise(rate, 2.0, seed=9)
    found = estimate_delay(sound, other, rate)
    assert found.samples == pytest.approx(late, abs=0.05)
    assert found.seconds == pytest.approx(found.samples / rate)
    assert found.likeness > 0.5


def test_delay_of_audio_of_many_blocks():
    sound = noise(16000, 20.0)
    assert estimate_delay(sound, delayed(sound, 1234.6), 16000).samples == pytest.approx(1234.6, abs=0.01)


def test_delay_knows_no_sign_or_level():
    speech = speech_like(16000, 2.0)
    assert estimate_delay(speech, -0.01 * delayed(speech, 7.4), 16000).samples == pytest.approx(7.4, abs=0.05)


def test_channels_share_a_delay():
    speech = np.stack([speech_like(16000, 2.0, seed) for seed in range(2)])
    late = np.stack([delayed(channel, 40.3) for channel in speech])
    assert estimate_delay(speech, late, 16000).samples == pytest.approx(40.3, abs=0.05)
    found = align(speech, late, 16000)
    assert found.reference.shape == found.estimate.shape == (2, 32000 - 40)


def test_delays_beyond_the_largest_are_not_looked_for():
    sound = noise(8000, 2.0)
    assert abs(estimate_delay(sound, delayed(sound, 400.0), 8000, max_delay_s=0.01).samples) <= 81.0
    found = estimate_delay(sound, delayed(sound, 400.0), 8000, max_delay_s=0.06)
    assert found.samples == pytest.approx(400.0, abs=0.05)


@pytest.mark.parametrize("late", [48, -300])
def test_a_whole_delay_is_taken_out_without_touching_a_sample(late):
    speech = speech_like(16000, 2.0).astype(np.float32)
    padded = np.concatenate((np.zeros(400, np.float32), speech, np.zeros(400, np.float32)))
    found = align(padded, np.roll(padded, late), 16000)
    assert found.compensated
    np.testing.assert_array_equal(found.reference, found.estimate)
    assert found.reference.shape == (1, padded.size - abs(late))


@pytest.mark.parametrize("late", [20.5, -133.3, 48.02])
def test_a_fractional_delay_is_taken_out(late):
    speech = low_passed(speech_like(16000, 2.0), 16000, 7000.0)
    other = delayed(speech, late)
    found = align(speech, other, 16000)
    assert found.compensated
    assert found.delay.samples == pytest.approx(late, abs=0.05)
    assert si_sdr_db(speech, other, 16000) < 10.0
    assert si_sdr_db(found.reference, found.estimate, 16000) > 60.0


def test_a_delay_up_to_a_millisecond_stays():
    speech = speech_like(16000, 2.0).astype(np.float32)
    other = delayed(speech, 15.5).astype(np.float32)
    found = align(speech, other, 16000)
    assert not found.compensated
    assert found.delay.samples == pytest.approx(15.5, abs=0.05)
    np.testing.assert_array_equal(found.estimate[0], other)


def test_what_has_nothing_in_common_is_not_moved():
    one, two = noise(16000, 2.0, seed=1), noise(16000, 2.0, seed=2)
    found = align(one, two, 16000)
    assert found.delay.likeness < LEAST_LIKENESS
    assert not found.compensated


def test_a_silent_estimate_has_no_delay():
    with pytest.raises(InvalidAudioError, match="the estimate is silent"):
        align(noise(16000, 1.0), np.zeros(16000), 16000)


@pytest.mark.parametrize("longest", [0.0, -1.0, np.nan])
def test_the_largest_delay_is_above_zero(longest):
    with pytest.raises(InvalidParameterError, match="max_delay_s must be above 0"):
        estimate_delay(noise(16000, 1.0), noise(16000, 1.0), 16000, max_delay_s=longest)
