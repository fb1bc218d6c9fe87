"""All measures without a reference in one call: each is that of its own function, and each failure is told."""

from __future__ import annotations

import sys
from math import isfinite

import numpy as np
import pytest
from measure_signals import noise, speech_like

from unmuffle.level import integrated_loudness, loudness_range, true_peak_dbtp
from unmuffle.measure import describe_recording, detect_bandwidth, detect_hum, estimate_snr, measure_clipping
from unmuffle.measure.single import blind_scores
from unmuffle.measure.single.blind_scores import BLIND_MEASURES, score_blind
from unmuffle.measure.single.dynamics import crest_factor_db
from unmuffle.measure.single.reverberation import srmr
from unmuffle.measure.single.spectral_features import spectral_features

KEYS = [
    "dnsmos_sig",
    "dnsmos_bak",
    "dnsmos_ovrl",
    "dnsmos_p808",
    "estimated_snr_db",
    "srmr",
    "clipping_share",
    "crest_factor_db",
    "loudness_lufs",
    "loudness_range_lu",
    "true_peak_dbtp",
    "spectral_centroid_hz",
    "spectral_bandwidth_hz",
    "spectral_flatness",
    "spectral_rolloff_hz",
    "bandwidth_hz",
    "hum_dbfs",
    "dc_offset",
]
WITHOUT_NETWORKS = KEYS[4:]


def recording(rate: int, channels: int = 1) -> np.ndarray:
    """Clipped speech in noise with hum, off centre."""
    voice = np.clip(3.0 * speech_like(rate, 5.0), -0.5, 0.5) + 0.005 * noise(rate, 5.0)
    voice = np.clip(voice, -0.5, 0.5) + 0.02 * np.sin(2.0 * np.pi * 50.0 * np.arange(voice.size) / rate)
    audio = np.clip(voice, -0.5, 0.5) + 0.01
    return audio if channels == 1 else np.stack([audio, -0.5 * audio])


def values(audio: np.ndarray, rate: int, keys: list[str] | None = None) -> dict[str, float | None]:
    return {score.measure.key: score.value for score in score_blind(audio, rate, keys)}


def test_the_keys_are_those_of_data_files():
    assert [measure.key for measure in BLIND_MEASURES] == KEYS


def test_each_value_is_that_of_its_own_function():
    audio = recording(16000, 2)
    found = values(audio, 16000, WITHOUT_NETWORKS)
    features = spectral_features(audio, 16000)
    assert found == {
        "estimated_snr_db": estimate_snr(audio, 16000).db,
        "srmr": srmr(audio, 16000),
        "clipping_share": measure_clipping(audio, 16000).share,
        "crest_factor_db": crest_factor_db(audio, 16000),
        "loudness_lufs": integrated_loudness(audio, 16000),
        "loudness_range_lu": loudness_range(audio, 16000),
        "true_peak_dbtp": true_peak_dbtp(audio, 16000),
        "spectral_centroid_hz": features.centroid_hz,
        "spectral_bandwidth_hz": features.bandwidth_hz,
        "spectral_flatness": features.flatness,
        "spectral_rolloff_hz": features.rolloff_hz,
        "bandwidth_hz": detect_bandwidth(audio, 16000).hz,
        "hum_dbfs": detect_hum(audio, 16000).level_dbfs,
        "dc_offset": pytest.approx(np.abs(audio.mean(axis=1)).max(), abs=1e-6),
    }
    assert found["clipping_share"] > 0.01
    assert found["hum_dbfs"] == pytest.approx(10.0 * np.log10(0.5 * 0.02**2), abs=3.0)


@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (44100, 2), (192000, 1)])
def test_any_rate_and_number_of_channels(rate, channels):
    found = score_blind(recording(rate, channels), rate, WITHOUT_NETWORKS)
    assert all(score.value is not None and isfinite(score.value) for score in found), found


def test_dnsmos_is_among_them():
    pytest.importorskip("speechmos")
    found = score_blind(recording(16000), 16000, KEYS[:4])
    assert [score.measure.key for score in found] == KEYS[:4]
    assert all(0.5 < score.value < 5.0 for score in found)
    assert found[0].measure.implementation.startswith("speechmos ")


def test_only_what_is_asked_for_is_computed(monkeypatch):
    def refuse(*_: object) -> float:
        raise AssertionError("this was not asked for")

    monkeypatch.setattr(blind_scores, "dnsmos", refuse)
    monkeypatch.setattr(blind_scores, "srmr", refuse)
    assert list(values(recording(16000), 16000, ["dc_offset", "loudness_lufs"])) == ["loudness_lufs", "dc_offset"]


def test_loudness_is_taken_once(monkeypatch):
    made = []

    class Counting(blind_scores.LoudnessMeter):
        def __init__(self, *arguments: int) -> None:
            made.append(arguments)
            super().__init__(*arguments)

    monkeypatch.setattr(blind_scores, "LoudnessMeter", Counting)
    found = values(recording(16000), 16000, ["loudness_lufs", "loudness_range_lu"])
    assert None not in found.values()
    assert len(made) == 1


@pytest.mark.parametrize(
    ("audio", "rate", "reason"),
    [
        (np.zeros(16000), 16000, "silent"),
        (noise(16000, 0.05), 16000, "at least 0.1 s"),
        (np.append(noise(16000, 2.0), np.nan), 16000, "NaN"),
        (np.zeros((16000, 2)), 16000, "pass audio.T"),
        (noise(16000, 2.0), 4000, "4000 Hz"),
    ],
)
def test_what_cannot_be_measured_has_a_reason_everywhere(audio, rate, reason):
    found = score_blind(audio, rate)
    assert [score.measure for score in found] == list(BLIND_MEASURES)
    for score in found:
        assert score.value is None
        assert reason in score.why_not


def test_short_audio_fails_only_where_length_is_needed():
    found = {score.measure.key: score for score in score_blind(speech_like(16000, 1.2), 16000, WITHOUT_NETWORKS)}
    assert {key for key, score in found.items() if score.value is None} == {"loudness_range_lu", "hum_dbfs"}
    assert "3 s" in found["loudness_range_lu"].why_not
    assert "2 s" in found["hum_dbfs"].why_not


def test_absent_hum_lies_below_any_limit():
    (score,) = score_blind(0.1 * noise(16000, 4.0), 16000, ["hum_dbfs"])
    assert score.value == -100.0


def test_a_missing_extra_is_told_and_the_rest_is_measured(monkeypatch):
    from unmuffle.measure.single import dnsmos

    dnsmos._model.cache_clear()
    monkeypatch.delitem(sys.modules, "speechmos.dnsmos", raising=False)
    monkeypatch.setitem(sys.modules, "speechmos", None)
    found = score_blind(recording(16000), 16000, ["dnsmos_ovrl", "srmr"])
    assert found[0].value is None
    assert 'pip install "unmuffle[dnsmos]"' in found[0].why_not
    assert found[1].value > 0.0


def test_the_figures_are_those_of_the_report():
    audio = recording(16000, 2)
    report, found = describe_recording(audio, 16000), values(audio, 16000, WITHOUT_NETWORKS)
    for key in ("crest_factor_db", "loudness_lufs", "loudness_range_lu", "true_peak_dbtp"):
        assert getattr(report, key) == pytest.approx(found[key], abs=1e-6)
