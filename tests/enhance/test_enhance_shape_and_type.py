"""An array comes back in its own shape and type, and is itself not touched."""

from __future__ import annotations

import numpy as np
import pytest

import unmuffle

RATE = 16_000
FULL_SCALES = {"float16": 1.0, "float32": 1.0, "float64": 1.0, "int16": 2.0**15, "int32": 2.0**31}
COARSEST_STEPS = {"float16": 2.0**-11, "float32": 2e-6, "float64": 2e-6, "int16": 2.0**-15, "int32": 2e-6}
SHAPES = ("mono", "one row", "two rows")


def cast(audio, dtype):
    scaled = audio * FULL_SCALES[dtype]
    return np.rint(scaled).astype(dtype) if dtype.startswith("int") else scaled.astype(dtype)


@pytest.fixture(params=SHAPES)
def audio(request, noisy_speech):
    samples = noisy_speech(RATE, channels=2 if request.param == "two rows" else 1)
    return samples[0] if request.param == "mono" else samples


@pytest.mark.parametrize("dtype", FULL_SCALES)
def test_shape_and_type_are_kept(audio, dtype):
    clear = unmuffle.enhance(cast(audio, dtype), RATE)
    assert (clear.shape, clear.dtype) == (audio.shape, np.dtype(dtype))


@pytest.mark.parametrize("dtype", FULL_SCALES)
def test_the_type_changes_nothing_but_the_precision(noisy_speech, dtype):
    audio = noisy_speech(RATE, channels=2)
    # Samples that every type can hold, so that all types are given the same sound.
    audio = np.rint(audio * 2.0**9) / 2.0**9
    expected = unmuffle.enhance(audio, RATE)
    got = unmuffle.enhance(cast(audio, dtype), RATE) / FULL_SCALES[dtype]
    np.testing.assert_allclose(got.astype(np.float64), expected, rtol=0, atol=COARSEST_STEPS[dtype])


@pytest.mark.parametrize("dtype", FULL_SCALES)
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_the_input_is_not_changed_and_not_shared(noisy_speech, dtype, strength):
    given = cast(noisy_speech(RATE), dtype)
    before = given.copy()
    clear = unmuffle.enhance(given, RATE, strength=strength)
    np.testing.assert_array_equal(given, before)
    assert not np.shares_memory(given, clear)


def test_one_row_and_mono_are_the_same(noisy_speech):
    audio = noisy_speech(RATE)
    np.testing.assert_array_equal(unmuffle.enhance(audio[0], RATE), unmuffle.enhance(audio, RATE)[0])


def test_a_strided_view_and_a_list_are_taken(noisy_speech):
    audio = noisy_speech(RATE, channels=2)
    expected = unmuffle.enhance(audio, RATE)
    samples_first = np.ascontiguousarray(audio.T)
    np.testing.assert_array_equal(unmuffle.enhance(samples_first.T, RATE), expected)
    np.testing.assert_array_equal(unmuffle.enhance(audio.tolist(), RATE), expected)


@pytest.mark.parametrize("samples", [1, 2, 100, 511, 512, 513])
def test_audio_shorter_than_a_window_keeps_its_length(samples):
    audio = 0.1 * np.random.default_rng(0).standard_normal((2, samples))
    clear = unmuffle.enhance(audio, RATE)
    assert clear.shape == (2, samples)
    assert np.isfinite(clear).all()


def test_integers_beyond_full_scale_are_held_and_do_not_wrap():
    loud = np.where(np.arange(RATE) // 40 % 2, 32_767, -32_768).astype(np.int16)
    clear = unmuffle.enhance(loud, RATE).astype(int)
    moved = np.abs(clear - loud)
    assert moved.max() < 60_000


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000])
def test_noise_falls_and_speech_stays_at_every_rate(noisy_speech, rate):
    audio = noisy_speech(rate, seconds=3.0)[0]
    clear = unmuffle.enhance(audio, rate)
    window = rate // 20
    energies = [np.square(x[: x.size // window * window].reshape(-1, window)).mean(axis=1) for x in (audio, clear)]
    change_db = 10 * np.log10(energies[1] / energies[0])
    loud = energies[0] > np.quantile(energies[0], 0.8)
    quiet = energies[0] < np.quantile(energies[0], 0.3)
    settled = np.arange(loud.size) > 10
    assert change_db[quiet & settled].mean() < -8.0
    assert change_db[loud & settled].mean() > -1.5


def test_silence_stays_silence():
    assert not unmuffle.enhance(np.zeros((2, RATE)), RATE).any()


@pytest.mark.parametrize("method", ["log-mmse", " Wiener ", "AUTO"])
def test_a_method_is_known_by_its_usual_spellings(noisy_speech, method):
    usual = method.strip().lower().replace("-", "_")
    audio = noisy_speech(RATE, seconds=0.5)
    np.testing.assert_array_equal(
        unmuffle.enhance(audio, RATE, method=method), unmuffle.enhance(audio, RATE, method=usual)
    )
