"""Clicks and lost packets are filled in; speech without them comes back bit for bit, or very nearly."""

from __future__ import annotations

import numpy as np
import pytest
from voices_to_spoil import noise, sdr, voice

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.repair import Declicker, declick, find_clicks

RATES = [8_000, 16_000, 44_100, 48_000]


def clicked(sound: np.ndarray, rate: int, a_second: float = 4.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Decaying clicks of up to 1 ms added to a sound, and where they are."""
    rng = np.random.default_rng(seed)
    spoilt, mask = sound.copy(), np.zeros(sound.size, np.bool_)
    for place in np.arange(rate // 4, sound.size - rate // 4, int(rate / a_second)):
        length = int(rng.integers(1, rate // 1000))
        click = rng.choice([-1.0, 1.0], length) * np.exp(-np.arange(length) / 4.0)
        spoilt[place : place + length] += np.float32(rng.uniform(0.5, 0.9)) * click.astype(np.float32)
        mask[place : place + length] = True
    return spoilt, mask


def with_losses(
    sound: np.ndarray, rate: int, seconds: float, *, held: bool, a_second: float = 2.0
) -> tuple[np.ndarray, np.ndarray]:
    """Stretches of zeros, or of the last sample, in the sound, and where they are."""
    spoilt, mask = sound.copy(), np.zeros(sound.size, np.bool_)
    length = int(seconds * rate)
    for place in np.arange(rate // 4, sound.size - rate // 4, int(1.003 * rate / a_second)):
        mask[place : place + length] = True
        spoilt[place : place + length] = spoilt[place - 1] if held else 0.0
    return spoilt, mask


def mask_of(audio: np.ndarray, rate: int, **options: float) -> np.ndarray:
    mask = np.zeros(audio.shape, np.bool_)
    for click in find_clicks(audio, rate, **options):
        mask[click.start : click.stop] = True
    return mask


@pytest.mark.parametrize("rate", RATES)
def test_clicks_are_removed_and_the_rest_is_bit_exact(rate: int):
    sound = voice(rate, 3.0, peak=0.3) + np.float32(1e-4) * noise(rate, 3.0).astype(np.float32)
    spoilt, mask = clicked(sound, rate)
    clear = declick(spoilt, rate)
    assert sdr(sound, clear) > sdr(sound, spoilt) + (7.0 if rate > 8_000 else 4.0)
    found = mask_of(spoilt, rate)
    np.testing.assert_array_equal(clear[~found], spoilt[~found])
    assert found[np.abs(spoilt - sound) > 0.2].mean() > (0.8 if rate > 8_000 else 0.5)
    assert (found & ~mask).mean() < 0.005


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("seconds", [0.002, 0.005, 0.01, 0.02])
def test_lost_packets_are_filled(rate: int, held: bool, seconds: float):
    time = np.arange(2 * rate) / rate
    phase = 2 * np.pi * 140.0 * time
    sound = sum(np.sin(k * phase + k) / k for k in range(1, 12)) * 0.2 + 0.003 * noise(rate, 2.0)
    sound = sound.astype(np.float32)
    spoilt, mask = with_losses(sound, rate, seconds, held=held)
    filled = declick(spoilt, rate)
    assert sdr(sound[mask], filled[mask]) > sdr(sound[mask], spoilt[mask]) + 5.0
    assert (filled[~mask] == spoilt[~mask]).mean() > 0.998


@pytest.mark.parametrize("rate", RATES)
def test_clean_speech_with_its_pitch_pulses_is_left_alone(rate: int):
    changed = [mask_of(voice(rate, 4.0, seed), rate).mean() for seed in range(4)]
    assert np.mean(changed) < 1e-3


def test_noise_is_left_alone_bit_for_bit():
    hiss = (0.1 * noise(16_000, 5.0)).astype(np.float32)
    np.testing.assert_array_equal(declick(hiss, 16_000), hiss)


@pytest.mark.parametrize("gap_s", [0.03, 0.1])
def test_a_pause_longer_than_a_packet_is_no_loss(gap_s: float):
    sound = (0.1 * noise(16_000, 2.0)).astype(np.float32)
    sound[16_000 : 16_000 + int(gap_s * 16_000)] = 0.0
    assert not mask_of(sound, 16_000)[16_050 : 16_000 + int(gap_s * 16_000) - 50].any()


def test_a_clipped_top_is_not_taken_for_a_held_sample():
    tone = np.clip(np.sin(2 * np.pi * 120.0 * np.arange(16_000) / 16_000), -0.5, 0.5)
    np.testing.assert_array_equal(declick(tone, 16_000), tone.astype(np.float32))


def _harmless() -> dict[str, np.ndarray]:
    time = np.arange(16_000)
    return {
        "silence": np.zeros(16_000),
        "dc": np.full(16_000, 0.25),
        "impulse": (time == 8_000).astype(np.float64),
        "square": np.where(time // 40 % 2, 1.0, -1.0),
        "one-sample": np.array([0.7]),
        "100-ms": 0.3 * np.sin(0.1 * np.arange(1_600)),
    }


@pytest.mark.parametrize("name", _harmless())
def test_nothing_is_touched_where_nothing_is_broken(name: str):
    audio = _harmless()[name]
    np.testing.assert_array_equal(declick(audio, 16_000), audio.astype(np.float32))


def test_eight_channels_do_not_know_of_each_other():
    sounds = np.stack([voice(seconds=1.0, seed=seed, peak=0.3) for seed in range(8)])
    spoilt = np.stack([clicked(sound, 16_000, seed=seed)[0] for seed, sound in enumerate(sounds)])
    for channel, sound in zip(declick(spoilt, 16_000), spoilt, strict=True):
        np.testing.assert_array_equal(channel, declick(sound, 16_000))


def test_more_sensitivity_finds_more():
    spoilt = voice(peak=0.3)
    spoilt[4_000:28_000:2_000] += np.float32(0.08)
    shares = [mask_of(spoilt, 16_000, sensitivity=value).sum() for value in (0.25, 1.0, 4.0)]
    assert shares[0] < shares[1] < shares[2]


def test_the_look_ahead_told_is_used():
    spoilt, _ = with_losses(voice(8_000, 1.5), 8_000, 0.02, held=False, a_second=9.0)
    declicker = Declicker(8_000)
    whole = declick(spoilt, 8_000)
    place = int(np.flatnonzero(whole != spoilt)[0])
    first = []
    for cut in range(place, place + 6 * declicker.block_period, 17):
        ended = spoilt.copy()
        ended[cut:] = 0.0
        changed = np.flatnonzero(declick(ended, 8_000)[:cut] != whole[:cut])
        first.append(cut - changed[0] if changed.size else 0)
    assert declicker.latency - 2 * declicker.block_period < max(first) <= declicker.latency


def test_what_was_done_is_counted():
    sound = (0.01 * noise(16_000, 1.0)).astype(np.float32)
    sound[[4_000, 9_000]] = 0.8
    declicker = Declicker(16_000, 2)
    clear = np.concatenate([declicker.process(np.stack([sound, 0 * sound])), declicker.flush()], axis=1)
    assert declicker.repaired_clicks.tolist() == [2, 0]
    assert declicker.repaired_samples.tolist() == [mask_of(sound, 16_000).sum(), 0]
    assert np.abs(clear).max() < 0.1
    declicker.reset()
    assert not declicker.repaired_clicks.any()


@pytest.mark.parametrize("value", [0.0, 5.0, np.nan])
def test_an_option_out_of_range_is_named(value: float):
    with pytest.raises(InvalidParameterError, match="sensitivity"):
        Declicker(16_000, sensitivity=value)


def test_broken_audio_is_refused():
    with pytest.raises(InvalidAudioError):
        find_clicks(np.array([0.0, np.inf]), 16_000)
    with pytest.raises(InvalidAudioError):
        declick(np.zeros(0), 16_000)
