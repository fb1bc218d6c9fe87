"""Damage to the speech itself: spectral distortion, onsets, the high band and the level."""

from __future__ import annotations

import numpy as np
import pytest
from damage_signals import (
    attenuated,
    scene,
    subtracted,
    with_cut_onsets,
    with_ripple,
    with_soft_speech,
    without_highs,
)

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.high_band_loss import high_band_loss, high_band_loss_db
from unmuffle.measure.damage.onset_loss import onset_loss_db
from unmuffle.measure.damage.spectral_distortion import spectral_distortion_db
from unmuffle.measure.damage.speech_level import speech_level_change_db

RATES = (8_000, 16_000, 48_000)
BLIND_OR_NOT = pytest.mark.parametrize("known", [True, False])


def reference_of(here, known):
    return here.speech if known else None


@BLIND_OR_NOT
@pytest.mark.parametrize("rate", RATES)
def test_spectral_distortion_is_the_rms_of_a_ripple(rate, known):
    here = scene(rate)
    swings = (0.0, 1.0, 3.0, 6.0, 10.0)
    found = [
        spectral_distortion_db(here.mix, with_ripple(here, db), rate, reference=reference_of(here, known))
        for db in swings
    ]
    assert found == pytest.approx(np.array(swings) / np.sqrt(2.0), rel=0.03, abs=0.02)


@BLIND_OR_NOT
@pytest.mark.parametrize("db", [-12.0, 0.0, 12.0])
def test_a_gain_is_no_spectral_distortion(db, known):
    here = scene()
    found = spectral_distortion_db(here.mix, attenuated(here, db), 16_000, reference=reference_of(here, known))
    assert found == pytest.approx(0.0, abs=0.02)


def test_taking_the_noise_away_is_hardly_a_spectral_distortion():
    here = scene(snr_db=15.0)
    assert spectral_distortion_db(here.mix, here.speech, 16_000, reference=here.speech) < 1.5
    assert spectral_distortion_db(here.mix, here.speech + subtracted(here.noise, 2.0), 16_000) < 1.5


@BLIND_OR_NOT
@pytest.mark.parametrize("rate", RATES)
def test_onset_loss_follows_what_the_first_50_ms_lose(rate, known):
    here = scene(rate, snr_db=30.0)
    cuts = (0.0, 3.0, 6.0, 12.0, 20.0)
    found = [
        onset_loss_db(here.mix, with_cut_onsets(here, db), rate, reference=reference_of(here, known)) for db in cuts
    ]
    assert found[0] == pytest.approx(0.0, abs=1e-6)
    assert found[1:] == pytest.approx(cuts[1:], rel=0.25)
    assert np.all(np.diff(found) > 1.5)


def test_a_longer_cut_of_half_of_the_words_counts_half():
    here = scene(snr_db=30.0)
    cut = with_cut_onsets(here, 10.0)
    halfway = (here.words[len(here.words) // 2][0] + here.words[len(here.words) // 2 - 1][1]) // 2
    half = np.concatenate([cut[:halfway], here.mix[halfway:]])
    share = (len(here.words) // 2) / len(here.words)
    whole = onset_loss_db(here.mix, cut, 16_000, reference=here.speech)
    assert onset_loss_db(here.mix, half, 16_000, reference=here.speech) == pytest.approx(share * whole, rel=0.02)


@BLIND_OR_NOT
@pytest.mark.parametrize("rate", [16_000, 48_000])
def test_high_band_loss_is_what_a_shelf_takes(rate, known):
    here = scene(rate)
    shelves = (0.0, 3.0, 6.0, 12.0, 30.0)
    found = [
        high_band_loss_db(here.mix, without_highs(here, db), rate, reference=reference_of(here, known))
        for db in shelves
    ]
    assert found == pytest.approx(shelves, rel=0.03, abs=0.02)


def test_a_loss_above_8_khz_is_told_apart():
    here = scene(48_000)
    loss = high_band_loss(here.mix, without_highs(here, 15.0, above_hz=8_000.0), 48_000)
    assert loss.above_8_khz_db == pytest.approx(15.0, rel=0.03)
    assert loss.above_4_khz_db == pytest.approx(0.0, abs=0.1)
    assert loss.worst_db == loss.above_8_khz_db


def test_a_gain_is_no_high_band_loss():
    here = scene()
    assert high_band_loss_db(here.mix, attenuated(here, 20.0), 16_000) == pytest.approx(0.0, abs=1e-3)


def test_speech_without_highs_has_no_loss_above_8_khz():
    here = scene(48_000)
    low = without_highs(here, 90.0, above_hz=7_800.0)
    assert high_band_loss(low, low, 48_000).above_8_khz_db is None


def test_there_is_no_high_band_at_8_khz():
    here = scene(8_000)
    with pytest.raises(InvalidAudioError, match="nothing above 4 kHz at a sample rate of 8000 Hz"):
        high_band_loss_db(here.mix, here.mix, 8_000)


@BLIND_OR_NOT
@pytest.mark.parametrize("rate", RATES)
def test_level_change_is_that_of_the_speech(rate, known):
    here = scene(rate, snr_db=15.0)
    for db in (-6.0, 0.0, 3.0, 6.0, 9.0):
        found = speech_level_change_db(here.mix, with_soft_speech(here, db), rate, reference=reference_of(here, known))
        assert found == pytest.approx(-db, abs=0.4)


def test_a_change_of_the_noise_is_no_level_change():
    here = scene(snr_db=10.0)
    assert speech_level_change_db(here.mix, here.speech + 0.1 * here.noise, 16_000) == pytest.approx(0.0, abs=0.3)


def test_speech_made_silent_has_lost_60_db():
    here = scene()
    assert speech_level_change_db(here.mix, 0.0 * here.mix, 16_000) == -60.0


@pytest.mark.parametrize("measure", [spectral_distortion_db, onset_loss_db, speech_level_change_db, high_band_loss_db])
def test_noise_alone_has_no_speech_to_damage(measure):
    hiss = 0.1 * np.random.default_rng(0).standard_normal(32_000)
    with pytest.raises(InvalidAudioError, match="stands out of the noise"):
        measure(hiss, 0.5 * hiss, 16_000)
