"""True peak against the signals of EBU Tech 3341, closed forms, and oversampling by an independent resampler."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import resample as fourier_resample

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.level import TruePeakMeter, true_peak_dbtp

# EBU Tech 3341, table 1, cases 15 to 19: (part of the sample rate, phase in degrees, amplitude, true peak in dBTP).
EBU_CASES = {
    15: (4, 0.0, 0.50, -6.0),
    16: (4, 45.0, 0.50, -6.0),
    17: (6, 60.0, 0.50, -6.0),
    18: (8, 67.5, 0.50, -6.0),
    19: (4, 45.0, 1.41, 3.0),
}


def faded_sine(rate: int, hz: float, degrees: float, amplitude: float, seconds: float = 0.5) -> np.ndarray:
    """A sine that swells and dies away, so that there is nothing but the sine to be found."""
    at = np.arange(round(rate * seconds))
    fade = np.minimum(1.0, np.minimum(at, at[::-1]) / (0.02 * rate))
    return amplitude * fade * np.sin(2.0 * np.pi * hz / rate * at + np.radians(degrees))


@pytest.mark.parametrize("case", EBU_CASES)
@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000, 96000, 192000])
def test_ebu_tech_3341_cases(case, rate):
    part, degrees, amplitude, wanted = EBU_CASES[case]
    sine = faded_sine(rate, rate / part, degrees, amplitude)
    assert wanted - 0.4 <= true_peak_dbtp(np.stack([sine, sine]), rate) <= wanted + 0.2


def test_a_peak_between_the_samples_is_found_where_the_samples_miss_3_db():
    sine = faded_sine(48000, 12000.0, 45.0, 1.0)
    assert 20.0 * np.log10(np.abs(sine).max()) == pytest.approx(-3.01, abs=0.01)
    assert true_peak_dbtp(sine, 48000) == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
@pytest.mark.parametrize("share", [0.05, 0.2, 0.3, 0.4])
def test_the_level_of_sines_is_right_up_to_four_fifths_of_the_band(rate, share):
    # A frequency without a simple ratio to the rate comes near its peak on a grid of four.
    assert true_peak_dbtp(faded_sine(rate, (share + 0.00137) * rate, 10.0, 0.8), rate) == pytest.approx(
        20.0 * np.log10(0.8), abs=0.06
    )


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_oversampling_by_fourier_series(seed):
    rng = np.random.default_rng(seed)
    spectrum = np.zeros(4801, complex)
    spectrum[: int(0.8 * 4801)] = rng.standard_normal(int(0.8 * 4801)) + 1j * rng.standard_normal(int(0.8 * 4801))
    audio = np.fft.irfft(spectrum) * np.hanning(9600)
    fine = np.abs(fourier_resample(audio, 16 * audio.size)).max()
    assert true_peak_dbtp(audio, 48000) == pytest.approx(20.0 * np.log10(fine), abs=0.35)


def test_never_below_the_sample_peak():
    audio = np.random.default_rng(1).uniform(-1.0, 1.0, (2, 9999))
    assert true_peak_dbtp(audio, 48000) >= 20.0 * np.log10(np.abs(audio).max()) - 1e-6


@pytest.mark.parametrize("position", [0, 1, 500, 998, 999])
def test_a_single_sample_counts_at_every_place(position):
    audio = np.zeros(1000)
    audio[position] = -0.5
    assert true_peak_dbtp(audio, 48000) == pytest.approx(20.0 * np.log10(0.5), abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_what_is_skipped_is_never_the_peak(seed):
    rng = np.random.default_rng(seed)
    audio = rng.standard_normal((1, 4000)) * np.repeat(10.0 ** (rng.uniform(-30.0, 0.0, 80) / 20.0), 50)
    skipping, thorough = TruePeakMeter(48000), TruePeakMeter(48000)
    thorough._most_gain = 1e9
    for meter in (skipping, thorough):
        meter.process(audio)
    assert skipping.true_peak_dbtp == pytest.approx(thorough.true_peak_dbtp, abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 900), min_size=1, max_size=6).filter(lambda sizes: sum(sizes) > 20),
    rate=st.sampled_from([16000, 96000]),
)
def test_true_peak_does_not_depend_on_the_blocks(sizes, rate):
    audio = np.random.default_rng(2).standard_normal((2, 5000)).astype(np.float32)
    audio[:, 2000:2100] *= np.float32(3.0)
    meter = TruePeakMeter(rate, 2)
    at, turn = 0, 0
    while at < audio.shape[1]:
        size = sizes[turn % len(sizes)]
        meter.process(audio[:, at : at + size])
        assert meter.true_peak_dbtp <= true_peak_dbtp(audio, rate) + 3.0
        at, turn = at + size, turn + 1
    assert meter.true_peak_dbtp == pytest.approx(true_peak_dbtp(audio, rate), abs=1e-9)


def test_true_peak_of_silence_and_of_nothing_is_minus_infinity():
    assert true_peak_dbtp(np.zeros(4800), 48000) == -inf
    assert TruePeakMeter(48000).true_peak_dbtp == -inf


@pytest.mark.parametrize("gain", [1e-20, 1e5])
def test_true_peak_follows_the_gain(gain):
    audio = np.random.default_rng(3).standard_normal(3000)
    moved = true_peak_dbtp(gain * audio, 16000) - true_peak_dbtp(audio, 16000)
    assert moved == pytest.approx(20.0 * np.log10(gain), abs=1e-4)


def test_true_peak_refuses_what_it_cannot_measure():
    with pytest.raises(InvalidAudioError, match="1 NaN"):
        true_peak_dbtp(np.array([0.0, np.nan]), 48000)
    with pytest.raises(InvalidParameterError):
        TruePeakMeter(4000)
