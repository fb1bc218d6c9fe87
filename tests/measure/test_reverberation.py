"""SRMR against filtering in time by scipy's gammatone filters, known modulations, and rooms of known decay."""

from __future__ import annotations

import numpy as np
import pytest
from measure_signals import noise, speech_like
from scipy.signal import freqz, gammatone, hilbert, lfilter, oaconvolve

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure.single.reverberation import gammatone_responses, modulation_spectrum, srmr

RATE = 16_000
BANDS_HZ_OF = {rate: modulation_spectrum(np.ones(rate, np.float32), rate).bands_hz for rate in (8000, RATE)}
BANDS_HZ = BANDS_HZ_OF[RATE]


def in_a_room(voice: np.ndarray, rate: int, rt60_s: float, seed: int = 0) -> np.ndarray:
    """The voice with a tail of noise that falls by 60 dB in the time given, 8 ms after the direct sound."""
    tail = np.random.default_rng(seed).standard_normal(round(rt60_s * rate))
    tail *= 10.0 ** (-3.0 * np.arange(tail.size) / tail.size)
    tail[: rate // 125] = 0.0
    response = 0.1 * tail
    response[0] = 1.0
    return oaconvolve(voice, response)[: voice.size]


def modulated(rate: int, carrier_hz: float, modulation_hz: float) -> np.ndarray:
    time = np.arange(4 * rate) / rate
    return 0.2 * (1.0 + 0.8 * np.sin(2.0 * np.pi * modulation_hz * time)) * np.sin(2.0 * np.pi * carrier_hz * time)


def srmr_in_time(audio: np.ndarray, rate: int, *, normalised: bool = False) -> float:
    """The published steps one by one: gammatone filters, Hilbert transform, modulation filters at the full rate."""
    modulations = 4.0 * ((30.0 if normalised else 128.0) / 4.0) ** (np.arange(8) / 7.0)
    length, step = round(0.256 * rate), round(0.064 * rate)
    window = np.hamming(length + 1)[:-1]
    energy = np.zeros((23, 8, 1 + (audio.size - length) // step))
    for band, hz in enumerate(BANDS_HZ_OF[rate]):
        envelope = np.abs(hilbert(lfilter(*gammatone(hz, "iir", fs=rate), audio)))
        for index, modulation in enumerate(modulations):
            tangent = np.tan(np.pi * modulation / rate)
            width = tangent / 2.0
            above, below = [width, 0.0, -width], [1 + width + tangent**2, 2 * tangent**2 - 2, 1 - width + tangent**2]
            frames = np.lib.stride_tricks.sliding_window_view(lfilter(above, below, envelope), length)[::step]
            energy[band, index] = np.square(window * frames).sum(axis=1)
    if normalised:
        peak = energy.mean(axis=0).max()
        energy = np.clip(energy, 1e-3 * peak, peak)
    mean = energy.mean(axis=2)
    share = mean.sum(axis=1).cumsum() / mean.sum()
    width_hz = BANDS_HZ_OF[rate][np.flatnonzero(share > 0.9)[0]] / 9.26449 + 24.7
    # A filter's lower edge lies a quarter of its centre below, since Q is 2.
    last = np.count_nonzero(0.75 * modulations < width_hz)
    return mean[:, :4].sum() / mean[:, 4:last].sum()


# Eighth order in one section loses digits in the lowest bands of the reference.
@pytest.mark.parametrize(("band", "tolerance"), [(0, 4e-3), (5, 1e-5), (10, 1e-6), (16, 1e-6), (22, 1e-6)])
def test_the_gammatone_filters_are_slaneys(band, tolerance):
    hz = np.geomspace(50.0, 7900.0, 400)
    _, wanted = freqz(*gammatone(BANDS_HZ[band], "iir", fs=RATE), hz, fs=RATE)
    np.testing.assert_allclose(np.abs(gammatone_responses(hz, RATE)[band]), np.abs(wanted), atol=tolerance)


def test_the_gammatone_filters_have_unit_gain_at_their_centres():
    gains = np.abs(np.diagonal(gammatone_responses(BANDS_HZ, RATE)))
    np.testing.assert_allclose(gains, 1.0, rtol=1e-12)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_the_bands_begin_at_125_hz_and_end_below_half_the_rate(rate):
    bands = BANDS_HZ_OF[rate]
    assert (bands.size, bands[0]) == (23, pytest.approx(125.0))
    assert 0.8 * rate / 2 < bands[-1] < rate / 2
    # Equally wide on the scale of equivalent rectangular bandwidths.
    steps = np.diff(21.4 * np.log10(1.0 + bands / (9.26449 * 24.7)))
    np.testing.assert_allclose(steps, steps[0])


@pytest.mark.parametrize("index", range(8))
@pytest.mark.parametrize("carrier_hz", [500.0, 3000.0])
def test_a_modulation_lands_in_its_band(index, carrier_hz):
    modulation_hz = 4.0 * 32.0 ** (index / 7.0)
    spectrum = modulation_spectrum(modulated(RATE, carrier_hz, modulation_hz).astype(np.float32), RATE)
    assert spectrum.modulations_hz[index] == pytest.approx(modulation_hz)
    # The steady part: the filters' answer to the beginning, a step, would land everywhere.
    energy = spectrum.energy[:, :, 20:].mean(axis=2)
    band, modulation = np.unravel_index(energy.argmax(), energy.shape)
    assert modulation == index
    # Fast modulations pass the next band up, which is wider, better than that of the carrier.
    assert abs(BANDS_HZ[band] / carrier_hz - 1.0) < 0.2


def test_the_energy_of_a_modulation_is_that_of_its_envelope():
    carrier_hz = float(BANDS_HZ[12])
    spectrum = modulation_spectrum(modulated(RATE, carrier_hz, 4.0).astype(np.float32), RATE)
    # A carrier at a centre passes unchanged: 0.2 * 0.8 sin, its mean square weighted by the squared Hamming window.
    window = np.hamming(1025)[:-1]
    wanted = 0.5 * (0.2 * 0.8) ** 2 * np.square(window).sum()
    assert spectrum.energy[12, 0, 20:].mean() == pytest.approx(wanted, rel=0.03)


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("rt60_s", [None, 0.3, 0.9])
def test_agrees_with_the_published_steps_in_time(rate, normalised, rt60_s):
    audio = speech_like(rate, 5.0, seed=2)
    audio = audio if rt60_s is None else in_a_room(audio, rate, rt60_s)
    assert srmr(audio, rate, normalised=normalised) == pytest.approx(
        srmr_in_time(audio, rate, normalised=normalised), rel=0.006
    )


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize("normalised", [False, True])
@pytest.mark.parametrize("seed", [0, 5])
def test_falls_with_the_reverberation_time(rate, normalised, seed):
    voice = speech_like(rate, 6.0, seed)
    scores = [srmr(in_a_room(voice, rate, rt60, seed), rate, normalised=normalised) for rt60 in (0.2, 0.4, 0.6, 0.9)]
    assert (np.diff(scores) < 0.0).all()
    assert scores[0] > 1.4 * scores[-1]


def test_long_audio_is_that_of_its_parts_put_together():
    voice = speech_like(RATE, 20.0, seed=4).astype(np.float32)
    whole = modulation_spectrum(voice, RATE).energy
    assert whole.shape[2] == 1 + (20 * RATE - 4096) // 1024
    late = modulation_spectrum(voice[8 * RATE :], RATE).energy
    # 8 s are 125 hops; the filters have forgotten after some hundred milliseconds where they began.
    np.testing.assert_allclose(whole[:, :, 145:], late[:, :, 20:], rtol=0.01, atol=1e-6 * whole.max())


@pytest.mark.parametrize("gain", [1e-12, 1e-3, 1e6])
@pytest.mark.parametrize("normalised", [False, True])
def test_the_gain_does_not_matter(gain, normalised):
    voice = speech_like(RATE, 3.0)
    assert srmr(gain * voice, RATE, normalised=normalised) == pytest.approx(
        srmr(voice, RATE, normalised=normalised), rel=1e-3
    )


def test_channels_are_averaged_and_silent_ones_left_out():
    dry = speech_like(RATE, 4.0)
    wet = in_a_room(dry, RATE, 0.8)
    assert srmr(np.stack([dry, wet]), RATE) == pytest.approx(0.5 * (srmr(dry, RATE) + srmr(wet, RATE)))
    assert srmr(np.stack([dry, 0.0 * dry]), RATE) == pytest.approx(srmr(dry, RATE))


def test_other_rates_are_resampled():
    assert srmr(speech_like(48000, 4.0), 48000) > 0.0
    quarter_second = noise(11025, 0.2561)
    assert srmr(quarter_second, 11025) > 0.0


@pytest.mark.parametrize(
    ("audio", "reason"),
    [(np.zeros(RATE), "silent"), (noise(RATE, 0.25), "0.256 s"), (np.append(noise(RATE, 1.0), np.inf), "infinite")],
)
def test_srmr_names_what_it_cannot_take(audio, reason):
    with pytest.raises(InvalidAudioError, match=reason):
        srmr(audio, RATE)


def test_a_rate_out_of_range_is_refused_by_srmr():
    with pytest.raises(InvalidParameterError):
        srmr(noise(RATE, 1.0), 4000)
