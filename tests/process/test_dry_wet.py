"""The dry share is in phase with the wet one, and what was removed is what is missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import Copy, run, white

from unmuffle.denoise import SpectralProcessor
from unmuffle.denoise.suppressors import LogMmse
from unmuffle.errors import InvalidParameterError
from unmuffle.process import DryWet, wet_share

several = settings(deadline=None, max_examples=60, derandomize=True)
shares = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0.0, 1.0))


def spectral(rate: int = 16_000, channels: int = 2) -> SpectralProcessor:
    return SpectralProcessor(LogMmse(), rate, channels)


@several
@given(strength=shares, limit_db=st.one_of(st.none(), st.floats(0.0, 100.0)))
def test_nothing_is_attenuated_by_more_than_the_limit(strength: float, limit_db: float | None):
    """Where the processor gives nothing, what is left is the dry share."""
    share = wet_share(strength, limit_db)
    assert 0.0 <= share <= 1.0
    if limit_db is None:
        assert share == strength
    else:
        assert wet_share(1.0, limit_db) == pytest.approx(1.0 - 10.0 ** (-limit_db / 20.0))
        assert share == pytest.approx(strength * wet_share(1.0, limit_db))
    audio = white(1, 100)
    mixed = run(DryWet(Copy(10, gain=0.0), strength, limit_db), audio)
    np.testing.assert_allclose(mixed, (1.0 - share) * audio, rtol=0, atol=1e-6)


@pytest.mark.parametrize(("limit_db", "left"), [(20.0, 0.1), (6.0206, 0.5), (40.0, 0.01), (0.0, 1.0)])
def test_known_limits(limit_db: float, left: float):
    assert 1.0 - wet_share(1.0, limit_db) == pytest.approx(left, rel=1e-5)


@several
@given(
    latency=st.integers(7, 60),
    period=st.sampled_from([1, 4, 8]),
    strength=shares,
    size=st.integers(1, 100),
    gain=st.sampled_from([1.0, 0.5, -1.0]),
)
def test_dry_and_wet_are_in_phase(latency: int, period: int, strength: float, size: int, gain: float):
    audio = white(2, 300)
    mix = DryWet(Copy(latency, period, gain=gain, channels=2), strength)
    np.testing.assert_allclose(run(mix, audio, size), (1.0 + strength * (gain - 1.0)) * audio, rtol=0, atol=2e-7)
    assert mix.latency == latency
    assert mix.block_period == period


@several
@given(strength=shares, size=st.integers(1, 3000), samples=st.integers(0, 6000))
def test_enhanced_and_residual_add_up_to_the_input(strength: float, size: int, samples: int):
    audio = white(2, samples)
    enhanced = run(DryWet(spectral(), strength), audio, size)
    removed = run(DryWet(spectral(), strength, residual=True), audio, size)
    np.testing.assert_allclose(enhanced + removed, audio, rtol=0, atol=1e-6)


@several
@given(strength=shares, size=st.integers(1, 3000), residual=st.booleans())
def test_split_gives_both_and_they_add_up_to_the_input(strength: float, size: int, residual: bool):
    audio = white(2, 5000)
    mix = DryWet(spectral(), strength, residual=residual)
    pairs = [mix.split(audio[:, at : at + size]) for at in range(0, 5000, size)]
    pairs.append(mix.flush_split())
    enhanced, removed = (np.concatenate(parts, axis=1) for parts in zip(*pairs, strict=True))
    np.testing.assert_allclose(enhanced + removed, audio, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(enhanced, run(DryWet(spectral(), strength), audio, size))
    np.testing.assert_array_equal(removed, run(DryWet(spectral(), strength, residual=True), audio, size))
    # And the stream is as new.
    np.testing.assert_array_equal(run(mix, audio), (removed, enhanced)[not residual])


def test_full_strength_is_the_processor_bit_for_bit():
    audio = white(2, 5000)
    np.testing.assert_array_equal(run(DryWet(spectral()), audio, 300), run(spectral(), audio))


@several
@given(
    rate=st.sampled_from([8000, 44_100, 192_000]),
    before=shares,
    after=shares,
    size=st.integers(50, 2000),
)
def test_a_change_of_strength_glides(rate: int, before: float, after: float, size: int):
    """Constant input and a processor that gives nothing: the output is the dry share itself."""
    mix = DryWet(Copy(20, gain=0.0, rate=rate), before)
    ones = np.ones((1, size), np.float32)
    mix.process(ones)
    mix.strength = after
    assert mix.strength == after
    blocks = rate // 10 // size + 2
    output = np.concatenate([mix.process(ones) for _ in range(blocks)], axis=1)[0]
    path = np.concatenate(([1.0 - before], output.astype(np.float64)))
    assert np.abs(np.diff(path)).max() <= 1.0 / (0.02 * rate) + 2e-7
    assert output[-1] == pytest.approx(1.0 - after, abs=1e-6)
    ramp = int(np.ceil(0.02 * rate * abs(after - before))) + 1
    np.testing.assert_allclose(output[ramp:], 1.0 - after, atol=1e-6)
    halfway = int(0.01 * rate * abs(after - before))
    assert output[halfway] == pytest.approx(1.0 - (before + after) / 2, abs=2.0 / (0.02 * rate) + 1e-6)


@several
@given(sizes=st.lists(st.integers(0, 200), min_size=1, max_size=8))
def test_a_glide_does_not_depend_on_blocks(sizes: list[int]):
    audio = white(1, 2000)
    outputs = []
    for cut in ([1000], [1000 + size for size in np.cumsum(sizes)]):
        mix = DryWet(Copy(20, gain=0.0), 0.1)
        before = mix.process(audio[:, :1000])
        mix.strength = 0.9
        pieces = [mix.process(block) for block in np.split(audio, [1000, *cut], axis=1)[1:]]
        outputs.append(np.concatenate([before, *pieces, mix.flush()], axis=1))
    np.testing.assert_allclose(*outputs, rtol=0, atol=1e-6)


def test_a_changed_strength_ends_at_the_exact_value():
    audio = white(1, 2000)
    mix = DryWet(Copy(0, gain=0.3), 1.0)
    mix.process(audio)
    mix.strength = 0.0
    mix.process(audio)
    np.testing.assert_array_equal(mix.process(audio), audio)


def test_reset_keeps_the_strength_and_ends_the_glide():
    mix = DryWet(Copy(20, gain=0.0), 1.0)
    mix.process(white(1, 50))
    mix.strength = 0.0
    mix.reset()
    audio = white(1, 200)
    np.testing.assert_array_equal(run(mix, audio), audio)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_strength_out_of_range_is_named_and_changes_nothing(strength: float):
    with pytest.raises(InvalidParameterError, match="strength is"):
        DryWet(Copy(0), strength)
    mix = DryWet(Copy(0, gain=0.0), 0.25)
    with pytest.raises(InvalidParameterError, match="strength is"):
        mix.strength = strength
    assert mix.strength == 0.25
    np.testing.assert_allclose(run(mix, np.ones((1, 9), np.float32)), 0.75)


@pytest.mark.parametrize("limit_db", [-1.0, float("nan"), -float("inf")])
def test_a_limit_out_of_range_is_named(limit_db: float):
    with pytest.raises(InvalidParameterError, match="max_attenuation_db is"):
        DryWet(Copy(0), max_attenuation_db=limit_db)


def test_an_infinite_limit_is_none():
    assert wet_share(0.7, float("inf")) == 0.7


def test_a_wrong_block_does_no_harm():
    audio = white(2, 4000)
    mix = DryWet(spectral(), 0.5)
    first = mix.process(audio[:, :1000])
    for wrong in (white(3, 10), white(2, 10)[0], np.full((2, 10), np.nan), np.zeros((2, 10), np.int16)):
        with pytest.raises(ValueError, match=r"block|NaN"):
            mix.split(wrong)
    rest = run(mix, audio[:, 1000:])
    np.testing.assert_array_equal(np.concatenate((first, rest), axis=1), run(DryWet(spectral(), 0.5), audio))
