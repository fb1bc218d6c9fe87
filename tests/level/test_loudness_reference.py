"""Loudness against ITU-R BS.1770, the signals of EBU Tech 3341, and an independent implementation."""

from __future__ import annotations

import numpy as np
import pyloudnorm
import pytest
from scipy.signal import sosfreqz

from unmuffle.level import LoudnessMeter, integrated_loudness, k_weighting

RATES = [8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000]

# ITU-R BS.1770-5, annex 1, tables 1 and 2.
SHELF_48K = [1.53512485958697, -2.69169618940638, 1.19839281085285, 1.0, -1.69065929318241, 0.73248077421585]
HIGH_PASS_48K = [1.0, -2.0, 1.0, 1.0, -1.99004745483398, 0.99007225036621]

# EBU Tech 3341, table 1, cases 1 to 5: stereo sine at 1 kHz, (peak dBFS, seconds).
EBU_CASES = {
    1: [(-23.0, 20.0)],
    2: [(-33.0, 20.0)],
    3: [(-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0)],
    4: [(-72.0, 10.0), (-36.0, 10.0), (-23.0, 60.0), (-36.0, 10.0), (-72.0, 10.0)],
    5: [(-26.0, 20.0), (-20.0, 20.1), (-26.0, 20.0)],
}
EBU_LUFS = {1: -23.0, 2: -33.0, 3: -23.0, 4: -23.0, 5: -23.0}


def sine(level_dbfs: float, seconds: float, rate: int, hz: float = 1000.0) -> np.ndarray:
    return 10.0 ** (level_dbfs / 20.0) * np.sin(2.0 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


def test_coefficients_are_the_printed_ones_at_48_khz():
    np.testing.assert_allclose(k_weighting(48000), [SHELF_48K, HIGH_PASS_48K], atol=1e-6)


@pytest.mark.parametrize("rate", RATES)
def test_the_weighting_is_the_same_at_every_rate(rate):
    hz = np.array([25.0, 40.0, 100.0, 500.0, 1000.0, 2000.0])
    _, wanted = sosfreqz(np.array([SHELF_48K, HIGH_PASS_48K]), hz, fs=48000)
    _, got = sosfreqz(k_weighting(rate), hz, fs=rate)
    # The bilinear transform bends the shelf where it lies close to half the sample rate.
    np.testing.assert_allclose(20.0 * np.log10(np.abs(got / wanted)), 0.0, atol=0.25 if rate < 16000 else 0.1)


@pytest.mark.parametrize("rate", [16000, 44100, 48000])
@pytest.mark.parametrize("case", EBU_CASES)
def test_ebu_tech_3341(case, rate):
    channel = np.concatenate([sine(level, seconds, rate) for level, seconds in EBU_CASES[case]])
    assert integrated_loudness(np.stack([channel, channel]), rate) == pytest.approx(EBU_LUFS[case], abs=0.1)


def test_ebu_tech_3341_case_6_surround():
    levels = [-28.0, -28.0, -24.0, -30.0, -30.0]
    audio = np.stack([sine(level, 20.0, 48000) for level in levels])
    assert integrated_loudness(audio, 48000) == pytest.approx(-23.0, abs=0.1)


def test_lfe_of_six_channels_does_not_count():
    levels = [-28.0, -28.0, -24.0, 0.0, -30.0, -30.0]
    audio = np.stack([sine(level, 5.0, 48000) for level in levels])
    assert integrated_loudness(audio, 48000) == pytest.approx(-23.0, abs=0.1)


@pytest.mark.parametrize("rate", RATES)
def test_full_scale_sine_of_997_hz_in_one_channel_is_minus_3_01(rate):
    assert integrated_loudness(sine(0.0, 2.0, rate, 997.0), rate) == pytest.approx(
        -3.01, abs=0.25 if rate < 16000 else 0.1
    )


@pytest.mark.parametrize("rate", RATES)
def test_agrees_with_pyloudnorm(rate):
    rng = np.random.default_rng(rate)
    audio = rng.standard_normal((2, 6 * rate)) * np.array([[0.05], [0.1]])
    audio *= np.repeat(10.0 ** (rng.uniform(-30.0, 0.0, 12) / 20.0), rate // 2 + 1)[: 6 * rate]
    wanted = pyloudnorm.Meter(rate).integrated_loudness(audio.T)
    assert integrated_loudness(audio, rate) == pytest.approx(wanted, abs=0.1)


def test_sample_peak():
    meter = LoudnessMeter(48000, 2)
    meter.process(np.array([[0.1, -0.5, 0.2], [0.0, 0.25, 0.0]], np.float32))
    meter.process(np.array([[0.1], [0.0]], np.float32))
    assert meter.sample_peak_dbfs == pytest.approx(20.0 * np.log10(0.5))


def test_channel_weights_are_powers():
    audio = np.stack([sine(-23.0, 2.0, 48000), sine(-23.0, 2.0, 48000)])
    one = integrated_loudness(audio, 48000, channel_weights=[1.0, 0.0])
    assert integrated_loudness(audio, 48000, channel_weights=[1.0, 3.0]) - one == pytest.approx(
        20 * np.log10(2), abs=1e-6
    )
