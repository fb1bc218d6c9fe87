"""Hum is taken out at every line, followed while it drifts; a voice and audio without hum stay as they are."""

from __future__ import annotations

import numpy as np
import pytest
from hum_signals import hum_lines, reductions_db
from numpy.testing import assert_array_equal
from scipy.signal import welch
from voices_to_spoil import noise, speech_like

from unmuffle.errors import InvalidParameterError
from unmuffle.repair import Dehummer, dehum


def voice_in_a_room(rate: int, seconds: float, seed: int = 0, pitch_hz: float = 130.0) -> np.ndarray:
    return speech_like(rate, seconds, seed, pitch_hz) + 1e-4 * noise(rate, seconds, seed)


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize(("hz", "drift_hz"), [(50.0, 0.0), (60.0, 0.4), (49.7, 0.3)])
def test_every_line_falls_by_25_db(rate, hz, drift_hz):
    clean = voice_in_a_room(rate, 10.0)
    lines, phase = hum_lines(rate, 10.0, hz, -35.0, drift_hz=drift_hz)
    residue = dehum(clean + lines.sum(axis=0), rate, look_ahead_s=0.0) - clean
    assert reductions_db(residue, lines, phase, rate, (2.0, 9.5)).min() >= 25.0


@pytest.mark.parametrize("level_dbfs", [-20.0, -30.0, -40.0])
def test_at_any_level(level_dbfs):
    clean = voice_in_a_room(16000, 8.0, seed=1)
    lines, phase = hum_lines(16000, 8.0, 50.0, level_dbfs)
    residue = dehum(clean + lines.sum(axis=0), 16000, look_ahead_s=0.0) - clean
    assert reductions_db(residue, lines, phase, 16000, (2.0, 7.5)).min() >= 25.0


def test_is_locked_within_two_seconds():
    lines, _ = hum_lines(16000, 6.0, 60.0, -35.0)
    clean = voice_in_a_room(16000, 6.0, seed=2)
    live = Dehummer(16000)
    noisy = (clean + lines.sum(axis=0)).astype(np.float32)[None]
    live.process(noisy[:, : 2 * 16000])
    assert live.fundamental_hz[0] == pytest.approx(60.0, abs=0.02)


def test_look_ahead_frees_the_beginning_too():
    clean = voice_in_a_room(16000, 6.0, seed=3)
    lines, phase = hum_lines(16000, 6.0, 50.0, -30.0)
    residue = dehum(clean + lines.sum(axis=0), 16000) - clean
    assert reductions_db(residue, lines, phase, 16000, (0.2, 2.0)).min() >= 20.0


def test_hum_that_comes_and_goes():
    clean = voice_in_a_room(16000, 12.0, seed=4)
    lines, phase = hum_lines(16000, 12.0, 50.0, -30.0)
    there = (np.arange(clean.size) > 3.0 * 16000) & (np.arange(clean.size) < 8.0 * 16000)
    noisy = (clean + np.where(there, lines.sum(axis=0), 0.0)).astype(np.float32)
    output = dehum(noisy, 16000)
    assert reductions_db(output - clean, lines, phase, 16000, (3.5, 7.5)).min() >= 20.0
    after = slice(round(8.5 * 16000), None)
    assert np.abs(output[after] - clean[after]).max() < 1e-4
    assert_array_equal(output[: round(2.5 * 16000)], noisy[: round(2.5 * 16000)])


def test_speech_between_the_lines_keeps_its_spectrum():
    clean = voice_in_a_room(16000, 20.0, seed=5)
    lines, _ = hum_lines(16000, 20.0, 50.0, -35.0)
    output = dehum(clean + lines.sum(axis=0), 16000)
    hz, before = welch(clean, 16000, nperseg=16000)
    _, after = welch(output, 16000, nperseg=16000)
    between = (np.abs(hz / 50.0 - np.round(hz / 50.0)) > 0.08) & (hz > 60.0) & (hz < 7000.0)
    assert np.abs(10.0 * np.log10(after[between] / before[between])).max() < 0.5


@pytest.mark.parametrize("pitch_hz", [85.0, 100.0, 110.0, 120.0, 130.0])
@pytest.mark.parametrize("look_ahead_s", [0.0, 2.0])
def test_a_deep_voice_without_hum_comes_back_bit_for_bit(pitch_hz, look_ahead_s):
    clean = voice_in_a_room(16000, 8.0, seed=6, pitch_hz=pitch_hz).astype(np.float32)
    assert_array_equal(dehum(clean, 16000, look_ahead_s=look_ahead_s), clean)


@pytest.mark.parametrize("pitch_hz", [100.0, 120.0])
def test_a_deep_voice_over_hum_keeps_its_fundamental(pitch_hz):
    clean = voice_in_a_room(16000, 10.0, seed=7, pitch_hz=pitch_hz)
    lines, _ = hum_lines(16000, 10.0, 50.0 if pitch_hz == 100.0 else 60.0, -40.0)
    residue = dehum(clean + lines.sum(axis=0), 16000, look_ahead_s=0.0) - clean
    error = residue[2 * 16000 :]
    assert 10.0 * np.log10(np.square(error).mean()) < -60.0


def test_noise_comes_back_bit_for_bit():
    for seed in range(5):
        hiss = (0.1 * noise(16000, 6.0, seed)).astype(np.float32)
        assert_array_equal(dehum(hiss, 16000), hiss)


def test_what_was_found_is_told():
    lines, _ = hum_lines(16000, 5.0, 50.0, -30.0, harmonics=3)
    live = Dehummer(16000, 2)
    quiet = 1e-4 * noise(16000, 5.0)
    live.process(np.stack([quiet, quiet + lines.sum(axis=0)]))
    assert np.isnan(live.fundamental_hz[0])
    assert live.fundamental_hz[1] == pytest.approx(50.0, abs=0.01)
    assert live.harmonics[0] == ()
    assert [line.number for line in live.harmonics[1]] == [1, 2, 3]
    told = [line.level_dbfs for line in live.harmonics[1]]
    assert told == pytest.approx(10.0 * np.log10(np.square(lines).mean(axis=1)), abs=0.3)


def test_linked_channels_share_the_fundamental():
    lines, phase = hum_lines(16000, 8.0, 50.0, -45.0)
    clean = np.stack([voice_in_a_room(16000, 8.0, seed) for seed in (8, 9)])
    output = dehum(clean + np.outer([1.0, -0.3], lines.sum(axis=0)), 16000, link_channels=True)
    for gain, residue in zip((1.0, -0.3), output - clean, strict=True):
        assert np.median(reductions_db(residue, gain * lines, phase, 16000, (2.0, 7.5))) >= 20.0


def test_latency_is_the_look_ahead_that_is_used():
    lines, _ = hum_lines(8000, 4.0, 50.0, -20.0, harmonics=5)
    audio = (lines.sum(axis=0) + 1e-4 * noise(8000, 4.0)).astype(np.float32)
    processor = Dehummer(8000, look_ahead_s=0.5)
    at = 3 * 8000 // processor.block_period * processor.block_period - 1
    changed = audio.copy()
    changed[at] += 0.5
    first = int((dehum(audio, 8000, look_ahead_s=0.5) != dehum(changed, 8000, look_ahead_s=0.5)).argmax())
    # Two frames may pass between two looks at the clusters, and the table is read with what float32 can tell.
    assert processor.latency - 4 * processor.block_period <= at - first <= processor.latency


@pytest.mark.parametrize("kind", ["silence", "dc", "impulse", "square", "tone"])
@pytest.mark.parametrize("seconds", [0.1, 4.0])
def test_other_sounds_are_not_harmed(kind, seconds):
    count = round(seconds * 16000)
    audio = {
        "silence": np.zeros(count),
        "dc": np.full(count, 0.5),
        "impulse": np.eye(1, count, count // 2)[0],
        # Their lines are multiples of 50 Hz as well as of 1 kHz.
        "square": np.where(np.arange(count) % 16 < 8, 1.0, -1.0),
        "tone": np.sin(2.0 * np.pi * 1000.0 * np.arange(count) / 16000),
    }[kind].astype(np.float32)
    assert_array_equal(dehum(np.tile(audio, (8, 1)), 16000), np.tile(audio, (8, 1)))


def test_a_mute_in_hum_stays_silent():
    lines, _ = hum_lines(16000, 8.0, 50.0, -30.0)
    audio = lines.sum(axis=0) + 1e-4 * noise(16000, 8.0)
    audio[5 * 16000 : 6 * 16000] = 0.0
    output = dehum(audio, 16000, look_ahead_s=0.0)
    assert not output[round(5.3 * 16000) : 6 * 16000].any()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mains_hz": 30.0}, "45 to 65"),
        ({"mains_hz": np.nan}, "45 to 65"),
        ({"look_ahead_s": -1.0}, "0 .live. to 10 s"),
    ],
)
def test_what_cannot_be_is_refused(options, words):
    with pytest.raises(InvalidParameterError, match=words):
        Dehummer(16000, **options)
