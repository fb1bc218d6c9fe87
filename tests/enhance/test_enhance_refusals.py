"""What cannot be enhanced is refused with what was wrong, its value, and the way out."""

from __future__ import annotations

import numpy as np
import pytest

import unmuffle

RATE = 16_000
SECOND = np.zeros(RATE)


@pytest.mark.parametrize(
    ("audio", "message"),
    [
        (np.zeros(RATE, np.int64), "int64.*float32"),
        (np.zeros(RATE, np.uint8), "uint8"),
        (np.zeros(RATE, bool), "bool"),
        (np.zeros(RATE, complex), "complex128"),
        (np.zeros((2, 2, RATE)), r"3 dimensions \(shape \(2, 2, 16000\)\)"),
        (np.float64(0.5), "0 dimensions"),
        (np.zeros((RATE, 2)), r"\(16000, 2\) looks like \(samples, channels\).*audio\.T"),
        (np.zeros(0), "no samples"),
        (np.zeros((2, 0)), "no samples"),
        (np.zeros((0, RATE)), "no channel"),
    ],
)
def test_audio_of_a_wrong_shape_or_type(audio, message):
    with pytest.raises(unmuffle.InvalidAudioError, match=message):
        unmuffle.enhance(audio, RATE)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_sample_that_is_not_finite_is_named(bad):
    audio = np.zeros((2, 3 * RATE), np.float32)
    audio[1, 2_000] = bad
    audio[0, 40_000] = bad
    with pytest.raises(unmuffle.InvalidAudioError, match=r"at 0\.125 s \(sample 2000, channel 1\).*nonfinite"):
        unmuffle.enhance(audio, RATE)


def test_its_place_is_told_from_the_beginning_of_a_long_array():
    audio = np.zeros(1 << 19, np.float32)
    audio[300_000] = np.nan
    with pytest.raises(unmuffle.InvalidAudioError, match=r"at 18\.750 s \(sample 300000"):
        unmuffle.enhance(audio, RATE, method="wiener")


def test_a_number_too_large_for_float32_is_named():
    audio = np.zeros(RATE)
    audio[100] = 1e300
    with pytest.raises(unmuffle.InvalidAudioError, match="sample 100"):
        unmuffle.enhance(audio, RATE)


@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_what_is_not_finite_is_silenced_if_wanted(noisy_speech, strength):
    broken = noisy_speech(RATE)
    mended = broken.copy()
    broken[0, [0, 700, 9_000]] = [np.nan, np.inf, -np.inf]
    mended[0, [0, 700, 9_000]] = 0.0
    enhancer = unmuffle.Enhancer(strength=strength, nonfinite="silence")
    np.testing.assert_array_equal(enhancer.enhance(broken, RATE), enhancer.enhance(mended, RATE))


@pytest.mark.parametrize(
    ("rate", "message"),
    [(7_000, "7000 Hz; 8000 to 192000"), (1_000_000, "1000000 Hz"), (0, "0 Hz"), (-48_000, "-48000"), (True, "True")],
)
def test_a_rate_out_of_range(rate, message):
    with pytest.raises(unmuffle.InvalidParameterError, match=message):
        unmuffle.enhance(SECOND, rate)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "weiner"}, "did you mean wiener"),
        ({"method": "rnn"}, "there are auto, .*log_mmse"),
        ({"strength": 2.0}, "strength is 2.0"),
        ({"strength": -0.1}, "strength is -0.1"),
        ({"strength": float("nan")}, "strength is nan"),
        ({"max_attenuation_db": -1.0}, "max_attenuation_db is -1.0"),
        ({"max_attenuation_db": float("nan")}, "max_attenuation_db is nan"),
        ({"nonfinite": "ignore"}, "'raise' or 'silence', not 'ignore'"),
    ],
)
def test_a_setting_out_of_range_is_refused_before_any_audio(settings, message):
    with pytest.raises(unmuffle.InvalidParameterError, match=message):
        unmuffle.Enhancer(**settings)


def test_every_error_is_of_the_package_and_of_the_kind_python_has_for_it():
    assert issubclass(unmuffle.InvalidAudioError, (unmuffle.UnmuffleError, ValueError))
    assert issubclass(unmuffle.InvalidParameterError, ValueError)
    assert issubclass(unmuffle.OutputExistsError, unmuffle.AudioFileError)
