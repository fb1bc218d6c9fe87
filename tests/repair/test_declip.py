"""Clipped speech gains what it lost; whatever was not clipped comes back bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import resample_poly
from voices_to_spoil import noise, sdr, voice

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.repair import Declipper, declip, find_clipped

RATES = [8_000, 16_000, 44_100, 48_000]


def clipped_to(sound: np.ndarray, sdr_db: float) -> tuple[np.ndarray, float]:
    """The sound clipped so far that this signal-to-distortion ratio is left, and the limit."""
    low, high = 0.0, float(np.abs(sound).max())
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if sdr(sound, np.clip(sound, -middle, middle)) < sdr_db else (low, middle)
    limit = np.float32(high)
    return np.clip(sound, -limit, limit), float(limit)


def mask_of(audio: np.ndarray, rate: int, **options: float) -> np.ndarray:
    mask = np.zeros(np.atleast_2d(audio).shape, np.bool_)
    for run in find_clipped(audio, rate, **options):
        assert not mask[run.channel, run.start : run.stop].any()
        mask[run.channel, run.start : run.stop] = True
    return mask.reshape(audio.shape)


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sdr_db", [5.0, 10.0, 15.0])
def test_clipped_speech_gains_sdr(rate: int, sdr_db: float):
    sound = voice(rate)
    clipped, limit = clipped_to(sound, sdr_db)
    rebuilt = declip(clipped, rate)
    wanted = 6.0 if rate > 8_000 else 3.0
    assert sdr(sound, rebuilt) - sdr(sound, clipped) >= wanted
    lost = np.abs(sound) > limit
    assert sdr(sound[lost], rebuilt[lost]) - sdr(sound[lost], clipped[lost]) >= wanted


@pytest.mark.parametrize("rate", RATES)
def test_reliable_samples_are_bit_exact_and_clipped_ones_only_grow(rate: int):
    clipped, limit = clipped_to(voice(rate), 8.0)
    rebuilt = declip(clipped, rate)
    at_limit = np.abs(clipped) >= np.float32(limit)
    np.testing.assert_array_equal(rebuilt[~mask_of(clipped, rate)], clipped[~mask_of(clipped, rate)])
    assert (rebuilt * np.sign(clipped) >= np.abs(clipped)).all()
    assert (rebuilt[at_limit] != clipped[at_limit]).mean() > 0.9


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("kind", [np.float32, np.int16])
def test_audio_without_clipping_comes_back_bit_for_bit(rate: int, kind: type):
    sound = np.stack([voice(rate, seed=seed) for seed in range(3)])
    sound[2] = 0.3 * noise(rate, 2.0) / 4.0
    given = sound if kind is np.float32 else np.rint(sound * 32767).astype(np.int16)
    np.testing.assert_array_equal(declip(given, rate), given)
    assert find_clipped(given, rate) == []


@pytest.mark.parametrize("hz", [50.0, 100.0, 440.0, 1000.0])
@pytest.mark.parametrize("scale", [2**7, 2**15])
def test_a_quantised_sine_is_not_clipped_though_it_has_flat_tops(hz: float, scale: int):
    sine = np.rint(0.7 * scale * np.sin(2 * np.pi * hz * np.arange(48_000) / 48_000)) / scale
    assert find_clipped(sine, 48_000) == []


@pytest.mark.parametrize("gain", [1.0, 0.1, 0.01])
@pytest.mark.parametrize("kind", ["float", "int16"])
def test_every_limit_is_found_also_after_a_gain(gain: float, kind: str):
    sound = voice()
    clipped, limit = clipped_to(sound, 8.0)
    given = gain * clipped if kind == "float" else np.rint(gain * clipped * 32767).astype(np.int16)
    found = mask_of(given, 16_000)
    assert found[np.abs(clipped) >= limit].mean() > 0.95
    assert not found[np.abs(clipped) < 0.95 * limit].any()


def test_positive_and_negative_limits_are_their_own():
    sound = voice()
    clipped = np.clip(sound, -0.5, 0.2)
    found = mask_of(clipped, 16_000)
    assert found[clipped >= np.float32(0.2)].mean() > 0.95
    assert not found[(clipped > -0.48) & (clipped < 0.19)].any()
    assert sdr(sound, declip(clipped, 16_000)) > sdr(sound, clipped) + 5.0


def test_near_flats_after_resampling_are_found_within_the_tolerance():
    sound = voice(48_000)
    clipped, limit = clipped_to(sound, 8.0)
    coded = resample_poly(resample_poly(clipped.astype(np.float64), 147, 160), 160, 147).astype(np.float32)
    assert not mask_of(coded, 48_000, tolerance=0.0).any()
    assert mask_of(coded, 48_000)[np.abs(clipped) >= limit].mean() > 0.9
    assert sdr(sound, declip(coded, 48_000)) > sdr(sound, coded) + 4.0


def test_strong_saturation_gains_and_mild_saturation_is_left():
    sound = voice()
    strong, mild = (np.tanh(drive * sound) / drive for drive in (12.0, 1.0))
    assert sdr(sound, declip(strong, 16_000)) > sdr(sound, strong) + 0.2
    np.testing.assert_array_equal(declip(mild, 16_000), mild)


def _harmless() -> dict[str, np.ndarray]:
    time = np.arange(16_000)
    return {
        "silence": np.zeros(16_000),
        "dc": np.full(16_000, 0.25),
        "impulse": (time == 8_000).astype(np.float64),
        "square": np.where(time // 40 % 2, 1.0, -1.0),
        "square-with-rests": np.where(time % 8000 < 4000, np.where(time // 40 % 2, 1.0, -1.0), 0.0),
        "one-sample": np.array([0.7]),
        "ramp": np.linspace(-1.0, 1.0, 16_000),
    }


@pytest.mark.parametrize("name", _harmless())
def test_nothing_is_invented_where_nothing_is_known(name: str):
    audio = _harmless()[name]
    rebuilt = declip(audio, 16_000)
    if name == "square-with-rests":
        assert np.abs(rebuilt).max() <= 10.0
        np.testing.assert_array_equal(rebuilt[audio == 0.0], 0.0)
    else:
        np.testing.assert_array_equal(rebuilt, audio.astype(np.float32))


def test_a_clip_of_100_ms_is_rebuilt():
    sound = voice()
    loudest = int(np.abs(sound).argmax())
    sound = sound[loudest - 800 : loudest + 800]
    clipped, _ = clipped_to(sound, 8.0)
    assert sdr(sound, declip(clipped, 16_000)) > 11.0


def test_eight_channels_do_not_know_of_each_other():
    sounds = np.stack([voice(seconds=1.0, seed=seed) for seed in range(8)])
    sounds[::2] = np.clip(sounds[::2], -0.2, 0.2)
    rebuilt = declip(sounds, 16_000)
    for channel, sound in zip(rebuilt, sounds, strict=True):
        np.testing.assert_array_equal(channel, declip(sound, 16_000))
    np.testing.assert_array_equal(rebuilt[1::2], sounds[1::2])


def test_a_rise_is_bounded_and_integers_keep_their_range_with_headroom():
    clipped, limit = clipped_to(voice(), 3.0)
    assert np.abs(declip(clipped, 16_000, max_rise_db=6.0)).max() <= 2.0 * limit * 1.001
    np.testing.assert_array_equal(declip(clipped, 16_000, max_rise_db=0.0), clipped)
    full = np.rint(clipped / limit * 32767).astype(np.int16)
    assert np.abs(declip(full, 16_000).astype(int)).max() >= 32767
    assert np.abs(declip(full, 16_000, headroom_db=24.0).astype(int)).max() < 32767


def test_the_look_ahead_told_is_used():
    clipped, _ = clipped_to(voice(8_000, seconds=1.2), 5.0)
    declipper = Declipper(8_000)
    whole = declip(clipped, 8_000)
    loudest = int(np.abs(whole).argmax())
    first = []
    for cut in range(loudest, loudest + 8 * declipper.block_period, 31):
        ended = clipped.copy()
        ended[cut:] = 0.0
        changed = np.flatnonzero(declip(ended, 8_000)[:cut] != whole[:cut])
        first.append(cut - changed[0] if changed.size else 0)
    assert declipper.latency - 3 * declipper.block_period < max(first) <= declipper.latency


def test_what_was_done_is_counted():
    clipped, _ = clipped_to(voice(), 8.0)
    declipper = Declipper(16_000, 2)
    declipper.process(np.stack([clipped, np.zeros_like(clipped)]))
    declipper.flush()
    expected = mask_of(clipped, 16_000).sum()
    assert declipper.clipped_samples.tolist() == [expected, 0]
    assert declipper.samples == clipped.size
    assert declipper.clipped_share == pytest.approx(expected / clipped.size / 2)
    declipper.reset()
    assert declipper.clipped_samples.tolist() == [0, 0]
    assert declipper.clipped_share == 0.0


@pytest.mark.parametrize(
    ("option", "value"), [("tolerance", -0.1), ("tolerance", 0.5), ("max_rise_db", 50.0), ("headroom_db", np.nan)]
)
def test_an_option_out_of_range_is_named(option: str, value: float):
    with pytest.raises(InvalidParameterError, match=option):
        Declipper(16_000, **{option: value})


def test_broken_audio_is_refused():
    with pytest.raises(InvalidAudioError):
        find_clipped(np.array([0.0, np.nan]), 16_000)
    with pytest.raises(InvalidAudioError):
        declip(np.zeros(0), 16_000)
