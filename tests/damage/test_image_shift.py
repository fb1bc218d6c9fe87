"""The stereo image under gains and delays of one channel."""

from __future__ import annotations

import numpy as np
import pytest
from damage_signals import gain, scene

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.image_shift import image_shift, image_shift_db


def stereo(rate: int = 16_000) -> tuple[np.ndarray, np.ndarray]:
    """Speech from one side, in noise that differs from channel to channel; and the speech alone."""
    here = scene(rate, seconds=6.0)
    speech = np.stack([here.speech, 0.6 * here.speech])
    noise = 0.005 * np.random.default_rng(1).standard_normal(speech.shape)
    return speech + noise, speech


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("known", [True, False])
def test_it_is_the_gain_between_the_channels(rate, known):
    mix, speech = stereo(rate)
    for db in (0.0, 1.0, 3.0, 6.0, 12.0):
        treated = mix * np.array([[1.0], [gain(-db)]])
        found = image_shift(mix, treated, rate, reference=speech if known else None)
        assert found.level_db == pytest.approx(db, abs=1e-3)
        assert found.time_us == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("samples", [-3, -1, 0, 1, 2, 5])
def test_a_delay_of_one_channel_is_told_in_microseconds(samples):
    mix, _ = stereo()
    treated = np.stack([mix[0], np.roll(mix[1], samples)])
    assert image_shift(mix, treated, 16_000).time_us == pytest.approx(1e6 * samples / 16_000, rel=0.05, abs=0.1)


def test_what_is_done_to_all_channels_moves_nothing():
    mix, _ = stereo()
    assert image_shift_db(mix, 0.1 * mix, 16_000) == pytest.approx(0.0, abs=1e-3)


def test_the_image_of_three_channels_is_the_mean_over_neighbours():
    mix, _ = stereo()
    three = np.concatenate([mix, mix[:1]])
    assert image_shift_db(three, three * np.array([[1.0], [0.5], [0.5]]), 16_000) == pytest.approx(3.01, abs=0.01)


def test_one_channel_has_no_image():
    here = scene()
    with pytest.raises(InvalidAudioError, match="at least two channels"):
        image_shift(here.mix, here.mix, 16_000)
