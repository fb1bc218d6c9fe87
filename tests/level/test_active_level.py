"""ITU-T P.56, method B: pauses left out, gains followed, and the bounds that its definition sets."""

from __future__ import annotations

import numpy as np
import pytest

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.level import active_level_db

RATE = 16_000


def burst_in_silence(rate: int = RATE, silence_s: float = 12.0) -> np.ndarray:
    burst = 0.1 * np.random.default_rng(0).standard_normal(4 * rate)
    return np.concatenate((np.zeros(4 * rate), burst, np.zeros(round((silence_s - 4.0) * rate))))


def stepwise_active_level_db(speech: np.ndarray, rate: int) -> float:
    """P.56 as its text goes, sample by sample: counts of active samples at thresholds 0.5 dB apart."""
    keep = np.exp(-1.0 / (rate * 0.03))
    thresholds = 10.0 ** (np.arange(-90.0, 0.0, 0.5) / 20.0)
    active, idle = np.zeros(thresholds.size), np.full(thresholds.size, round(0.2 * rate))
    first = second = 0.0
    for sample in speech:
        first = keep * first + (1.0 - keep) * abs(sample)
        second = keep * second + (1.0 - keep) * first
        idle = np.where(second >= thresholds, 0, idle + 1)
        active += idle <= 0.2 * rate
    reached = active > 0
    levels = 10.0 * np.log10(np.sum(speech**2) / active[reached])
    over = levels - 20.0 * np.log10(thresholds[reached])
    at = np.flatnonzero(over <= 15.9)[0]
    # Between two thresholds the margin is met somewhere on the line.
    share = (over[at - 1] - 15.9) / (over[at - 1] - over[at])
    return levels[at - 1] + share * (levels[at] - levels[at - 1])


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_pauses_are_left_out(rate):
    # Hangover and the release of the meter's envelope count as active too: 4 s read as 4.2 to 4.5.
    assert -20.5 < active_level_db(burst_in_silence(rate), rate) < -20.2
    assert active_level_db(burst_in_silence(rate, 30.0), rate) == pytest.approx(
        active_level_db(burst_in_silence(rate), rate), abs=0.02
    )


def test_it_is_the_recommendation_counted_sample_by_sample():
    rng = np.random.default_rng(1)
    loudness = np.repeat(rng.choice([0.0, 0.003, 0.02, 0.1, 0.3], 40), 800)
    speech = loudness * rng.standard_normal(loudness.size)
    assert active_level_db(speech, 8_000) == pytest.approx(stepwise_active_level_db(speech, 8_000), abs=0.05)


def test_steady_sound_is_active_all_through():
    tone = 0.1 * np.sin(2.0 * np.pi * 440.0 * np.arange(20 * RATE) / RATE)
    assert active_level_db(tone, RATE) == pytest.approx(10.0 * np.log10(0.1**2 / 2.0), abs=0.05)


def test_it_follows_gain():
    speech = burst_in_silence()
    for gain_db in (-40.0, -6.0, 12.0):
        louder = speech * 10.0 ** (gain_db / 20.0)
        assert active_level_db(louder, RATE) - active_level_db(speech, RATE) == pytest.approx(gain_db, abs=1e-3)


def test_channels_are_one_recording():
    speech = burst_in_silence()
    mono = active_level_db(speech, RATE)
    assert active_level_db(np.stack((speech, speech)), RATE) == pytest.approx(mono, abs=1e-6)
    assert active_level_db(np.stack((speech, 0.0 * speech)), RATE) == pytest.approx(mono - 3.01, abs=0.01)


def test_a_click_among_zeros_has_a_level():
    click = np.zeros(4 * RATE)
    click[RATE] = 1.0
    assert -45.0 < active_level_db(click, RATE) < -30.0


def test_refusals():
    with pytest.raises(InvalidAudioError, match="silent all through"):
        active_level_db(np.zeros(RATE), RATE)
    with pytest.raises(InvalidAudioError, match="silent all through"):
        active_level_db(np.zeros(0), RATE)
    with pytest.raises(InvalidAudioError, match="NaN or infinite"):
        active_level_db(np.full(RATE, np.nan), RATE)
    with pytest.raises(InvalidParameterError, match="4000 Hz"):
        active_level_db(np.ones(RATE), 4_000)
