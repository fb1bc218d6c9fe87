"""Integers are rounded half to even, held at full scale and never wrapped."""

from __future__ import annotations

import io

import numpy as np
import pytest
from file_support import read, write

from unmuffle.errors import InvalidAudioError
from unmuffle.signal.files import AudioInfo, open_writer


def stored(values, bits):
    destination = io.BytesIO()
    writer = write(destination, np.array([values], np.float32), sample_format=f"s{bits}")
    samples, _ = read(destination.getvalue())
    return (samples[0].astype(np.float64) * 2 ** (bits - 1)).round().astype(int).tolist(), writer


@pytest.mark.parametrize("bits", [16, 24])
def test_halves_go_to_the_even_neighbour(bits):
    step = 2.0 ** (1 - bits)
    values, _ = stored([0.5 * step, 1.5 * step, 2.5 * step, -0.5 * step, -1.5 * step], 16 if bits == 16 else 24)
    assert values == [0, 2, 2, 0, -2]


@pytest.mark.parametrize("bits", [16, 24, 32])
def test_too_loud_is_held_and_counted(bits):
    values, writer = stored([1.5, -1.5, 1.0, -1.0, 0.0, 100.0], bits)
    high, low = 2 ** (bits - 1) - 1, -(2 ** (bits - 1))
    # A float32 cannot hold 2^31 - 1: reading it back gives the next one above.
    high = high + 1 if bits == 32 else high
    assert values == [high, low, high, low, 0, high]
    assert writer.clipped_samples == 3


def test_nan_becomes_silence_in_integers_and_is_told():
    values, writer = stored([0.5, np.nan, np.inf], 16)
    assert values == [16384, 0, 32767]
    assert "1 samples were not numbers" in writer.warnings[0]


@pytest.mark.parametrize("block", [np.zeros((2, 5), np.float32), np.zeros(5, np.float32), np.zeros((1, 5), np.int16)])
def test_blocks_that_do_not_fit_are_refused(block):
    writer = open_writer(io.BytesIO(), AudioInfo(8000, 1))
    with pytest.raises(InvalidAudioError, match=r"give float32 \[1, n\]"):
        writer.write(block)
    writer.abort()


def test_a_closed_writer_takes_nothing(tmp_path):
    with open_writer(tmp_path / "a.wav", AudioInfo(8000, 1)) as writer:
        writer.write(np.zeros((1, 4), np.float32))
    with pytest.raises(InvalidAudioError, match="already closed"):
        writer.write(np.zeros((1, 4), np.float32))
