"""SNR, segmental SNR and SI-SDR against their formulas and at known mixes."""

from __future__ import annotations

import numpy as np
import pytest
from measure_signals import noise, speech_like
from pair_signals import clean_and_noisy

from unmuffle.measure import segmental_snr_db, si_sdr_db, snr_db


@pytest.mark.parametrize("rate", [8000, 22050, 48000])
@pytest.mark.parametrize("known_db", [-10.0, 0.0, 7.5, 40.0])
def test_snr_of_a_known_mix(rate, known_db):
    assert snr_db(*clean_and_noisy(rate, known_db), rate) == pytest.approx(known_db, abs=0.01)


@pytest.mark.parametrize("zero_mean", [True, False])
@pytest.mark.parametrize("offset", [0.0, 0.05])
def test_si_sdr_against_its_formula(zero_mean, offset):
    clean, noisy = (audio.astype(np.float64) + offset for audio in clean_and_noisy(16000, 5.0))
    noisy = (0.3 * noisy).astype(np.float32).astype(np.float64)
    clean = clean.astype(np.float32).astype(np.float64)
    s, e = (clean - clean.mean(), noisy - noisy.mean()) if zero_mean else (clean, noisy)
    beta = np.linalg.lstsq(s[:, None], e, rcond=None)[0][0]
    expected = 20.0 * np.log10(np.linalg.norm(beta * s) / np.linalg.norm(beta * s - e))
    assert si_sdr_db(clean, noisy, 16000, zero_mean=zero_mean) == pytest.approx(expected, abs=1e-6)


def test_si_sdr_knows_no_scale_sign_or_offset():
    clean, noisy = clean_and_noisy(16000, 5.0)
    expected = si_sdr_db(clean, noisy, 16000)
    for scale in (0.01, -1.0, 30.0):
        assert si_sdr_db(clean, scale * noisy, 16000) == pytest.approx(expected, abs=1e-4)
        assert si_sdr_db(scale * clean, noisy, 16000) == pytest.approx(expected, abs=1e-4)
    assert si_sdr_db(clean + 0.1, noisy - 0.2, 16000) == pytest.approx(expected, abs=1e-3)
    assert si_sdr_db(clean + 0.1, noisy - 0.2, 16000, zero_mean=False) != pytest.approx(expected, abs=1.0)


def test_si_sdr_of_orthogonal_noise_is_its_snr():
    clean, disturbance = speech_like(16000, 2.0), noise(16000, 2.0)
    clean -= clean.mean()
    disturbance -= disturbance.mean()
    disturbance -= (disturbance @ clean) / (clean @ clean) * clean
    mixed = clean + 0.02 * disturbance
    assert si_sdr_db(clean, mixed, 16000) == pytest.approx(snr_db(clean, mixed, 16000), abs=1e-3)


@pytest.mark.parametrize("measure", [snr_db, si_sdr_db])
def test_ratios_are_bounded(measure):
    clean = speech_like(16000, 1.0)
    assert measure(clean, clean, 16000) == 100.0
    assert measure(clean, 0.0 * clean, 16000) == (0.0 if measure is snr_db else -100.0)


@pytest.mark.parametrize("rate", [8000, 44100])
@pytest.mark.parametrize("known_db", [-5.0, 10.0])
def test_segmental_snr_against_a_slow_loop(rate, known_db):
    clean, noisy = clean_and_noisy(rate, known_db)
    size = int(0.032 * rate)
    frames = [(clean[at : at + size], noisy[at : at + size]) for at in range(0, clean.size - size + 1, size)]
    energy = [float(np.sum(np.square(one, dtype=np.float64))) for one, _ in frames]
    total = []
    for (one, two), own in zip(frames, energy, strict=True):
        if own >= 1e-4 * max(energy):
            difference = float(np.sum(np.square(one.astype(np.float64) - two)))
            total.append(min(35.0, max(-10.0, 10.0 * np.log10(own / difference))))
    assert 0 < len(total) < len(frames)
    assert segmental_snr_db(clean, noisy, rate) == pytest.approx(np.mean(total), abs=1e-6)


def test_segmental_snr_limits():
    clean = speech_like(16000, 2.0)
    assert segmental_snr_db(clean, clean, 16000) == 35.0
    assert segmental_snr_db(clean, 30.0 * clean, 16000) == -10.0


def test_silence_of_the_reference_does_not_count():
    clean, noisy = clean_and_noisy(16000, 10.0)
    silence = np.zeros(16384, np.float32)
    longer = np.concatenate((clean[:31744], silence)), np.concatenate((noisy[:31744], silence + 0.1))
    assert segmental_snr_db(*longer, 16000) == pytest.approx(segmental_snr_db(clean[:31744], noisy[:31744], 16000))
