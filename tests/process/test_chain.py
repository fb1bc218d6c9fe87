"""A chain is its processors one behind the other, as late as they are together, and no later than it says."""

from __future__ import annotations

from math import lcm

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import Copy, Counter, longest_lag, run, white

from unmuffle.denoise import SpectralProcessor
from unmuffle.denoise.suppressors import LogMmse, WienerFilter
from unmuffle.errors import InvalidParameterError
from unmuffle.process import Chain, DryWet, FixedBlock

several = settings(deadline=None, max_examples=60, derandomize=True)


@st.composite
def copies(draw: st.DrawFn) -> tuple[int, int]:
    period = draw(st.one_of(st.just(1), st.sampled_from([2, 4, 6, 8, 12])))
    return draw(st.integers(period - 1, 40)), period


members = st.lists(copies(), min_size=1, max_size=4)


def chain_of(parameters: list[tuple[int, int]]) -> Chain:
    return Chain([Copy(latency, period) for latency, period in parameters])


@several
@given(parameters=members)
def test_latencies_add_up(parameters: list[tuple[int, int]]):
    chain = chain_of(parameters)
    assert chain.latency == sum(latency for latency, _ in parameters)
    assert chain.latency_ms == pytest.approx(chain.latency / 16.0)
    assert chain.block_period == lcm(*(period for _, period in parameters))


@several
@given(parameters=members, size=st.integers(1, 50))
def test_delay_is_the_longest_lag_and_not_more(parameters: list[tuple[int, int]], size: int):
    chain = chain_of(parameters)
    told = chain.delay_for(size)
    assert told <= chain.latency
    assert longest_lag(chain_of(parameters), size, 2 * lcm(*(period for _, period in parameters)) + 200) == told


@several
@given(parameters=members, size=st.integers(1, 50))
def test_delay_is_the_same_inside_a_mix_and_a_chain(parameters: list[tuple[int, int]], size: int):
    nested = Chain([DryWet(chain_of(parameters), strength=0.5), Copy(3)])
    assert nested.delay_for(size) == chain_of([*parameters, (3, 1)]).delay_for(size)


@settings(deadline=None, max_examples=12, derandomize=True)
@given(size=st.sampled_from([1, 5, 64, 80, 96, 127, 128, 129, 160, 256, 300, 384]))
def test_delay_of_spectral_processors_is_the_longest_lag(size: int):
    def chain() -> Chain:
        return Chain([SpectralProcessor(LogMmse(), 8000), Copy(5, rate=8000), SpectralProcessor(WienerFilter(), 8000)])

    assert longest_lag(chain(), size, 128 + 8 * 128 // size) == chain().delay_for(size)


@several
@given(parameters=members, received=st.integers(0, 300))
def test_complete_after_is_what_comes_out(parameters: list[tuple[int, int]], received: int):
    chain = chain_of(parameters)
    assert chain.process(white(1, received)).shape[1] == chain.complete_after(received)


@several
@given(parameters=members, samples=st.integers(0, 200), size=st.integers(1, 50))
def test_each_works_on_what_the_one_before_gives(parameters: list[tuple[int, int]], samples: int, size: int):
    audio = white(1, samples)
    chain = Chain([Copy(latency, period, gain=0.5) for latency, period in parameters])
    np.testing.assert_array_equal(run(chain, audio, size), audio * 0.5 ** len(parameters))
    np.testing.assert_array_equal(run(chain, audio), audio * 0.5 ** len(parameters))


def test_order_matters():
    audio = np.ones((1, 4), np.float32)
    np.testing.assert_array_equal(run(Chain([Copy(0, gain=2.0), Counter()]), audio), [[2, 3, 4, 5]])
    np.testing.assert_array_equal(run(Chain([Counter(), Copy(0, gain=2.0)]), audio), [[2, 4, 6, 8]])


@several
@given(
    latency=st.integers(0, 30),
    born_at=st.lists(st.integers(0, 60), min_size=1, max_size=3).map(sorted),
    size=st.integers(1, 70),
)
def test_a_channel_is_born_again_at_the_same_sample_in_every_processor(latency: int, born_at: list[int], size: int):
    """Behind a look-ahead, the second processor gets the new sound later, and must not be reset before."""
    chain = Chain([Copy(latency, channels=2), Counter(channels=2), Copy(7, channels=2), Counter(channels=2)])
    cuts = sorted({*born_at, *range(0, 100, size)} - {0})
    pieces = []
    for start, stop in zip([0, *cuts], [*cuts, 100], strict=True):
        if start in born_at:
            chain.reset(np.array([True, False]))
        pieces.append(chain.process(np.zeros((2, stop - start), np.float32)))
    output = np.concatenate([*pieces, chain.flush()], axis=1)
    np.testing.assert_array_equal(output[1], 2.0 * np.arange(100))
    born = born_at[-1]
    np.testing.assert_array_equal(output[0, born:], 2.0 * np.arange(100 - born))


def test_reset_of_all_forgets_a_birth_that_was_to_come():
    chain = Chain([Copy(10, channels=2), Counter(channels=2)])
    chain.process(np.zeros((2, 20), np.float32))
    chain.reset(np.array([True, False]))
    chain.reset()
    np.testing.assert_array_equal(run(chain, np.zeros((2, 50), np.float32)), np.tile(np.arange(50.0), (2, 1)))


def test_the_mask_of_a_reset_belongs_to_the_caller():
    chain = Chain([Copy(10, channels=2), Counter(channels=2)])
    chain.process(np.zeros((2, 20), np.float32))
    mask = np.array([True, False])
    chain.reset(mask)
    mask[:] = True
    output = run(chain, np.zeros((2, 30), np.float32))
    np.testing.assert_array_equal(output[1], 10.0 + np.arange(40))


def test_no_processor_at_all():
    with pytest.raises(InvalidParameterError, match="at least one"):
        Chain([])


@pytest.mark.parametrize("other", [Copy(0, rate=48_000), Copy(0, channels=2)])
def test_processors_that_do_not_fit_are_named(other: Copy):
    with pytest.raises(InvalidParameterError, match=r"processor 1 of the chain \(Copy\)"):
        Chain([Copy(0), other])


@pytest.mark.parametrize("mask", [[True], [1, 0], [[True, False]], [True, False, True]])
def test_a_mask_that_does_not_fit_is_refused(mask: list):
    with pytest.raises(InvalidParameterError, match="2 booleans"):
        Chain([Copy(0, channels=2)]).reset(mask)


@pytest.mark.parametrize("channels", [0, -1, 1.5, True, float("nan"), "two"])
def test_channels_must_be_a_whole_number(channels: object):
    with pytest.raises(InvalidParameterError, match="channels"):
        Copy(0, channels=channels)


def test_a_chain_fits_into_fixed_blocks():
    fixed = FixedBlock(Chain([Copy(15, 8), Copy(4), Copy(20, 6)]), 10)
    audio = white(1, 500)
    output = np.concatenate([fixed.process(audio[:, at : at + 10]) for at in range(0, 500, 10)], axis=1)
    np.testing.assert_array_equal(output[:, fixed.delay :], audio[:, : 500 - fixed.delay])


def test_a_linked_member_is_refused_a_mask_before_any_member_forgets():
    free = SpectralProcessor(WienerFilter(), 16_000, 2)
    linked = SpectralProcessor(WienerFilter(), 16_000, 2, link_channels=True)
    chain = Chain([free, linked])
    noise = np.random.default_rng(0).standard_normal((2, 4_000)).astype(np.float32)
    for processor in (chain, DryWet(chain, 0.5)):
        processor.reset()
        expected = np.concatenate((processor.process(noise), processor.flush()), axis=1)
        first = processor.process(noise[:, :2_000])
        with pytest.raises(InvalidParameterError, match="reset all"):
            processor.reset([True, False])
        got = np.concatenate((first, processor.process(noise[:, 2_000:]), processor.flush()), axis=1)
        np.testing.assert_array_equal(got, expected)
