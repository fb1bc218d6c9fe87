"""The log kurtosis ratio against closed forms, and after musical noise of known strength."""

from __future__ import annotations

from math import factorial

import numpy as np
import pytest
from damage_signals import attenuated, scene, subtracted, with_musical_noise
from scipy.signal import lfilter
from scipy.special import gammainc

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.musical_noise import _block_ratios, musical_noise

STRENGTHS = (0.0, 0.5, 1.0, 2.0, 3.0)


def subtraction_log_ratio(beta: float, floor: float) -> float:
    """Uemura et al.: ln kurtosis ratio after power subtraction from exponential power, ``floor`` of the magnitude left.

    In parts of the mean, the moments about zero are m! exp(-beta) above the threshold, and those of the floor below.
    """
    second, fourth = (
        factorial(order) * (np.exp(-beta) + floor ** (2 * order) * gammainc(order + 1, beta)) for order in (2, 4)
    )
    return float(np.log(fourth / second**2 / 6.0))


@pytest.mark.parametrize("floor", [0.0, 0.3])
@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_moments_of_subtracted_power_give_the_closed_form(beta, floor):
    power = np.random.default_rng(0).exponential(size=(4000, 500))
    left = np.where(power > beta, power - beta, floor**2 * power)
    [ratio] = _block_ratios(power, left, np.array([0]))
    assert ratio == pytest.approx(subtraction_log_ratio(beta, floor), abs=0.03)


def test_without_floor_the_closed_form_is_the_oversubtraction():
    assert subtraction_log_ratio(1.7, 0.0) == pytest.approx(1.7)


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_subtraction_from_white_noise_gives_the_closed_form(beta):
    # Overlapping frames smear what was subtracted from each a little.
    hiss = 0.1 * np.random.default_rng(1).standard_normal(16_000 * 20)
    assert musical_noise(hiss, subtracted(hiss, beta), 16_000) == pytest.approx(beta, rel=0.12)


def test_a_floor_of_noise_makes_it_less_musical():
    hiss = 0.1 * np.random.default_rng(1).standard_normal(16_000 * 20)
    found = [musical_noise(hiss, subtracted(hiss, 2.0, floor), 16_000) for floor in (0.0, 0.2, 0.4, 0.7, 1.0)]
    assert np.all(np.diff(found) < -0.1)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
@pytest.mark.parametrize("known", [True, False])
def test_it_follows_the_subtraction_between_words(rate, known):
    here = scene(rate)
    reference = here.speech if known else None
    found = [musical_noise(here.mix, with_musical_noise(here, beta), rate, reference=reference) for beta in STRENGTHS]
    assert np.all(np.diff(found) > 0.25)
    assert found[0] == pytest.approx(0.0, abs=0.01)
    assert found[-2:] == pytest.approx(STRENGTHS[-2:], rel=0.25)


@pytest.mark.parametrize("level_db", [0.0, 20.0, 60.0])
def test_level_does_not_count(level_db):
    here = scene()
    assert musical_noise(here.mix, attenuated(here, level_db), 16_000) == pytest.approx(0.0, abs=1e-3)
    quiet = 10.0 ** (-level_db / 20.0)
    treated = with_musical_noise(here, 1.0)
    assert musical_noise(quiet * here.mix, quiet * treated, 16_000) == pytest.approx(
        musical_noise(here.mix, treated, 16_000), abs=1e-3
    )


def test_the_colour_of_the_noise_does_not_count():
    hiss = np.random.default_rng(2).standard_normal(16_000 * 10)
    brown = lfilter([1.0], [1.0, -0.95], hiss)
    assert musical_noise(hiss, brown, 16_000) == pytest.approx(0.0, abs=0.15)


def test_noise_removed_altogether_is_not_musical():
    here = scene()
    assert musical_noise(here.mix, here.speech, 16_000, reference=here.speech) == 0.0


def test_speech_all_through_has_no_stretch_of_noise():
    rng = np.random.default_rng(3)
    voice = np.sin(2.0 * np.pi * 500.0 * np.arange(16_000) / 16_000) + 0.01 * rng.standard_normal(16_000)
    with pytest.raises(InvalidAudioError, match="where nobody speaks"):
        musical_noise(voice, voice, 16_000, reference=voice)
