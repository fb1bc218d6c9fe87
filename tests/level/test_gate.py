"""The gate: onsets stay, pauses fall by the range, and nothing flutters."""

from __future__ import annotations

import numpy as np
import pytest

from unmuffle.errors import InvalidParameterError
from unmuffle.level import Gate, apply_gate

RATE = 48_000


def bursts_in_noise(starts_s, length_s=0.3, seconds=3.0, voice=0.3, noise=0.001):
    """Tones that begin at full level in faint noise; and where they are."""
    audio = noise * np.random.default_rng(2).uniform(-1.0, 1.0, round(seconds * RATE))
    inside = np.zeros(audio.size, bool)
    for start in starts_s:
        inside[round(start * RATE) : round((start + length_s) * RATE)] = True
    tone = voice * np.cos(2 * np.pi * 200.0 * np.arange(audio.size) / RATE)
    return (audio + inside * tone).astype(np.float32), inside


def reference(magnitudes, opens, keeps, hold):
    """Hysteresis and hold, sample by sample."""
    is_open, since, states = False, 0, []
    for magnitude in magnitudes:
        since = 0 if magnitude >= keeps else since + 1
        if magnitude >= opens:
            is_open = True
        elif since > hold:
            is_open = False
        states.append(is_open)
    return np.array(states)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("hold_ms", [0.0, 1.0, 20.0])
def test_opening_and_closing_are_those_of_a_loop(seed, hold_ms):
    rng = np.random.default_rng(seed)
    audio = rng.uniform(-1.0, 1.0, 8000) * np.repeat(10.0 ** rng.uniform(-3.0, 0.0, 40), 200)
    options = {"threshold_db": -12.0, "hysteresis_db": 10.0, "hold_ms": hold_ms, "range_db": 120.0}
    # As quick as it goes, so that the gain shows the states: where it is open, it is 1.
    out = apply_gate(audio, 8000, attack_ms=0.1, look_back_ms=0.0, release_ms=1.0, **options)
    states = reference(np.abs(audio), 10 ** (-12 / 20), 10 ** (-22 / 20), round(8 * hold_ms))
    np.testing.assert_array_equal(np.isclose(out, audio, rtol=1e-5, atol=0.0), states)
    assert 0.02 < states.mean() < 0.98


def test_onsets_pass_untouched_and_are_announced():
    audio, inside = bursts_in_noise([0.5, 1.5])
    out = apply_gate(audio, RATE, threshold_db=-20.0, look_back_ms=8.0)
    np.testing.assert_array_equal(out[inside], audio[inside])
    # Also what precedes them by the look-back: a consonant softer than the threshold.
    start = round(0.5 * RATE)
    before = slice(start - round(0.008 * RATE), start)
    np.testing.assert_array_equal(out[before], audio[before])


@pytest.mark.parametrize("range_db", [6.0, 20.0, 60.0])
def test_pauses_fall_by_the_range(range_db):
    audio, _ = bursts_in_noise([1.0])
    out = apply_gate(audio, RATE, threshold_db=-20.0, range_db=range_db)
    early = slice(0, RATE // 2)
    assert 20 * np.log10(np.abs(audio[early]).max() / np.abs(out[early]).max()) == pytest.approx(range_db, abs=0.01)
    # Three seconds less the burst, its hold, and a second of release are ten of its time constants.
    late = slice(round(2.5 * RATE), None)
    assert 20 * np.log10(np.std(audio[late]) / np.std(out[late])) == pytest.approx(range_db, abs=0.1)


def test_hold_bridges_gaps():
    audio, _ = bursts_in_noise([1.0, 1.35])
    gap = slice(round(1.3 * RATE), round(1.35 * RATE))
    held = apply_gate(audio, RATE, threshold_db=-20.0, hold_ms=60.0)
    np.testing.assert_array_equal(held[gap], audio[gap])
    let_go = apply_gate(audio, RATE, threshold_db=-20.0, hold_ms=5.0, release_ms=5.0)
    assert np.abs(let_go[gap]).max() < np.abs(audio[gap]).max()
    assert np.std(let_go[gap]) < 0.7 * np.std(audio[gap])


def test_hysteresis_keeps_a_level_at_the_threshold_from_fluttering():
    rng = np.random.default_rng(3)
    wobble = 10.0 ** ((-20.0 + np.repeat(rng.uniform(-2.0, 2.0, 60), 2400)) / 20.0)
    audio = wobble * np.cos(2 * np.pi * 500.0 * np.arange(wobble.size) / RATE)

    def changes(hysteresis_db):
        out = apply_gate(audio, RATE, threshold_db=-20.0, hysteresis_db=hysteresis_db, hold_ms=15.0, release_ms=5.0)
        gains = (np.abs(out).reshape(-1, 480).max(axis=1)) / (np.abs(audio).reshape(-1, 480).max(axis=1))
        return np.count_nonzero(np.diff(gains > 0.7))

    assert changes(6.0) <= 1
    assert changes(0.0) > 5


def test_linked_channels_open_together():
    audio, inside = bursts_in_noise([1.0])
    both = np.stack([audio, 0.01 * audio])
    linked = apply_gate(both, RATE, threshold_db=-20.0, link_channels=True)
    np.testing.assert_array_equal(linked[1, inside], both[1, inside])
    alone = apply_gate(both, RATE, threshold_db=-20.0, link_channels=False)
    assert np.abs(alone[1, inside]).max() < 0.2 * np.abs(both[1, inside]).max()


@pytest.mark.parametrize("rate", [8000, 44_100, 192_000])
def test_latency_is_look_back_and_attack(rate):
    assert Gate(rate, look_back_ms=8.0, attack_ms=2.0).latency_ms == pytest.approx(10.0, abs=0.2)


@pytest.mark.parametrize("options", [{"range_db": -1.0}, {"hold_ms": -1.0}, {"attack_ms": 0.0}, {"threshold_db": 30.0}])
def test_gate_refuses_settings_out_of_range(options):
    with pytest.raises(InvalidParameterError, match=next(iter(options))):
        Gate(RATE, **options)
