"""Momentary and short-term loudness over time, and the weights of channel layouts."""

from __future__ import annotations

import numpy as np
import pytest

from unmuffle.level import LoudnessMeter, integrated_loudness, weights_of_layout
from unmuffle.signal.files.layouts import LAYOUT_MASKS

RATE = 48_000


def tone(parts, rate=RATE):
    """Stereo sine of 1 kHz, in parts of (dBFS of the peaks, seconds)."""
    level = np.concatenate([np.full(round(seconds * rate), 10.0 ** (dbfs / 20.0)) for dbfs, seconds in parts])
    sine = level * np.sin(2 * np.pi * 1000.0 * np.arange(level.size) / rate)
    return np.stack([sine, sine]).astype(np.float32)


def metered(audio, rate=RATE, size=None):
    meter = LoudnessMeter(rate, len(audio))
    for at in range(0, audio.shape[1], size or audio.shape[1]):
        meter.process(audio[:, at : at + (size or audio.shape[1])])
    return meter


@pytest.mark.parametrize("number", range(20))
def test_ebu_tech_3341_case_13_momentary_maximum(number):
    meter = metered(tone([(-120.0, 0.02 * number), (-23.0, 0.4), (-120.0, 1.0)]))
    assert meter.momentary_max_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("number", range(20))
def test_ebu_tech_3341_case_10_short_term_maximum_at_every_place(number):
    meter = metered(tone([(-120.0, 0.15 * number), (-23.0, 3.0), (-120.0, 1.0)]))
    assert meter.short_term_max_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("number", range(20))
def test_ebu_tech_3341_case_14_maxima_of_rising_bursts(number):
    # One after the other in one stream: -38, -37, ... dBFS, each shifted by 20 ms more.
    parts = [
        part for k in range(number + 1) for part in [(-120.0, 0.02 * k), (-38.0 + k, 0.4), (-120.0, 1.0 - 0.02 * k)]
    ]
    assert metered(tone(parts)).momentary_max_lufs == pytest.approx(-38.0 + number, abs=0.1)


@pytest.mark.parametrize("rate", [11_025, 44_100, 48_000])
def test_series_are_the_means_of_their_windows(rate):
    rng = np.random.default_rng(0)
    audio = (
        rng.standard_normal((1, 5 * rate)) * np.repeat(10.0 ** rng.uniform(-2.0, -1.0, 50), rate // 10 + 1)[: 5 * rate]
    )
    meter = metered(audio.astype(np.float32), rate)
    for seconds, series in ((0.4, meter.momentary_lufs), (3.0, meter.short_term_lufs)):
        assert series.size == round(10 * (5.0 - seconds)) + 1
        # One window alone, with the filter settled before it: without a gate it is the loudness of that window.
        k = 17
        start = k * rate // 10
        alone = metered(audio[:, start : start + round(seconds * rate)].astype(np.float32), rate)
        window = alone.momentary_lufs[0] if seconds == 0.4 else alone.short_term_lufs[0]
        assert series[k] == pytest.approx(window, abs=0.05)


def test_maxima_are_those_of_the_series_or_between_them():
    rng = np.random.default_rng(1)
    audio = rng.standard_normal((2, 6 * RATE)) * np.repeat(10.0 ** rng.uniform(-2.0, -1.0, 40), 7200)
    meter = metered(audio.astype(np.float32))
    assert 0.0 <= meter.momentary_max_lufs - meter.momentary_lufs.max() < 1.0
    assert 0.0 <= meter.short_term_max_lufs - meter.short_term_lufs.max() < 0.2


@pytest.mark.parametrize("size", [100, 480, 7777])
def test_a_stream_has_the_same_series_as_the_whole(size):
    audio = tone([(-30.0, 2.0), (-20.0, 2.5), (-40.0, 1.0)])
    whole, stream = metered(audio), metered(audio, size=size)
    np.testing.assert_allclose(stream.momentary_lufs, whole.momentary_lufs, atol=1e-9)
    np.testing.assert_allclose(stream.short_term_lufs, whole.short_term_lufs, atol=1e-9)
    assert stream.momentary_max_lufs == pytest.approx(whole.momentary_max_lufs, abs=1e-9)


def test_too_little_has_no_values():
    meter = metered(tone([(-20.0, 0.39)]))
    assert meter.momentary_lufs.size == meter.short_term_lufs.size == 0


@pytest.mark.parametrize("layout", LAYOUT_MASKS)
def test_every_layout_has_a_weight_for_each_of_its_channels(layout):
    channels = bin(LAYOUT_MASKS[layout]).count("1")
    weights = weights_of_layout(layout, channels)
    assert len(weights) == channels
    # The bits of a speaker mask are in the order of the channels; the fourth is for low frequencies, and it alone is 0.
    bits = [bit for bit in range(18) if LAYOUT_MASKS[layout] >> bit & 1]
    assert [weight == 0.0 for weight in weights] == [bit == 3 for bit in bits]


def test_in_7_1_the_sides_weigh_more_and_the_back_does_not():
    # BS.1770, annex 3: 1.5 dB within 60 to 120 degrees; 7.1 has its sides at 90 and its back at 135.
    audio = np.zeros((8, 2 * RATE))
    levels = []
    for channel in range(8):
        alone = audio.copy()
        alone[channel] = 0.1 * np.sin(2 * np.pi * 997.0 * np.arange(2 * RATE) / RATE)
        levels.append(integrated_loudness(alone, RATE, weights_of_layout("7.1", 8)))
    relative = np.array(levels) - levels[0]
    np.testing.assert_allclose(relative, [0.0, 0.0, 0.0, -np.inf, 0.0, 0.0, 1.5, 1.5], atol=1e-9)


@pytest.mark.parametrize("channels", [1, 2, 5, 6, 8, 13])
def test_unknown_layouts_have_weights_too(channels):
    assert len(weights_of_layout("unknown", channels)) == channels
    assert weights_of_layout("stereo", channels)[:2] == (1.0, 1.0)[:channels]
