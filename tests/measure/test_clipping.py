"""Flat tops are counted, peaks are not."""

from __future__ import annotations

import numpy as np
import pytest
from measure_signals import low_passed, noise, speech_like

from unmuffle.measure import ClippingMeter, measure_clipping


def runs_of_three(clipped: np.ndarray) -> tuple[int, int]:
    """Count samples and runs by hand."""
    samples = runs = length = 0
    for flag in [*clipped.tolist(), False]:
        if flag:
            length += 1
            continue
        if length >= 3:
            samples, runs = samples + length, runs + 1
        length = 0
    return samples, runs


def to_int16(audio: np.ndarray) -> np.ndarray:
    return np.clip(np.round(audio * 32768.0), -32768, 32767) / 32768.0


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("level", [1.0, 0.5, 0.02])
@pytest.mark.parametrize("as_file", [np.float32, to_int16])
def test_clipped_speech_is_counted(rate, level, as_file):
    speech = low_passed(speech_like(rate, 4.0), rate, 1500.0)
    speech *= level * 4.0 / np.abs(speech).max()
    clipped = as_file(np.clip(speech, -level, level))
    found = measure_clipping(clipped, rate)
    up, down = runs_of_three(clipped == clipped.max()), runs_of_three(clipped == clipped.min())
    assert found.runs == up[1] + down[1] > 0
    assert found.share == pytest.approx((up[0] + down[0]) / clipped.size, rel=1e-9)
    assert found.channels[0].level_dbfs == pytest.approx(20.0 * np.log10(level), abs=0.1)


def test_a_single_flat_top_in_long_speech_is_found():
    speech = speech_like(48000, 10.0)
    limit = np.sort(np.abs(speech))[-8]
    clipped = np.clip(speech, -limit, limit)
    up, down = runs_of_three(clipped == limit), runs_of_three(clipped == -limit)
    assert measure_clipping(clipped, 48000).runs == up[1] + down[1]


def test_only_one_side():
    speech = speech_like(16000, 3.0)
    clipped = np.minimum(speech, 0.3 * speech.max())
    assert measure_clipping(clipped, 16000).runs == runs_of_three(clipped == clipped.max())[1]


def test_channels_are_told_apart():
    speech = speech_like(16000, 3.0)
    found = measure_clipping(np.stack([speech, np.clip(speech, -0.1, 0.1)]), 16000)
    assert found.channels[0].runs == 0
    assert found.channels[1].runs == found.runs > 0
    assert found.share == pytest.approx(found.channels[1].share / 2.0)


@pytest.mark.parametrize("as_file", [np.float32, to_int16])
@pytest.mark.parametrize("peak", [1.0, 0.9, 0.1, 0.01])
def test_normalised_speech_is_not_clipped(as_file, peak):
    for seed in range(8):
        speech = speech_like(48000, 2.0, seed)
        assert measure_clipping(as_file(peak * speech / np.abs(speech).max()), 48000).runs == 0


@pytest.mark.parametrize("as_file", [np.float32, to_int16])
@pytest.mark.parametrize("hz", [20.0, 50.0, 100.0, 440.0, 997.0, 1000.0, 6000.0, 12000.0])
@pytest.mark.parametrize("peak", [1.0, 0.5, 0.03])
def test_sines_are_not_clipped(as_file, hz, peak):
    for phase in (0.0, 0.25 * np.pi, 0.5 * np.pi, 1.0):
        sine = peak * np.sin(2.0 * np.pi * hz * np.arange(96000) / 48000 + phase)
        assert measure_clipping(as_file(sine), 48000).runs == 0


@pytest.mark.parametrize("audio", [0.2 * noise(48000, 2.0), np.zeros(9000), np.full(9000, 0.5), np.ones(1), np.ones(2)])
def test_noise_silence_and_constants_are_not_clipped(audio):
    assert measure_clipping(audio, 48000).runs == 0


def test_a_top_that_spans_blocks_is_one_run():
    audio = np.random.default_rng(0).uniform(-0.4, 0.4, 1000).astype(np.float32)
    audio[500:510] = 0.5
    meter = ClippingMeter(8000)
    for start in range(0, 1000, 3):
        meter.process(audio[None, start : start + 3])
    assert meter.result().runs == 1
    assert meter.result().share == pytest.approx(0.01)


def test_a_top_at_either_end_is_seen():
    audio = np.random.default_rng(0).uniform(-0.4, 0.4, 1000)
    audio[:4] = audio[-3:] = 0.5
    assert measure_clipping(audio, 8000).runs == 2


def test_before_any_sample():
    assert ClippingMeter(48000, 2).result().runs == 0
