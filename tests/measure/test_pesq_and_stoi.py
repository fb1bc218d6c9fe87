"""PESQ, STOI and ESTOI are those of the packages that compute them; composite ratings follow from their parts."""

from __future__ import annotations

import sys
from dataclasses import asdict

import numpy as np
import pytest
from measure_signals import noise
from pair_signals import clean_and_noisy

from unmuffle.errors import InvalidAudioError, MissingExtraError, UnmuffleError
from unmuffle.measure import (
    composite,
    estoi,
    log_likelihood_ratio,
    pesq_narrowband,
    pesq_wideband,
    stoi,
    weighted_spectral_slope,
)
from unmuffle.measure.reference.composite_ratings import composite_of
from unmuffle.signal import resample


@pytest.mark.parametrize(("measure", "mode", "rate"), [(pesq_wideband, "wb", 16000), (pesq_narrowband, "nb", 8000)])
def test_pesq_is_that_of_the_package(measure, mode, rate):
    package = pytest.importorskip("pesq")
    clean, noisy = clean_and_noisy(rate, 10.0, seconds=4.0)
    assert measure(clean, noisy, rate) == pytest.approx(package.pesq(rate, clean, noisy, mode), abs=1e-6)


@pytest.mark.parametrize(("measure", "mode", "wanted"), [(pesq_wideband, "wb", 16000), (pesq_narrowband, "nb", 8000)])
@pytest.mark.parametrize("rate", [8000, 44100])
def test_pesq_at_other_rates_is_that_of_resampled_audio(measure, mode, wanted, rate):
    package = pytest.importorskip("pesq")
    clean, noisy = clean_and_noisy(rate, 15.0, seconds=3.0)
    one, two = (resample(audio, rate, wanted)[0] for audio in (clean, noisy))
    assert measure(clean, noisy, rate) == pytest.approx(package.pesq(wanted, one, two, mode), abs=1e-6)


def test_pesq_of_equals_is_the_highest():
    pytest.importorskip("pesq")
    clean, _ = clean_and_noisy(16000, 10.0, seconds=3.0)
    assert pesq_wideband(clean, clean, 16000) == pytest.approx(4.644, abs=1e-3)
    assert pesq_narrowband(clean, clean, 16000) == pytest.approx(4.549, abs=1e-3)


@pytest.mark.parametrize(("measure", "extended"), [(stoi, False), (estoi, True)])
@pytest.mark.parametrize("rate", [8000, 16000, 44100])
def test_stoi_is_that_of_the_package(measure, extended, rate):
    package = pytest.importorskip("pystoi")
    clean, noisy = clean_and_noisy(rate, 0.0)
    direct = package.stoi(clean.astype(np.float64), noisy.astype(np.float64), rate, extended=extended)
    assert measure(clean, noisy, rate) == pytest.approx(direct, abs=1e-9)
    assert 0.0 < direct < 0.95


@pytest.mark.parametrize("measure", [stoi, estoi])
def test_stoi_of_too_little_speech_is_an_error_and_no_score(measure):
    pytest.importorskip("pystoi")
    burst = np.zeros(16000)
    burst[4000:7000] = noise(16000, 3000 / 16000)
    with pytest.raises(InvalidAudioError, match=r"at least 0\.4 s of audio without pauses"):
        measure(burst, burst, 16000)


@pytest.mark.parametrize("measure", [pesq_wideband, pesq_narrowband, composite])
def test_pesq_refuses_silence(measure):
    pytest.importorskip("pesq")
    clean, _ = clean_and_noisy(16000, 10.0)
    with pytest.raises(InvalidAudioError, match="PESQ cannot rate this audio: the estimate is silent"):
        measure(clean, np.zeros_like(clean), 16000)


def test_pesq_without_an_utterance_is_an_error():
    pytest.importorskip("pesq")
    step = (np.arange(16000) > 15840).astype(np.float32)
    with pytest.raises(InvalidAudioError, match="PESQ cannot rate this audio: it finds no utterance"):
        pesq_narrowband(step, step, 16000)


def test_long_audio_is_rated_in_pieces():
    package = pytest.importorskip("pesq")
    clean, noisy = clean_and_noisy(16000, 15.0, seconds=45.0)
    pieces = zip(np.array_split(clean, 3), np.array_split(noisy, 3), strict=True)
    expected = np.mean([package.pesq(16000, one, two, "wb") for one, two in pieces])
    assert pesq_wideband(clean, noisy, 16000) == pytest.approx(expected, abs=1e-6)


def test_pieces_without_an_utterance_do_not_count():
    pytest.importorskip("pesq")
    clean, noisy = clean_and_noisy(8000, 15.0, seconds=15.0)
    silence = np.zeros(15 * 8000, np.float32)
    longer = np.concatenate((clean, silence)), np.concatenate((noisy, silence + 1e-3))
    assert pesq_narrowband(*longer, 8000) == pytest.approx(pesq_narrowband(clean, noisy, 8000), abs=1e-6)


def test_more_utterances_than_pesq_has_room_for_are_rated():
    pytest.importorskip("pesq")
    beeps = noise(8000, 60.0) * (np.arange(480_000) % 4000 < 2000)
    assert pesq_narrowband(beeps, beeps, 8000) == pytest.approx(4.549, abs=1e-3)


@pytest.mark.parametrize(
    ("measure", "package"), [(pesq_wideband, "pesq"), (composite, "pesq"), (stoi, "pystoi"), (estoi, "pystoi")]
)
def test_a_missing_package_is_named_with_the_way_to_install_it(measure, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf'{package}: pip install "unmuffle\[metrics\]"') as caught:
        measure(*clean_and_noisy(16000, 10.0), 16000)
    assert isinstance(caught.value, UnmuffleError)


def test_ratings_of_the_published_example():
    rating = composite_of(llr=0.681368, wss=49.671978, pesq=2.255732, segmental_snr_db=3.991727)
    assert (rating.csig, rating.cbak, rating.covl) == pytest.approx((3.3050, 2.6160, 2.7133), abs=5e-5)


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_ratings_follow_from_parts_that_are_the_measures(rate):
    package = pytest.importorskip("pesq")
    clean, noisy = clean_and_noisy(rate, 20.0, seconds=3.0)
    wideband = rate >= 16000
    wanted = 16000 if wideband else 8000
    one, two = (resample(audio, rate, wanted)[0] for audio in (clean, noisy))
    found = composite(clean, noisy, rate)
    score = package.pesq(wanted, one, two, "wb" if wideband else "nb")
    mapped = found.pesq if wideband else 0.999 + 4.0 / (1.0 + np.exp(-1.4945 * found.pesq + 4.6607))
    assert mapped == pytest.approx(score, abs=1e-5)
    assert found.llr == pytest.approx(log_likelihood_ratio(clean, noisy, rate))
    assert found.wss == pytest.approx(weighted_spectral_slope(clean, noisy, rate))
    assert found.segmental_snr_db == pytest.approx(composite_segmental_snr(one, two, wanted), abs=1e-4)
    parts = found.llr, found.pesq, found.wss, found.segmental_snr_db
    rows = (
        (3.093, -1.029, 0.603, -0.009, 0.0),
        (1.634, 0.0, 0.478, -0.007, 0.063),
        (1.594, -0.512, 0.805, -0.007, 0.0),
    )
    expected = [float(np.clip(constant + np.dot(slopes, parts), 1.0, 5.0)) for constant, *slopes in rows]
    assert [found.csig, found.cbak, found.covl] == pytest.approx(expected)


def composite_segmental_snr(clean: np.ndarray, other: np.ndarray, rate: int) -> float:
    size = round(0.03 * rate)
    window = 0.5 * (1.0 - np.cos(2.0 * np.pi * np.arange(1, size + 1) / (size + 1)))
    ratios = []
    for at in range(0, clean.size - size + 1, size // 4):
        one, two = (audio[at : at + size] * window for audio in (clean, other))
        eps = np.finfo(float).eps
        ratios.append(10.0 * np.log10(np.sum(one**2) / (np.sum((one - two) ** 2) + eps) + eps))
    return float(np.clip(ratios[:-1], -10.0, 35.0).mean())


def test_ratings_fall_with_noise_and_stay_within_their_scale():
    pytest.importorskip("pesq")
    ratings = [composite(*clean_and_noisy(16000, snr, seconds=3.0), 16000) for snr in (50.0, 35.0, 20.0, 5.0)]
    for name in ("csig", "cbak", "covl"):
        values = [asdict(rating)[name] for rating in ratings]
        assert values == sorted(values, reverse=True)
        assert 1.0 <= values[-1] < values[0] <= 5.0
