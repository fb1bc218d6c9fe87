"""How much of the effect is heard: none of it bit for bit, no more than was allowed, and what was removed."""

from __future__ import annotations

import numpy as np
import pytest

import unmuffle

RATE = 16_000


@pytest.mark.parametrize("shape", [(4_000,), (2, 4_000)])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int16", "int32"])
@pytest.mark.parametrize("settings", [{"strength": 0.0}, {"max_attenuation_db": 0.0}])
def test_no_strength_gives_the_input_bit_for_bit(shape, dtype, settings):
    rng = np.random.default_rng(0)
    if dtype.startswith("int"):
        limits = np.iinfo(dtype)
        audio = rng.integers(limits.min, limits.max, shape, dtype=dtype, endpoint=True)
    else:
        # Full precision of the type, and beyond full scale.
        audio = (1.5 * rng.standard_normal(shape)).astype(dtype)
    clear = unmuffle.enhance(audio, RATE, **settings)
    assert clear.dtype == audio.dtype
    assert clear.tobytes() == audio.tobytes()


@pytest.mark.parametrize("limit_db", [3.0, 6.0, 12.0])
@pytest.mark.parametrize("method", ["auto", "spectral_subtraction", "multiband"])
def test_noise_is_attenuated_by_no_more_than_the_limit(limit_db, method):
    noise = 0.05 * np.random.default_rng(1).standard_normal(4 * RATE)
    settled = slice(2 * RATE, None)

    def attenuation_db(**settings):
        clear = unmuffle.enhance(noise, RATE, method=method, **settings)[settled].reshape(-1, RATE // 10)
        given = noise[settled].reshape(-1, RATE // 10)
        return -10 * np.log10(np.square(clear).mean(axis=1) / np.square(given).mean(axis=1))

    assert attenuation_db().mean() > limit_db
    limited = attenuation_db(max_attenuation_db=limit_db)
    assert limited.max() <= limit_db + 0.01
    assert limited.mean() > 0.6 * limit_db


def test_half_the_strength_lies_halfway(noisy_speech):
    audio = noisy_speech(RATE)
    all_of_it = unmuffle.enhance(audio, RATE)
    half = unmuffle.enhance(audio, RATE, strength=0.5)
    np.testing.assert_allclose(half, 0.5 * (audio + all_of_it), atol=1e-6)


@pytest.mark.parametrize("settings", [{}, {"strength": 0.4}, {"max_attenuation_db": 9.0}, {"strength": 0.0}])
def test_kept_and_removed_add_up_to_the_input(noisy_speech, settings):
    audio = noisy_speech(RATE, channels=2)
    kept = unmuffle.enhance(audio, RATE, **settings)
    removed = unmuffle.enhance(audio, RATE, residual=True, **settings)
    np.testing.assert_allclose(kept + removed, audio, rtol=0, atol=1e-6)
    assert removed.any() == (settings.get("strength") != 0.0)


def test_kept_and_removed_add_up_in_integers(noisy_speech):
    audio = np.rint(noisy_speech(RATE) * 2.0**15).astype(np.int16)
    kept = unmuffle.enhance(audio, RATE).astype(int)
    removed = unmuffle.enhance(audio, RATE, residual=True).astype(int)
    assert np.abs(kept + removed - audio).max() <= 1


def test_a_stream_of_no_strength_gives_the_input_bit_for_bit(noisy_speech):
    audio = np.rint(noisy_speech(48_000, seconds=0.5) * 2.0**15).astype(np.int16)
    stream = unmuffle.open_stream(48_000, strength=0.0)
    out = np.concatenate([stream.process(audio), stream.flush()], axis=1)
    np.testing.assert_array_equal(out, audio)


@pytest.mark.parametrize(("before", "after"), [(1.0, 0.0), (0.0, 1.0), (1.0, 0.3)])
def test_strength_set_in_mid_stream_glides(noisy_speech, before, after):
    audio = noisy_speech(RATE, seconds=1.0).astype(np.float32)
    audio = audio[:, : audio.shape[1] // 160 * 160]
    wet = unmuffle.enhance(audio, RATE)
    stream = unmuffle.open_stream(RATE, block_size=160, strength=before)
    out = []
    for index, block in enumerate(np.split(audio, audio.shape[1] // 160, axis=1)):
        if index == 50:
            stream.strength = after
            assert stream.strength == after
        out.append(stream.process(block))
    got = np.concatenate([*out, stream.flush()], axis=1)[0, stream.latency :]
    dry, wet = audio[0], wet[0]
    # By the time of the change the output had come to here; from there the share moves steadily for 20 ms at most.
    start, stop = 50 * 160 - stream.latency, 50 * 160 + round(0.02 * RATE)
    np.testing.assert_allclose(got[:start], dry[:start] + before * (wet - dry)[:start], atol=1e-6)
    np.testing.assert_allclose(got[stop:], dry[stop:] + after * (wet - dry)[stop:], atol=1e-6)
    telling = np.abs(wet - dry)[start:stop] > 1e-3
    shares = ((got - dry)[start:stop][telling]) / (wet - dry)[start:stop][telling]
    steps = np.diff(shares) * np.sign(after - before)
    gaps = np.diff(np.flatnonzero(telling))
    assert telling.sum() > 50
    assert (steps > -1e-3).all()
    assert (steps < gaps / (0.02 * RATE) + 1e-3).all()


def test_strength_out_of_range_is_refused_in_mid_stream_and_changes_nothing():
    stream = unmuffle.open_stream(RATE, strength=0.5)
    with pytest.raises(unmuffle.InvalidParameterError, match=r"strength is 1\.5"):
        stream.strength = 1.5
    assert stream.strength == 0.5
