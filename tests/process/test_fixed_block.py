"""Every block is answered at once, and later by no more than it must be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import Copy, longest_lag, run, white

from unmuffle.denoise import SpectralProcessor
from unmuffle.denoise.suppressors import LogMmse
from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.process import Chain, DryWet, FixedBlock, Processor

several = settings(deadline=None, max_examples=40, derandomize=True)
sizes = st.one_of(st.integers(1, 2000), st.sampled_from([1, 64, 80, 128, 160, 256, 480, 512, 960, 1024]))

KINDS = {
    "spectral": lambda: SpectralProcessor(LogMmse(), 8000, 2),
    "mix": lambda: DryWet(SpectralProcessor(LogMmse(), 8000, 2), 0.5),
    "chain": lambda: Chain([SpectralProcessor(LogMmse(), 8000, 2), SpectralProcessor(LogMmse(), 8000, 2)]),
    "look-ahead": lambda: Copy(37, channels=2),
    "frames": lambda: Copy(60, 24, channels=2),
    "no latency": lambda: Copy(0, channels=2),
}
every_kind = pytest.mark.parametrize("new", KINDS.values(), ids=KINDS)


@every_kind
@several
@given(size=sizes)
def test_output_is_that_of_the_processor_later_by_the_delay(new, size: int):
    fixed = FixedBlock(new(), size)
    delay = fixed.delay
    count = min(300, 8000 // size + 3)
    audio = white(2, count * size)
    answers = [fixed.process(audio[:, at : at + size]) for at in range(0, count * size, size)]
    assert {answer.shape for answer in answers} == {(2, size)}
    rest = fixed.flush()
    assert rest.shape == (2, delay)
    output = np.concatenate([*answers, rest], axis=1)
    assert not output[:, :delay].any()
    np.testing.assert_allclose(output[:, delay:], run(new(), audio), rtol=0, atol=1e-6)


@every_kind
@settings(deadline=None, max_examples=15, derandomize=True)
@given(size=sizes)
def test_the_delay_is_the_least_possible(new, size: int):
    """With one sample less, some block could not be answered in full."""
    assert longest_lag(new(), size, 130 + 800 // size) == FixedBlock(new(), size).delay


@pytest.mark.parametrize(
    ("size", "delay"), [(768, 768), (1536, 768), (256, 1280), (480, 1440), (1, 1535), (160, 1504), (384, 1152)]
)
def test_known_delays_at_48_khz(size: int, delay: int):
    """A block that ends with a frame waits one hop, another one hop and what it may miss of a frame."""
    assert FixedBlock(SpectralProcessor(LogMmse(), 48_000), size).delay == delay


@every_kind
def test_flush_and_reset_are_birth(new):
    audio = white(2, 3000)
    fixed = FixedBlock(new(), 300)

    def stream() -> np.ndarray:
        answers = [fixed.process(audio[:, at : at + 300]) for at in range(0, 3000, 300)]
        return np.concatenate([*answers, fixed.flush()], axis=1)

    first = stream()
    np.testing.assert_array_equal(stream(), first)
    fixed.process(audio[:, 500:800])
    fixed.reset()
    np.testing.assert_array_equal(stream(), first)


@several
@given(size=sizes)
def test_a_channel_that_was_reset_is_silent_until_its_new_sound(size: int):
    new = KINDS["spectral"]
    fixed, undisturbed = FixedBlock(new(), size), FixedBlock(new(), size)
    block = white(2, size)
    for _ in range(1000 // size + 2):
        fixed.process(block)
        undisturbed.process(block)
    fixed.reset(np.array([True, False]))
    silence = np.zeros_like(block)
    for _ in range(1000 // size + 2):
        answer, expected = fixed.process(silence), undisturbed.process(silence)
        assert not answer[0].any()
        np.testing.assert_array_equal(answer[1], expected[1])


def test_an_answer_is_the_callers_own():
    fixed = FixedBlock(Copy(10), 20)
    answers = [fixed.process(np.full((1, 20), value, np.float32)) for value in (1, 2, 3)]
    np.testing.assert_array_equal(np.concatenate(answers, axis=1)[0], [0] * 10 + [1] * 20 + [2] * 20 + [3] * 10)


@pytest.mark.parametrize("shape", [(2, 99), (2, 101), (1, 100), (100, 2), (100,), (2, 0)])
def test_a_block_of_another_shape_is_refused_and_does_no_harm(shape: tuple[int, ...]):
    fixed = FixedBlock(Copy(10, channels=2), 100)
    with pytest.raises(InvalidAudioError, match=r"blocks of shape \[2, 100\]"):
        fixed.process(np.zeros(shape, np.float32))
    audio = white(2, 100)
    np.testing.assert_array_equal(fixed.process(audio)[:, 10:], audio[:, :90])


@pytest.mark.parametrize("size", [0, -5, 1.5, True, float("nan"), float("inf"), "480"])
def test_a_block_size_must_be_a_whole_number(size: object):
    with pytest.raises(InvalidParameterError, match="block_size"):
        FixedBlock(Copy(0), size)


def test_nothing_is_owed_without_latency():
    fixed = FixedBlock(Copy(0), 64)
    assert fixed.delay == 0
    assert fixed.flush().shape == (1, 0)
    assert isinstance(fixed.processor, Processor)
