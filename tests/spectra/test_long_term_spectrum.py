"""The long-term spectrum is that of Welch's method, and its levels are those of what was put in."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from scipy.signal import welch

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure.single.framing import hann
from unmuffle.measure.spectra import SpectrumMeter, analyze_spectrum
from unmuffle.measure.spectra.bands import band_power, third_octave_bands

FULL_SCALE_SINE_DB = 10.0 * np.log10(0.5)
WHOLE = 100.0, 6300.0


def noise(rate: int, seconds: float, seed: int = 0) -> np.ndarray:
    return (0.1 * np.random.default_rng(seed).standard_normal(round(rate * seconds))).astype(np.float32)


def pink(rate: int, seconds: float) -> np.ndarray:
    spectrum = np.fft.rfft(noise(rate, seconds).astype(np.float64))
    spectrum[1:] /= np.sqrt(np.arange(1, spectrum.size))
    spectrum[0] = 0.0
    sound = np.fft.irfft(spectrum)
    return 0.1 * sound / sound.std()


def sine(rate: int, seconds: float, hz: float, amplitude: float = 1.0) -> np.ndarray:
    return amplitude * np.sin(2.0 * np.pi * hz * np.arange(round(rate * seconds)) / rate)


def scipys(audio: np.ndarray, rate: int, size: int, scaling: str) -> np.ndarray:
    _, power = welch(
        audio.astype(np.float64),
        rate,
        hann(size).astype(np.float64),
        noverlap=size // 2,
        detrend=False,
        scaling=scaling,
    )
    return 10.0 * np.log10(power)


@pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
def test_it_is_scipys_welch(rate):
    audio = np.stack([noise(rate, 3.3), 0.3 * noise(rate, 3.3, 1) + 0.01])
    found = analyze_spectrum(audio, rate)
    size = 2 * (found.frequencies_hz.size - 1)
    assert found.bin_hz == pytest.approx(2.0, rel=1e-3)
    np.testing.assert_allclose(found.frequencies_hz, np.fft.rfftfreq(size, 1.0 / rate))
    np.testing.assert_allclose(found.spectrum_dbfs, scipys(audio, rate, size, "spectrum"), atol=1e-9)
    np.testing.assert_allclose(found.density_db, scipys(audio, rate, size, "density"), atol=1e-6)


def test_audio_shorter_than_a_segment_is_one_segment():
    audio = noise(16_000, 0.2)
    found = analyze_spectrum(audio, 16_000)
    np.testing.assert_allclose(found.spectrum_dbfs[0], scipys(audio, 16_000, audio.size, "spectrum"), atol=1e-9)


def test_a_full_scale_sine_reads_minus_three_in_its_bin_and_its_band():
    found = analyze_spectrum(sine(48_000, 2.0, 1000.0), 48_000)
    peak = found.spectrum_dbfs[0].argmax()
    assert found.frequencies_hz[peak] == 1000.0
    assert found.spectrum_dbfs[0, peak] == pytest.approx(FULL_SCALE_SINE_DB, abs=1e-3)
    band = found.band_dbfs[0].argmax()
    assert found.bands.centres_hz[band] == 1000.0
    assert found.band_dbfs[0, band] == pytest.approx(FULL_SCALE_SINE_DB, abs=0.01)


def test_white_noise_has_a_flat_density_of_its_variance():
    rate, found = 48_000, analyze_spectrum(noise(48_000, 20.0), 48_000)
    expected = 10.0 * np.log10(0.01 / (0.5 * rate))
    density = found.density_in_bands_db(found.bands.edges_hz)[0]
    assert np.abs(density[found.bands.centres_hz >= 100.0] - expected).max() < 0.4
    assert found.tilt_db_per_octave[0] == pytest.approx(0.0, abs=0.1)


def test_pink_noise_falls_by_three_decibels_an_octave_and_has_bands_of_one_level():
    found = analyze_spectrum(pink(48_000, 20.0), 48_000)
    whole = (found.bands.centres_hz >= 100.0) & (found.bands.centres_hz <= 16_000.0)
    assert found.tilt_db_per_octave[0] == pytest.approx(-10.0 * np.log10(2.0), abs=0.1)
    assert np.ptp(found.band_dbfs[0, whole]) < 1.0


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_third_octaves_add_up_to_the_mean_square(rate):
    audio = noise(rate, 20.0)
    spectrum = np.fft.rfft(audio)
    spectrum[np.fft.rfftfreq(audio.size, 1.0 / rate) < 40.0] = 0.0
    audio = np.fft.irfft(spectrum)
    found = analyze_spectrum(audio, rate)
    total = 10.0 * np.log10((10.0 ** (found.band_dbfs[0] / 10.0)).sum())
    assert total == pytest.approx(10.0 * np.log10(np.square(audio).mean()), abs=0.1)


def test_bands_are_those_of_iec_61260():
    bands = third_octave_bands(48_000)
    assert bands.centres_hz.tolist() == [
        *(25, 31.5, 40, 50, 63, 80, 100, 125, 160, 200, 250, 315, 400, 500, 630, 800, 1000, 1250, 1600, 2000),
        *(2500, 3150, 4000, 5000, 6300, 8000, 10000, 12500, 16000, 20000, 25000),
    ]
    place = bands.centres_hz.tolist().index(1000)
    assert bands.edges_hz[place : place + 2] == pytest.approx([891.25, 1122.02], abs=0.01)
    assert bands.edges_hz[-1] == 24_000.0


def test_a_bin_on_a_border_is_shared_by_width():
    power = np.zeros(9)
    power[4] = 1.0
    # Bin 4 reaches from 350 to 450 Hz.
    assert band_power(power, 100.0, np.array([0.0, 375.0, 800.0])).tolist() == pytest.approx([0.25, 0.75])


def test_noise_floor_and_speech_are_told_apart_in_every_band():
    rate = 16_000
    quiet, loud = noise(rate, 20.0), noise(rate, 20.0, 1)
    talking = (np.arange(quiet.size) // rate) % 2 == 1
    audio = np.where(talking, loud, 0.01 * quiet)
    found = analyze_spectrum(audio, rate)
    whole = (found.bands.centres_hz >= WHOLE[0]) & (found.bands.centres_hz <= WHOLE[1])
    white = 10.0 * np.log10(0.01 * found.bands.widths_hz / (0.5 * rate))
    assert np.abs(found.speech_dbfs[0] - white)[whole].max() < 4.0
    assert np.abs(found.floor_dbfs[0] - white + 40.0)[whole].max() < 4.0
    assert found.speech_over_floor_db[0, whole].min() > 40.0


def test_channels_are_separate_or_averaged_by_power():
    left, right = noise(16_000, 2.0), 0.1 * noise(16_000, 2.0, 1)
    apart = analyze_spectrum(np.stack([left, right]), 16_000)
    together = analyze_spectrum(np.stack([left, right]), 16_000, average_channels=True)
    alone = [analyze_spectrum(one, 16_000) for one in (left, right)]
    assert apart.averaged is False
    assert together.averaged is True
    for row, one in zip(apart.spectrum_dbfs, alone, strict=True):
        np.testing.assert_allclose(row, one.spectrum_dbfs[0])
    mean = 0.5 * sum(10.0 ** (one.spectrum_dbfs / 10.0) for one in alone)
    np.testing.assert_allclose(together.spectrum_dbfs, 10.0 * np.log10(mean), atol=1e-9)


def test_the_result_does_not_depend_on_how_the_stream_is_cut():
    audio = np.stack([noise(16_000, 4.0), noise(16_000, 4.0, 1)])
    whole = analyze_spectrum(audio, 16_000)
    meter = SpectrumMeter(16_000, 2)
    cuts = np.sort(np.random.default_rng(2).integers(0, audio.shape[1], 40))
    for piece in np.split(audio, cuts, axis=1):
        meter.process(piece)
    cut = meter.result()
    np.testing.assert_allclose(cut.spectrum_dbfs, whole.spectrum_dbfs, atol=1e-9)
    np.testing.assert_allclose(cut.floor_dbfs, whole.floor_dbfs, atol=0.02)


def test_the_bandwidth_is_told():
    audio = noise(48_000, 4.0)
    spectrum = np.fft.rfft(audio)
    spectrum[np.fft.rfftfreq(audio.size, 1.0 / 48_000) > 7_000.0] *= 1e-4
    bandwidth = analyze_spectrum(np.fft.irfft(spectrum), 48_000).bandwidth
    assert bandwidth.limited
    assert bandwidth.hz == pytest.approx(7_000.0, abs=150.0)


def test_silence_has_the_lowest_level_and_no_tilt():
    found = analyze_spectrum(np.zeros(8_000), 8_000)
    assert (found.spectrum_dbfs == -200.0).all()
    assert (found.band_dbfs == -200.0).all()
    assert np.isnan(found.tilt_db_per_octave).all()
    assert found.tones == ()


def test_memory_does_not_grow_with_length():
    def peak(seconds: float) -> int:
        audio = noise(16_000, seconds)
        analyze_spectrum(audio[:16_000], 16_000)
        tracemalloc.start()
        analyze_spectrum(audio, 16_000)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(240.0) < 1.2 * peak(12.0) + 1e6


def test_what_cannot_be_analysed_is_refused():
    with pytest.raises(InvalidAudioError, match=r"at least 0\.125 s of audio, not 0\.100 s"):
        analyze_spectrum(np.zeros(1_600), 16_000)
    with pytest.raises(InvalidAudioError, match="NaN"):
        analyze_spectrum(np.full(16_000, np.nan), 16_000)
    with pytest.raises(InvalidParameterError, match="sample_rate"):
        analyze_spectrum(np.zeros(16_000), 100)
