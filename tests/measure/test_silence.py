"""Silence is found where it was put."""

from __future__ import annotations

import numpy as np
import pytest
from measure_signals import noise

from unmuffle.measure import SilenceMeter, detect_silence

FRAME_S = 0.02


def gaps(rate: int, floor: float) -> np.ndarray:
    """Return ten seconds of noise that is at the floor for 0-1 s, 4-4.5 s and 8-10 s."""
    audio = 0.1 * noise(rate, 10.0)
    for start, stop in [(0.0, 1.0), (4.0, 4.5), (8.0, 10.0)]:
        part = slice(round(start * rate), round(stop * rate))
        audio[part] *= floor / 0.1
    return audio


@pytest.mark.parametrize("rate", [8000, 11025, 44100, 48000])
@pytest.mark.parametrize("floor", [0.0, 1e-5, 1e-3, 5e-3])
def test_spans_are_where_they_were_put(rate, floor):
    found = detect_silence(gaps(rate, floor), rate)
    wanted = [(0.0, 1.0), (4.0, 4.5), (8.0, 10.0)]
    assert np.array(found.spans) == pytest.approx(np.array(wanted), abs=2.0 * FRAME_S)
    assert found.quiet_share == pytest.approx(0.35, abs=0.01)
    assert found.leading_s == pytest.approx(1.0, abs=2.0 * FRAME_S)
    assert found.trailing_s == pytest.approx(2.0, abs=2.0 * FRAME_S)
    assert found.digital_share == pytest.approx(0.35 if floor == 0.0 else 0.0, abs=0.01)


@pytest.mark.parametrize("level", [1e-3, 0.1])
def test_steady_noise_has_no_silence(level):
    found = detect_silence(level * noise(16000, 5.0), 16000)
    assert found.quiet_share == 0.0
    assert found.spans == ()
    assert found.leading_s == found.trailing_s == 0.0


def test_a_constant_is_digital_silence():
    audio = 0.1 * noise(16000, 2.0)
    audio[:16000] = 0.03
    assert detect_silence(audio, 16000).digital_share == pytest.approx(0.5, abs=0.01)


def test_a_channel_that_goes_on_breaks_silence():
    audio = np.stack([gaps(16000, 0.0), 0.1 * noise(16000, 10.0, 1)])
    assert detect_silence(audio, 16000).quiet_share == 0.0


def test_at_most_ten_spans_the_longest():
    rate = 8000
    pieces = []
    for index in range(20):
        pieces += [0.1 * noise(rate, 0.5, index), np.zeros(round(rate * (0.4 + 0.02 * index)))]
    found = detect_silence(np.concatenate(pieces), rate)
    assert len(found.spans) == 10
    assert min(stop - start for start, stop in found.spans) > 0.55
    assert list(found.spans) == sorted(found.spans)


def test_all_silent():
    found = detect_silence(np.zeros(12345), 16000)
    assert found.digital_share == found.quiet_share == 1.0
    assert found.leading_s == found.trailing_s == pytest.approx(12345 / 16000)
    assert found.spans == ((0.0, pytest.approx(12345 / 16000)),)
    assert found.threshold_dbfs is None


def test_a_single_sample_is_no_silence():
    assert detect_silence(np.array([0.5]), 16000).quiet_share == 0.0


def test_before_any_sample():
    assert SilenceMeter(16000).result().quiet_share == 0.0
