"""Arrays land where they were to, by an independent meter; and it is said where they cannot."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import resample_poly

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.level import LOUDNESS_TARGETS, LoudnessTarget, loudness_target, normalize_loudness

RATE = 48_000


def voice(rate: int = RATE, seconds: float = 4.0, channels: int = 1, *, peak: float = 0.1) -> np.ndarray:
    """Syllables of a buzz in faint noise, with peaks about as far above its loudness as those of speech."""
    time = np.arange(round(rate * seconds)) / rate
    syllables = np.clip(np.sin(2 * np.pi * 3.0 * time), 0.0, None) ** 2 * (0.4 + 0.6 * (np.sin(2.0 * time) > 0.0))
    buzz = sum(
        np.cos(2 * np.pi * 130.0 * k * time + 2.4 * k * k) / k**0.7 for k in range(1, min(25, int(0.45 * rate / 130.0)))
    )
    noise = 0.002 * np.random.default_rng(0).standard_normal((channels, time.size))
    audio = np.linspace(1.0, 0.5, channels)[:, None] * syllables * buzz
    return peak * audio / np.abs(audio).max() + peak * noise


def loudness(audio, rate=RATE):
    return pyloudnorm.Meter(rate).integrated_loudness(np.atleast_2d(audio).T.astype(np.float64))


def true_peak_db(audio):
    return 20.0 * np.log10(np.abs(resample_poly(np.atleast_2d(audio).astype(np.float64), 8, 1, axis=1)).max())


@pytest.mark.parametrize("target", [-30.0, -24.0, -23.0, -18.0, -16.0, "podcast", "broadcast", "atsc", "-20"])
@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (48_000, 1)])
def test_lands_at_the_target_and_under_the_ceiling(target, rate, channels):
    out = normalize_loudness(voice(rate, channels=channels), rate, target)
    wanted = loudness_target(target)
    assert loudness(out, rate) == pytest.approx(wanted.lufs, abs=0.3)
    assert true_peak_db(out) <= wanted.true_peak_dbtp + 0.1


@pytest.mark.parametrize(("target", "ceiling"), [(-15.5, -1.0), (-17.0, -3.0), (-20.5, -6.0)])
def test_the_limiter_takes_what_is_above_the_ceiling_and_the_loudness_is_reached_all_the_same(target, ceiling):
    audio = voice()
    out = normalize_loudness(audio, RATE, target, ceiling)
    gain_db = target - loudness(audio)
    assert true_peak_db(audio) + gain_db > ceiling + 1.0
    assert loudness(out) == pytest.approx(target, abs=0.3)
    assert true_peak_db(out) == pytest.approx(ceiling, abs=0.15)


def test_far_from_the_ceiling_it_is_one_gain():
    audio = voice()
    out = normalize_loudness(audio, RATE, -30.0)
    np.testing.assert_allclose(out, out[0, 5000] / audio[0, 5000] * audio, rtol=1e-4, atol=1e-7)


def test_stereo_keeps_its_balance_where_it_is_limited():
    audio = voice(channels=2)
    out = normalize_loudness(audio, RATE, -17.0, -3.0)
    loud = np.abs(audio).min(axis=0) > 0.005
    np.testing.assert_allclose(*(out[:, loud] / audio[:, loud]), rtol=1e-4)


@pytest.mark.parametrize("target", [-8.0, -6.0])
def test_what_cannot_be_reached_is_said_and_by_how_much(target):
    with pytest.warns(UserWarning, match="cannot be reached with true peaks of at most -1 dBTP") as said:
        out = normalize_loudness(voice(), RATE, target)
    reached, missed = re.search(r"it is at (.*) LUFS, (.*) LU below", str(said[0].message)).groups()
    assert float(reached) == pytest.approx(loudness(out), abs=0.15)
    assert float(missed) == pytest.approx(target - loudness(out), abs=0.15)
    assert true_peak_db(out) <= -1.0 + 0.1


def test_without_limiting_the_loudest_peak_decides():
    with pytest.warns(UserWarning, match="cannot be reached"):
        out = normalize_loudness(voice(), RATE, -10.0, max_limiting_lu=0.0)
    assert true_peak_db(out) == pytest.approx(-1.0, abs=1.0)


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.float32, np.float64])
def test_type_and_shape_stay(dtype):
    audio = voice()[0]
    given = (audio * np.iinfo(dtype).max).astype(dtype) if np.issubdtype(dtype, np.integer) else audio.astype(dtype)
    before = given.copy()
    out = normalize_loudness(given, RATE)
    assert (out.dtype, out.shape) == (given.dtype, given.shape)
    np.testing.assert_array_equal(given, before)
    scale = np.iinfo(dtype).max if np.issubdtype(dtype, np.integer) else 1.0
    assert loudness(out / scale) == pytest.approx(-16.0, abs=0.3)


NO_LOUDNESS = {
    "is silent": np.zeros(2 * RATE),
    "is 0.1 s long": np.full(RATE // 10, 0.1) * np.sin(np.arange(RATE // 10)),
    "softer than -70 LUFS": 1e-4 * np.sin(0.1 * np.arange(2 * RATE)),
}


@pytest.mark.parametrize("reason", NO_LOUDNESS)
def test_what_has_no_loudness_keeps_its_level_and_that_is_said(reason):
    audio = NO_LOUDNESS[reason]
    with pytest.warns(UserWarning, match=f"{reason}.*left as it is"):
        out = normalize_loudness(audio, RATE)
    np.testing.assert_allclose(out, audio, atol=1e-9)


def test_a_short_clip_is_held_under_the_ceiling_all_the_same():
    with pytest.warns(UserWarning, match="0.1 s long"):
        out = normalize_loudness(3.0 * np.sin(0.1 * np.arange(RATE // 10)), RATE)
    assert true_peak_db(out) <= -1.0 + 0.1


BAD = {
    "DC": np.full(2 * RATE, 0.5),
    "impulse": np.eye(1, 2 * RATE, 5000)[0],
    "square": np.where(np.sin(2 * np.pi * 200.0 * np.arange(2 * RATE) / RATE) >= 0.0, 1.0, -1.0),
    "7.1": voice(channels=8),
    "huge": 1e7 * voice(),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_input_stays_finite_and_under_the_ceiling(kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        out = normalize_loudness(BAD[kind], RATE, -12.0)
    assert np.isfinite(out).all()
    assert true_peak_db(out) <= -1.0 + 0.1


def test_seven_point_one_weighs_its_channels_as_told():
    audio = voice(channels=8)
    out = normalize_loudness(audio, RATE, -20.0, channel_weights=[1.0] + [0.0] * 7)
    assert loudness(out[0]) == pytest.approx(-20.0, abs=0.1)


def test_targets_are_data():
    assert {name: target.lufs for name, target in LOUDNESS_TARGETS.items()} == {
        "podcast": -16.0,
        "broadcast": -23.0,
        "atsc": -24.0,
        "streaming": -14.0,
    }
    assert loudness_target("atsc") == LoudnessTarget(-24.0, -2.0)
    assert loudness_target("atsc", -1.0) == LoudnessTarget(-24.0, -1.0)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("loud",), "loudness is 'loud'; give a number of LUFS.*podcast, broadcast"),
        ((0.0,), "loudness is 0.0; it must be from -60 to -5"),
        ((float("nan"),), "loudness"),
        ((-16.0, 1.0), "true_peak is 1.0; it must be from -20 to 0"),
    ],
)
def test_wrong_targets_are_refused(arguments, match):
    with pytest.raises(InvalidParameterError, match=match):
        normalize_loudness(voice(), RATE, *arguments)


def test_wrong_audio_is_refused():
    with pytest.raises(InvalidAudioError, match="no samples"):
        normalize_loudness(np.zeros(0), RATE)
    with pytest.raises(InvalidAudioError, match="NaN"):
        normalize_loudness(np.array([0.0, np.nan] * 5000), RATE)
