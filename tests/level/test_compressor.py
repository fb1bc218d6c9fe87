"""The compressor against its closed forms: static curve, attack, release."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest

from unmuffle.errors import InvalidParameterError
from unmuffle.level import Compressor, Gain, apply_gain, compress

RATE = 48_000


def sine(level_db: float, seconds: float, hz: float = 1000.0) -> np.ndarray:
    # A phase that puts samples onto the peaks.
    return 10.0 ** (level_db / 20.0) * np.cos(2.0 * np.pi * hz * np.arange(round(seconds * RATE)) / RATE)


def peak_db(audio: np.ndarray) -> float:
    return 20.0 * np.log10(np.abs(audio).max())


def printed_curve(level_db: float, threshold_db: float, ratio: float, knee_db: float) -> float:
    """Giannoulis, Massberg and Reiss (2012), equation 4, as it is printed."""
    above = level_db - threshold_db
    if 2.0 * above < -knee_db:
        return level_db
    if 2.0 * abs(above) <= knee_db and knee_db > 0.0:
        return level_db + (1.0 / ratio - 1.0) * (above + knee_db / 2.0) ** 2 / (2.0 * knee_db)
    return threshold_db + above / ratio


@pytest.mark.parametrize("knee_db", [0.0, 6.0, 20.0])
@pytest.mark.parametrize("ratio", [1.0, 2.0, 4.0, inf])
@pytest.mark.parametrize("level_db", [-50.0, -34.0, -30.0, -28.5, -27.0, -20.0, -3.0])
def test_a_steady_tone_lands_on_the_printed_curve(level_db, ratio, knee_db):
    out = compress(sine(level_db, 1.0), RATE, threshold_db=-30.0, ratio=ratio, knee_db=knee_db, release_ms=500.0)
    assert peak_db(out[-RATE // 4 :]) == pytest.approx(printed_curve(level_db, -30.0, ratio, knee_db), abs=0.05)


def test_make_up_is_added():
    out = compress(sine(-10.0, 1.0), RATE, threshold_db=-30.0, ratio=2.0, knee_db=0.0, makeup_db=6.0, release_ms=500.0)
    assert peak_db(out[-RATE // 4 :]) == pytest.approx(-14.0, abs=0.05)


@pytest.mark.parametrize("attack_ms", [1.0, 5.0, 40.0])
def test_after_the_attack_63_percent_of_the_reduction_is_there(attack_ms):
    # A level that steps from the threshold to 20 dB above it: 15 dB of reduction at 4:1.
    level = np.where(np.arange(RATE) < RATE // 2, 0.01, 0.1)
    out = compress(level, RATE, threshold_db=-40.0, ratio=4.0, knee_db=0.0, attack_ms=attack_ms)
    reduction = -20.0 * np.log10(out / level)
    at = RATE // 2 + round(1e-3 * attack_ms * RATE)
    assert reduction[at - 1] == pytest.approx(15.0 * (1.0 - np.exp(-1.0)), rel=0.01)
    assert reduction[-1] == pytest.approx(15.0, abs=0.01)


@pytest.mark.parametrize("release_ms", [50.0, 300.0])
def test_after_the_release_37_percent_of_the_reduction_is_left(release_ms):
    level = np.where(np.arange(2 * RATE) < RATE, 0.1, 0.01)
    out = compress(level, RATE, threshold_db=-40.0, ratio=4.0, knee_db=0.0, attack_ms=0.0, release_ms=release_ms)
    reduction = -20.0 * np.log10(out / level)
    at = RATE + round(1e-3 * release_ms * RATE)
    assert reduction[at - 1] == pytest.approx(15.0 * np.exp(-1.0), rel=0.01)


def test_below_the_threshold_audio_passes_bit_for_bit():
    audio = np.random.default_rng(0).uniform(-0.02, 0.02, (2, RATE)).astype(np.float32)
    np.testing.assert_array_equal(compress(audio, RATE, threshold_db=-24.0), audio)


def test_linked_channels_keep_their_balance_and_others_do_not():
    audio = np.stack([sine(-6.0, 0.5), sine(-26.0, 0.5, 500.0)])
    ratio_db = peak_db(audio[0]) - peak_db(audio[1])
    for linked in (True, False):
        out = compress(audio, RATE, threshold_db=-20.0, ratio=4.0, link_channels=linked)[:, RATE // 4 :]
        assert (abs(peak_db(out[0]) - peak_db(out[1]) - ratio_db) < 0.1) == linked


@pytest.mark.parametrize(
    "options",
    [{"ratio": 0.5}, {"threshold_db": 1.0}, {"knee_db": -1.0}, {"attack_ms": -1.0}, {"release_ms": np.nan}],
)
def test_compressor_refuses_settings_out_of_range(options):
    with pytest.raises(InvalidParameterError, match=next(iter(options))):
        Compressor(RATE, **options)


@pytest.mark.parametrize("gain_db", [-120.0, -6.0, 0.0, 20.0])
def test_a_gain_is_a_factor(gain_db):
    audio = np.random.default_rng(1).standard_normal((2, 999)).astype(np.float32)
    np.testing.assert_allclose(apply_gain(audio, RATE, gain_db=gain_db), audio * 10.0 ** (gain_db / 20.0), rtol=1e-6)
    if gain_db == 0.0:
        np.testing.assert_array_equal(apply_gain(audio, RATE), audio)


@pytest.mark.parametrize("sizes", [[7], [480], [100_000]])
def test_a_gain_that_is_changed_glides_in_50_ms(sizes):
    changed = Gain(RATE, gain_db=-20.0)
    changed.process(np.ones((1, 100), np.float32))
    changed.gain_db = 0.0
    audio = np.ones((1, 4800), np.float32)
    pieces = [changed.process(audio[:, at : at + sizes[0]]) for at in range(0, 4800, sizes[0])]
    gains_db = 20.0 * np.log10(np.concatenate(pieces, axis=1)[0])
    np.testing.assert_allclose(gains_db[:2400], np.linspace(-20.0, 0.0, 2401)[1:], atol=1e-4)
    np.testing.assert_array_equal(gains_db[2400:], 0.0)


def test_a_gain_out_of_range_is_refused_and_the_old_one_holds():
    gain = Gain(RATE, gain_db=3.0)
    with pytest.raises(InvalidParameterError, match="gain_db"):
        gain.gain_db = 201.0
    assert gain.gain_db == 3.0
