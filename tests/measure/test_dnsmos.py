"""DNSMOS is that of the package that carries it, whatever the audio's shape and rate."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import numpy as np
import pytest
import soundfile
from measure_signals import noise, speech_like

from unmuffle.errors import InvalidAudioError, InvalidParameterError, MissingExtraError, UnmuffleError
from unmuffle.measure.single.dnsmos import dnsmos
from unmuffle.signal import resample

EXAMPLES = Path(__file__).parents[2] / "examples"
RATE = 16_000


def reference(audio: np.ndarray) -> list[float]:
    """What the package itself says of one channel at 16 kHz."""
    package = pytest.importorskip("speechmos.dnsmos")
    found = package.run(audio.astype(np.float32), RATE)
    return [float(found[f"{key}_mos"]) for key in ("sig", "bak", "ovrl", "p808")]


@pytest.mark.parametrize("seconds", [0.3, 4.6, 9.01, 9.5, 17.5])
def test_dnsmos_is_that_of_the_package(seconds):
    audio = 0.3 * speech_like(RATE, seconds, seed=3) + 0.002 * noise(RATE, seconds)
    assert astuple(dnsmos(audio, RATE)) == pytest.approx(reference(audio), abs=1e-4)


def test_dnsmos_of_another_rate_is_that_of_resampled_audio():
    audio = 0.3 * speech_like(44100, 3.0)
    assert astuple(dnsmos(audio, 44100)) == pytest.approx(reference(resample(audio, 44100, RATE)[0]), abs=1e-4)


def test_channels_are_averaged():
    left, right = 0.3 * speech_like(RATE, 3.0), 0.1 * noise(RATE, 3.0)
    assert astuple(dnsmos(np.stack([left, right]), RATE)) == pytest.approx(reference(0.5 * (left + right)), abs=1e-4)


def test_beyond_full_scale_is_clipped():
    audio = 20.0 * speech_like(RATE, 3.0)
    assert np.abs(audio).max() > 2.0
    assert astuple(dnsmos(audio, RATE)) == pytest.approx(reference(np.clip(audio, -1.0, 1.0)), abs=1e-4)


# By speechmos 0.0.1.1 itself, on these files resampled to 16 kHz.
@pytest.mark.parametrize(
    ("name", "wanted"),
    [("clean", [3.1993, 3.0576, 2.4596, 3.5206]), ("noisy", [1.1927, 1.1244, 1.0896, 2.4512])],
)
def test_golden_values_of_the_examples(name, wanted):
    pytest.importorskip("speechmos")
    audio, rate = soundfile.read(EXAMPLES / f"{name}.flac")
    assert astuple(dnsmos(audio, rate)) == pytest.approx(wanted, abs=0.01)


def test_noise_lowers_every_score():
    pytest.importorskip("speechmos")
    clean, rate = soundfile.read(EXAMPLES / "clean.flac")
    clean = clean[: 9 * rate]
    scores = [astuple(dnsmos(clean + gain * noise(rate, 9.0), rate)) for gain in (0.0, 0.01, 0.05)]
    assert (np.diff([score[1] for score in scores]) < 0.0).all()
    assert (np.array(scores[0]) > scores[-1]).all()


def test_the_sessions_have_one_thread_and_are_loaded_once():
    pytest.importorskip("speechmos")
    from unmuffle.measure.single import dnsmos as module

    model = module._model()
    assert module._model() is model
    for session in (model.onnx_sess, model.p808_onnx_sess):
        assert session.get_session_options().intra_op_num_threads == 1


@pytest.mark.parametrize(
    ("audio", "reason"),
    [
        (np.zeros(RATE), "silent"),
        (np.stack([noise(RATE, 1.0), -noise(RATE, 1.0)]), "cancel"),
        (noise(RATE, 0.2), "at least 0.25 s"),
        (np.zeros(0), "at least 0.25 s"),
        (np.append(noise(RATE, 1.0), np.nan), "1 samples that are NaN"),
        (np.zeros((RATE, 2)), "pass audio.T"),
    ],
)
def test_what_cannot_be_rated_is_named(audio, reason):
    with pytest.raises(InvalidAudioError, match=reason):
        dnsmos(audio, RATE)


def test_a_rate_out_of_range_is_refused_by_dnsmos():
    with pytest.raises(InvalidParameterError):
        dnsmos(noise(RATE, 1.0), 4000)


@pytest.mark.parametrize("package", ["speechmos", "librosa", "requests"])
def test_a_missing_package_names_the_extra(package, monkeypatch):
    pytest.importorskip("speechmos")
    from unmuffle.measure.single import dnsmos as module

    module._model.cache_clear()
    monkeypatch.delitem(sys.modules, "speechmos.dnsmos", raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package}.*unmuffle\[dnsmos\]") as caught:
        dnsmos(noise(RATE, 1.0), RATE)
    assert isinstance(caught.value, UnmuffleError)


def test_importing_the_module_loads_no_network():
    code = (
        "import sys, unmuffle.measure.single.dnsmos;"
        "sys.exit(bool({'speechmos', 'librosa', 'onnxruntime', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
