"""Gating, pumping and clicks at known strength."""

from __future__ import annotations

import numpy as np
import pytest
from damage_signals import BLOCK_S, attenuated, gated, pumped, scene, with_clicks

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.border_clicks import border_clicks, find_period
from unmuffle.measure.damage.floor_motion import floor_motion, gating_db, pumping_db

RATES = (8_000, 16_000, 48_000)
DEPTHS_DB = (0.0, 3.0, 6.0, 12.0, 24.0)
KNOWN_AT_RATE = pytest.mark.parametrize(("rate", "known"), [(8_000, False), (16_000, True), (48_000, False)])


@KNOWN_AT_RATE
def test_gating_is_the_depth_of_a_gate(rate, known):
    here = scene(rate)
    reference = here.speech if known else None
    found = [floor_motion(here.mix, gated(here, db), rate, reference=reference) for db in DEPTHS_DB]
    assert [motion.gating_db for motion in found] == pytest.approx(DEPTHS_DB, rel=0.15, abs=0.01)
    assert max(motion.pumping_db for motion in found) < 3.0


@KNOWN_AT_RATE
def test_pumping_follows_a_floor_that_falls_slowly(rate, known):
    here = scene(rate)
    reference = here.speech if known else None
    found = [floor_motion(here.mix, pumped(here, db), rate, reference=reference) for db in DEPTHS_DB]
    pumping = [motion.pumping_db for motion in found]
    # In pauses of 0.5 to 0.8 s and with 0.25 s to fall, the floor does not get all the way.
    assert pumping == pytest.approx(0.7 * np.array(DEPTHS_DB), rel=0.15, abs=0.01)
    assert max(motion.gating_db for motion in found) < 4.0


@pytest.mark.parametrize("release_s", [0.1, 0.2, 0.4])
def test_slower_is_more_pumping_and_less_gating(release_s):
    here = scene()
    slow, fast = (pumped(here, 20.0, release_s=factor * release_s) for factor in (1.0, 0.5))
    assert gating_db(here.mix, slow, 16_000) < gating_db(here.mix, fast, 16_000)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("db", [0.0, 6.0, 30.0])
def test_a_constant_attenuation_moves_no_floor(rate, db):
    here = scene(rate)
    treated = attenuated(here, db)
    assert gating_db(here.mix, treated, rate) == pytest.approx(0.0, abs=1e-3)
    assert pumping_db(here.mix, treated, rate) == pytest.approx(0.0, abs=1e-3)


def test_an_even_noise_reduction_moves_no_floor():
    here = scene()
    assert gating_db(here.mix, here.speech + 0.1 * here.noise, 16_000, reference=here.speech) < 2.0


def test_without_pauses_there_is_no_floor_to_move():
    tone = np.sin(np.arange(16_000) * 0.3)
    with pytest.raises(InvalidAudioError, match="no pause with noise"):
        floor_motion(tone, tone, 16_000)


@pytest.mark.parametrize("rate", RATES)
def test_clicks_are_counted_the_more_the_larger_they_are(rate):
    here = scene(rate, snr_db=60.0)
    found = [border_clicks(here.mix, with_clicks(here, share), rate) for share in (0.0, 0.03, 0.1, 0.5, 3.0)]
    rates = [clicks.per_second for clicks in found]
    assert rates[0] == 0.0
    assert np.all(np.diff(rates) > 0.0)
    assert rates[-1] == pytest.approx(1.0 / BLOCK_S, rel=0.2)
    assert found[-1].period_s == pytest.approx(BLOCK_S, rel=1e-3)


@pytest.mark.parametrize("block_s", [0.01, 0.032, 0.1])
def test_the_grid_is_found_and_the_times_are_on_it(block_s):
    here = scene(snr_db=40.0)
    clicks = border_clicks(here.mix, with_clicks(here, 0.3, block_s), 16_000)
    assert clicks.period_s == pytest.approx(block_s)
    away = np.abs(clicks.times_s / block_s - np.round(clicks.times_s / block_s)) * block_s
    assert np.median(away) <= 1.0 / 16_000


def test_clicks_here_and_there_have_no_period():
    here = scene(snr_db=40.0)
    at = np.sort(np.random.default_rng(5).choice(here.mix.size, 30, replace=False))
    treated = here.mix.copy()
    treated[at] += 0.2
    clicks = border_clicks(here.mix, treated, 16_000)
    assert clicks.per_second > 1.0
    assert clicks.period_s is None


def test_clicks_of_the_original_are_not_blamed_on_the_enhancer():
    here = scene(snr_db=40.0)
    crackling = with_clicks(here, 0.5)
    assert border_clicks(crackling, 0.5 * crackling, 16_000).per_second == 0.0


def test_clicks_of_the_reference_are_not_blamed_on_the_enhancer():
    here = scene(snr_db=40.0)
    crackling = with_clicks(here, 0.5)
    hidden = crackling + 0.3 * np.random.default_rng(6).standard_normal(crackling.size)
    assert border_clicks(hidden, crackling, 16_000).per_second > 1.0
    assert border_clicks(hidden, crackling, 16_000, reference=crackling).per_second == 0.0


def test_a_grid_with_gaps_and_strays_is_a_grid():
    rng = np.random.default_rng(7)
    clicks = np.sort(np.append(137 + 441 * np.sort(rng.choice(500, 40, replace=False)), [1_000, 100_000]))
    assert find_period(clicks, 44_100) == pytest.approx(0.01)


@pytest.mark.parametrize("seed", range(10))
def test_scattered_clicks_are_no_grid(seed):
    clicks = np.sort(np.random.default_rng(seed).choice(160_000, 25, replace=False))
    assert find_period(clicks, 16_000) is None


def test_few_clicks_are_no_grid():
    assert find_period(np.array([0, 800, 1_600]), 16_000) is None
