"""What every measure of a pair has in common: its errors, its channels, its lightness."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from measure_signals import noise, speech_like
from pair_signals import OWN, clean_and_noisy

from unmuffle import measure
from unmuffle.errors import InvalidAudioError, InvalidParameterError

BORROWED = (measure.pesq_wideband, measure.pesq_narrowband, measure.stoi, measure.estoi, measure.composite)
ALL = (*OWN, *BORROWED, measure.estimate_delay, measure.align)
LEAST_S = {
    "segmental_snr_db": 0.032,
    "log_spectral_distance_db": 0.034,
    "cepstral_distance_db": 0.03,
    "frequency_weighted_segmental_snr_db": 0.03,
    "log_likelihood_ratio": 0.0375,
    "weighted_spectral_slope": 0.0375,
    "pesq_wideband": 0.25,
    "pesq_narrowband": 0.25,
    "stoi": 0.4,
    "estoi": 0.4,
    "composite": 0.25,
    "estimate_delay": 0.032,
    "align": 0.032,
}


@pytest.mark.parametrize("function", ALL)
def test_other_lengths_are_named(function):
    with pytest.raises(InvalidAudioError, match=r"not 16,000 and 15,900 samples"):
        function(noise(16000, 1.0), noise(16000, 1.0)[:15900], 16000)


@pytest.mark.parametrize("function", ALL)
def test_other_channels_are_named(function):
    with pytest.raises(InvalidAudioError, match=r"channels as each other, not 2 and 1"):
        function(noise(16000, 1.0).reshape(2, -1), noise(16000, 0.5), 16000)


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_not_a_number_is_found(function, bad):
    damaged = noise(16000, 1.0)
    damaged[700] = bad
    with pytest.raises(InvalidAudioError, match=r"reference holds 1 samples .* channel 0 at sample 700"):
        function(damaged, noise(16000, 1.0), 16000)
    with pytest.raises(InvalidAudioError, match="estimate holds 1 samples"):
        function(noise(16000, 1.0), damaged, 16000)


@pytest.mark.parametrize("function", ALL)
def test_a_silent_reference_is_named_by_channel(function):
    pair = np.stack([noise(16000, 1.0), np.zeros(16000)]), noise(16000, 2.0).reshape(2, -1)
    with pytest.raises(InvalidAudioError, match="channel 1 of the reference is silent"):
        function(*pair, 16000)


@pytest.mark.parametrize("function", ALL)
def test_audio_that_is_too_short_is_told_the_least_length(function):
    seconds = LEAST_S.get(function.__name__, 0.0)
    samples = max(int(np.ceil(seconds * 16000)) - 1, 0)
    needed = f"at least {seconds:g} s" if seconds else "at least one sample"
    with pytest.raises(InvalidAudioError, match=needed):
        function(noise(16000, 1.0)[:samples], noise(16000, 1.0)[:samples], 16000)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("function", OWN)
def test_the_least_length_is_enough_at_every_rate(function, rate):
    samples = max(int(np.ceil(LEAST_S.get(function.__name__, 0.0) * rate)), 1)
    sound = noise(rate, 1.0)[:samples]
    assert np.isfinite(function(sound, sound + 0.1, rate) if function is not measure.si_sdr_db else 0.0)


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("rate", [4000, 16000.5])
def test_a_rate_out_of_range_is_refused(function, rate):
    with pytest.raises(InvalidParameterError, match="sample_rate"):
        function(noise(16000, 1.0), noise(16000, 1.0), rate)


def test_a_reference_of_nothing_but_offset_has_no_si_sdr_without_its_mean():
    with pytest.raises(InvalidAudioError, match="nothing but an offset"):
        measure.si_sdr_db(np.full(1000, 0.3), noise(8000, 0.125), 8000)
    assert measure.si_sdr_db(np.full(1000, 0.3), np.full(1000, 0.1), 8000, zero_mean=False) == 100.0


@pytest.mark.parametrize("function", [measure.segmental_snr_db, measure.log_spectral_distance_db])
def test_a_reference_that_sounds_after_the_last_whole_frame_only_is_silent(function):
    reference = np.zeros(1100)
    reference[-20:] = 1.0
    with pytest.raises(InvalidAudioError, match="no whole frame"):
        function(reference, reference, 16000)


@pytest.mark.parametrize("function", [*OWN, *BORROWED[:4]])
def test_channels_are_averaged(function):
    if function in BORROWED:
        pytest.importorskip("pystoi" if "stoi" in function.__name__ else "pesq")
    pairs = [clean_and_noisy(16000, snr, seed=seed) for seed, snr in ((0, 5.0), (5, 20.0))]
    together = function(*(np.stack(audio) for audio in zip(*pairs, strict=True)), 16000)
    assert together == pytest.approx(np.mean([function(*pair, 16000) for pair in pairs]), rel=1e-6)


@pytest.mark.parametrize("function", OWN)
def test_a_silent_estimate_and_silent_stretches_are_finite(function):
    clean = speech_like(16000, 1.0)
    clean[3000:6000] = 0.0
    gated = np.where(np.arange(16000) < 8000, clean, 0.0)
    for estimate in (np.zeros(16000), gated):
        assert np.isfinite(function(clean, estimate, 16000))


@pytest.mark.parametrize("function", OWN)
def test_integers_are_audio_too(function):
    clean, noisy = ((0.3 * audio * 32768.0).astype(np.int16) for audio in clean_and_noisy(16000, 10.0))
    assert function(clean, noisy, 16000) == function(clean / 32768.0, noisy / 32768.0, 16000)


def test_importing_the_measures_loads_nothing_heavy():
    ask = "import sys, unmuffle.measure; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True).stdout.split()
    assert not {"scipy", "soxr", "pesq", "pystoi"} & set(loaded)
