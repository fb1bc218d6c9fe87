"""The report holds what was put into the recording, for every input and every way of cutting it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError, asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from measure_signals import low_passed, noise, speech_like

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.level import integrated_loudness, loudness_range, true_peak_dbtp
from unmuffle.measure import RecordingAnalyzer, describe_recording


def troubled(rate: int, seconds: float) -> np.ndarray:
    """Return two channels: a narrow voice with hum and a gap, and a clipped one off centre."""
    voice = low_passed(speech_like(rate, seconds), rate, 0.3 * rate)
    time = np.arange(voice.size) / rate
    hum = 0.01 * (np.sin(2.0 * np.pi * 50.0 * time) + np.sin(2.0 * np.pi * 150.0 * time))
    audio = np.stack([voice + hum, np.clip(voice, -0.2, 0.2) + 0.05])
    audio[:, rate : 2 * rate] = 0.0
    return audio.astype(np.float32)


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        return [leaf for each in value.values() for leaf in leaves(each)]
    if isinstance(value, (list, tuple)):
        return [leaf for each in value for leaf in leaves(each)]
    return [value]


@settings(max_examples=12, deadline=None)
@given(
    rate=st.sampled_from([8000, 11025, 16000]),
    sizes=st.lists(st.integers(0, 12000), min_size=1, max_size=6).filter(lambda sizes: sum(sizes) > 100),
)
def test_block_invariance(rate, sizes):
    audio = troubled(rate, 5.0)
    analyzer = RecordingAnalyzer(rate, 2)
    at, turn = 0, 0
    while at < audio.shape[1]:
        size = sizes[turn % len(sizes)]
        analyzer.process(audio[:, at : at + size])
        at, turn = at + size, turn + 1
    for got, wanted in zip(
        leaves(asdict(analyzer.report())), leaves(asdict(describe_recording(audio, rate))), strict=True
    ):
        assert got == (pytest.approx(wanted, rel=1e-6, abs=1e-9) if isinstance(wanted, float) else wanted)


def test_a_report_in_between_changes_nothing():
    audio = troubled(8000, 4.0)
    analyzer = RecordingAnalyzer(8000, 2)
    for start in range(0, audio.shape[1], 777):
        analyzer.process(audio[:, start : start + 777])
        analyzer.report()
    assert leaves(analyzer.report().to_dict()) == pytest.approx(leaves(describe_recording(audio, 8000).to_dict()))


def test_everything_is_found():
    report = describe_recording(troubled(48000, 8.0), 48000)
    assert (report.sample_rate, report.channels, report.seconds) == (48000, 2, 8.0)
    assert report.bandwidth.hz == pytest.approx(14400.0, rel=0.05)
    assert report.hum.mains_hz == 50
    assert report.clipping.channels[0].runs == 0 < report.clipping.channels[1].runs
    assert report.silence.digital_share == pytest.approx(1.0 / 8.0, abs=0.01)
    assert report.dc_offset == pytest.approx(troubled(48000, 8.0).mean(axis=1).tolist(), abs=1e-6)
    assert report.loudness_lufs == integrated_loudness(troubled(48000, 8.0), 48000)
    assert report.loudness_range_lu == loudness_range(troubled(48000, 8.0), 48000)
    assert report.true_peak_dbtp == pytest.approx(true_peak_dbtp(troubled(48000, 8.0), 48000), abs=1e-6)


def test_peak_and_rms_are_those_of_full_scale():
    sine = np.sin(2.0 * np.pi * 1000.0 * np.arange(48000) / 48000)
    report = describe_recording(np.stack([sine, sine]), 48000)
    assert report.peak_dbfs == pytest.approx(0.0, abs=1e-6)
    assert report.rms_dbfs == pytest.approx(-3.0103, abs=1e-3)
    assert report.crest_factor_db == pytest.approx(3.0103, abs=1e-3)
    assert report.true_peak_dbtp == pytest.approx(0.0, abs=0.05)
    assert report.peak_to_loudness_lu == pytest.approx(report.true_peak_dbtp - report.loudness_lufs)


def test_a_true_peak_between_the_samples_is_above_the_peak():
    sine = np.sin(0.5 * np.pi * np.arange(48000) + 0.25 * np.pi)
    report = describe_recording(sine, 48000)
    assert report.peak_dbfs == pytest.approx(-3.01, abs=0.01)
    # The hard beginning rings a little above the sine itself.
    assert 0.0 < report.true_peak_dbtp < 0.5


def test_nonfinite_samples_count_as_silence():
    audio = 0.1 * noise(16000, 3.0).astype(np.float32)
    broken = audio.copy()
    broken[[5, 700, 30000]] = [np.nan, np.inf, -np.inf]
    audio[[5, 700, 30000]] = 0.0
    report, wanted = describe_recording(broken, 16000), describe_recording(audio, 16000)
    assert report.nonfinite_samples == 3
    assert {**report.to_dict(), "nonfinite_samples": 0} == wanted.to_dict()
    assert any("3 samples are NaN" in line for line in report.lines())


@pytest.mark.parametrize("rate", [8000, 44100, 192000])
@pytest.mark.parametrize("seconds", [0.0, 1e-9, 0.0005, 0.1, 0.41, 1.1])
@pytest.mark.parametrize("gain", [0.0, 1.0, 1e-20, 1e30])
def test_short_silent_and_extreme_input(rate, seconds, gain):
    samples = int(np.ceil(seconds * rate))
    analyzer = RecordingAnalyzer(rate, 2)
    analyzer.process((gain * np.random.default_rng(0).standard_normal((2, samples))).astype(np.float32))
    report = analyzer.report()
    assert report.seconds == samples / rate
    assert len(report.lines()) >= 8
    json.dumps(report.to_dict(), allow_nan=False)


def test_the_dict_has_none_for_what_json_cannot_say():
    plain = describe_recording(np.zeros(16000), 16000).to_dict()
    assert plain["peak_dbfs"] is None
    assert plain["loudness_lufs"] is plain["true_peak_dbtp"] is None
    assert plain["loudness_range_lu"] is plain["crest_factor_db"] is plain["peak_to_loudness_lu"] is None
    assert plain["bandwidth"] == {"hz": None, "limited": False, "drop_db": None}
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_the_lines_say_it_in_words():
    text = "\n".join(describe_recording(troubled(48000, 8.0), 48000).lines())
    for words in (
        "48,000 Hz, stereo, 8.00 s",
        "limited to 14.",
        "LUFS, range",
        "dBTP",
        "crest factor",
        "50 Hz mains",
        "digital silence",
        "DC offset",
    ):
        assert words in text


def test_the_report_is_frozen():
    with pytest.raises(FrozenInstanceError):
        describe_recording(np.zeros(10), 16000).seconds = 1.0


def test_integers_have_their_full_scale():
    audio = np.round(3000.0 * speech_like(16000, 2.0)).astype(np.int16)
    assert describe_recording(audio, 16000).to_dict() == describe_recording(audio / 32768.0, 16000).to_dict()


@pytest.mark.parametrize("audio", [np.zeros((16000, 2)), np.zeros((2, 3, 4)), np.zeros(10, np.int64)])
def test_wrong_audio_is_refused(audio):
    with pytest.raises(InvalidAudioError):
        describe_recording(audio, 16000)


@pytest.mark.parametrize("block", [np.zeros(10), np.zeros((1, 10)), np.zeros((10, 2)), np.zeros((2, 10), np.int16)])
def test_wrong_blocks_are_refused(block):
    with pytest.raises(InvalidAudioError, match="2, samples"):
        RecordingAnalyzer(16000, 2).process(block)


@pytest.mark.parametrize(("rate", "channels"), [(4000, 1), (400000, 1), (16000, 0)])
def test_wrong_parameters_are_refused(rate, channels):
    with pytest.raises(InvalidParameterError):
        RecordingAnalyzer(rate, channels)


def test_memory_does_not_grow_with_length():
    import tracemalloc

    block = 0.1 * np.random.default_rng(0).standard_normal((1, 48000)).astype(np.float32)
    analyzer = RecordingAnalyzer(48000)
    for _ in range(5):
        analyzer.process(block)
    tracemalloc.start()
    for _ in range(60):
        analyzer.process(block)
    grown, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A minute of audio would be 11.5 MB.
    assert grown < 2e6


def test_importing_does_not_import_scipy():
    code = "import sys, unmuffle.measure; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
