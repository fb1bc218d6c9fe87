"""Loudness range and short-term loudness against the synthetic signals of EBU Tech 3342 and 3341."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unmuffle.level import LoudnessMeter, integrated_loudness, loudness_range

# EBU Tech 3342, table 1: stereo sine at 1 kHz, 20 s at each of these peak levels in dBFS.
EBU_LEVELS = {1: [-20, -30], 2: [-20, -15], 3: [-40, -20], 4: [-50, -35, -20, -35, -50]}
EBU_LU = {1: 10.0, 2: 5.0, 3: 20.0, 4: 15.0}


def tone(steps: list[tuple[float, float]], rate: int) -> np.ndarray:
    """Return a stereo sine at 1 kHz with (dBFS, seconds) after each other."""
    gain = np.concatenate([np.full(round(seconds * rate), 10.0 ** (level / 20.0)) for level, seconds in steps])
    sine = gain * np.sin(2.0 * np.pi * 1000.0 * np.arange(gain.size) / rate)
    return np.stack([sine, sine]).astype(np.float32)


@pytest.mark.parametrize("case", EBU_LEVELS)
@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_ebu_tech_3342_cases(case, rate):
    audio = tone([(level, 20.0) for level in EBU_LEVELS[case]], rate)
    assert loudness_range(audio, rate) == pytest.approx(EBU_LU[case], abs=1.0)


def test_percentiles_leave_out_the_lowest_tenth_and_the_highest_twentieth():
    levels = np.linspace(-40.0, -20.0, 201)
    audio = tone([(level, 3.0) for level in levels], 8000)
    # Windows of 3 s over steps of 3 s: the levels are spread evenly over 20 LU, of which 85 % are between.
    assert loudness_range(audio, 8000) == pytest.approx(0.85 * 20.0, abs=0.2)


def test_what_is_below_the_gates_does_not_count():
    loud = tone([(-20.0, 30.0), (-26.0, 30.0)], 16000)
    rest = tone([(-75.0, 30.0), (-20.0, 30.0), (-26.0, 30.0), (-50.0, 20.0)], 16000)
    assert loudness_range(rest, 16000) == pytest.approx(loudness_range(loud, 16000), abs=0.6)


def test_loudness_range_does_not_depend_on_the_gain():
    audio = tone([(-20.0, 10.0), (-28.0, 10.0)], 16000)
    assert loudness_range(0.1 * audio, 16000) == pytest.approx(loudness_range(audio, 16000), abs=1e-4)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 2.99])
def test_no_loudness_range_below_three_seconds(seconds):
    assert loudness_range(np.full(round(16000 * seconds), 0.5), 16000) is None


def test_no_loudness_range_of_silence():
    meter = LoudnessMeter(16000)
    meter.process(np.zeros((1, 80000), np.float32))
    assert meter.loudness_range_lu is None
    assert meter.short_term_max_lufs == meter.momentary_max_lufs == -inf


def test_ebu_tech_3341_case_9_short_term_is_constant():
    audio = tone([(-20.0, 1.34), (-30.0, 1.66)] * 5, 48000)
    meter = LoudnessMeter(48000, 2)
    meter.process(audio)
    assert meter.short_term_max_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("silence_s", [0.0, 0.15, 1.05, 2.85])
def test_ebu_tech_3341_case_10_short_term_maximum(silence_s):
    meter = LoudnessMeter(48000, 2)
    meter.process(tone([(-120.0, silence_s), (-23.0, 3.0), (-120.0, 1.0)], 48000))
    assert meter.short_term_max_lufs == pytest.approx(-23.0, abs=0.1)


def test_ebu_tech_3341_case_12_momentary_is_constant():
    meter = LoudnessMeter(48000, 2)
    meter.process(tone([(-20.0, 0.18), (-30.0, 0.22)] * 25, 48000))
    assert meter.momentary_max_lufs == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("seconds", [2.9, 3.0])
def test_short_term_needs_three_seconds(seconds):
    meter = LoudnessMeter(48000, 2)
    meter.process(tone([(-23.0, seconds)], 48000))
    assert np.isfinite(meter.short_term_max_lufs) == (seconds == 3.0)
    assert meter.momentary_max_lufs == pytest.approx(-23.0, abs=0.1)


@settings(max_examples=15, deadline=None)
@given(sizes=st.lists(st.integers(0, 9000), min_size=1, max_size=6).filter(lambda sizes: sum(sizes) > 500))
def test_the_blocks_change_neither_range_nor_maxima(sizes):
    audio = tone([(-30.0, 3.0), (-20.0, 3.0), (-25.0, 2.0)], 11025)
    meter = LoudnessMeter(11025, 2)
    at, turn = 0, 0
    while at < audio.shape[1]:
        size = sizes[turn % len(sizes)]
        meter.process(audio[:, at : at + size])
        at, turn = at + size, turn + 1
    whole = LoudnessMeter(11025, 2)
    whole.process(audio)
    assert meter.loudness_range_lu == pytest.approx(loudness_range(audio, 11025), abs=1e-9)
    assert meter.short_term_max_lufs == pytest.approx(whole.short_term_max_lufs, abs=1e-9)
    assert meter.momentary_max_lufs == pytest.approx(whole.momentary_max_lufs, abs=1e-9)
    assert meter.integrated_lufs == pytest.approx(integrated_loudness(audio, 11025), abs=1e-9)
