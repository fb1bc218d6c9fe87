"""Presets and stages on audio that is no recording of a voice: finite, as long, silence stays; what fails is said."""

from __future__ import annotations

import warnings

import av
import numpy as np
import pytest

import unmuffle
from unmuffle.level import LoudnessMeter, integrated_loudness, true_peak_dbtp, weights_of_layout
from unmuffle.presets import STAGES, StageChoice, build_chain, find_preset, list_presets
from unmuffle.signal.files import open_reader

RATE = 16_000
PRESETS = [preset.name for preset in list_presets()]
each_preset = pytest.mark.parametrize("name", PRESETS)


def bad_audio() -> dict[str, np.ndarray]:
    """Float32 [channels, samples] by what it is."""
    time = np.arange(2 * RATE)
    impulse = np.zeros((1, time.size), np.float32)
    impulse[0, RATE] = 1.0
    square = np.where(time * 200 // RATE % 2, 1.0, -1.0)[None].astype(np.float32)
    short = (0.1 * np.random.default_rng(0).standard_normal((1, RATE // 10))).astype(np.float32)
    eight = np.random.default_rng(1).standard_normal((8, RATE)) * 0.2 * np.sin(np.arange(RATE) / 900.0) ** 2
    return {
        "silence": np.zeros((1, time.size), np.float32),
        "dc": np.full((1, time.size), 0.5, np.float32),
        "impulse": impulse,
        "full-scale square wave": square,
        "100 ms": short,
        "8 channels": eight.astype(np.float32),
        "one of 8 sounds": np.concatenate([short, np.zeros((7, short.shape[1]), np.float32)]),
    }


AUDIO = bad_audio()
each_audio = pytest.mark.parametrize("kind", AUDIO)


@each_audio
@pytest.mark.parametrize("name", STAGES)
def test_every_stage_gives_back_something_sound(name, kind):
    audio = AUDIO[kind]
    processor, _ = build_chain([StageChoice(name)], RATE, len(audio), link_channels=True)
    out = np.concatenate([processor.process(audio), processor.flush()], axis=1)
    check(audio, out)


@each_audio
@each_preset
def test_every_preset_gives_back_something_sound(name, kind):
    audio = AUDIO[kind]
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        out = unmuffle.Enhancer(preset=name).enhance(audio, RATE)
    check(audio, out)
    messages = [str(warning.message) for warning in said]
    target = find_preset(name).loudness_lufs
    if target is None:
        assert messages == []
        return
    peaks_dbtp = np.max(true_peak_dbtp(out, RATE))
    assert peaks_dbtp <= find_preset(name).true_peak_dbtp + 0.1
    if messages:
        # What is not at the target is said in one line; what is said to be missed is missed.
        (message,) = messages
        assert "has no loudness" in message or "cannot be reached" in message or "needs at least 0.4 s" in message
    elif np.any(out):
        assert integrated_loudness(out, RATE) == pytest.approx(target, abs=0.3)


def check(audio: np.ndarray, out: np.ndarray) -> None:
    assert out.shape == audio.shape
    assert np.isfinite(out).all()
    for before, after in zip(audio, out, strict=True):
        if not before.any():
            assert not after.any()


@each_preset
def test_a_stream_takes_them_too(name):
    for kind, audio in AUDIO.items():
        stream = unmuffle.Enhancer(preset=name).open_stream(RATE, len(audio))
        blocks = [stream.process(audio[:, at : at + 480]) for at in range(0, audio.shape[1], 480)]
        out = np.concatenate([*blocks, stream.flush()], axis=1)
        assert out.shape == audio.shape, kind
        assert np.isfinite(out).all(), kind


def test_a_target_out_of_reach_is_said_with_its_distance(noisy_speech):
    audio = noisy_speech(RATE, seconds=4.0)
    with pytest.warns(UserWarning, match="cannot be reached with true peaks of at most -12 dBTP") as said:
        out = unmuffle.Enhancer(preset="podcast", loudness=-8, true_peak=-12).enhance(audio, RATE)
    reached = integrated_loudness(out, RATE)
    assert f"it is at {reached:.1f} LUFS, {-8 - reached:.1f} LU below" in str(said[0].message)
    assert np.max(true_peak_dbtp(out, RATE)) <= -12 + 0.1


def test_a_file_of_seven_point_one_lands_at_its_loudness(tmp_path, noisy_speech):
    rate = 48_000
    audio = noisy_speech(rate, seconds=4.0, channels=8).astype(np.float32)
    with av.open(str(tmp_path / "talk.wav"), "w") as file:
        sound = file.add_stream("pcm_s16le", rate=rate, layout="7.1")
        packed = np.round(32767.0 * audio.T).astype(np.int16).reshape(1, -1)
        block = av.AudioFrame.from_ndarray(packed, "s16", "7.1")
        block.sample_rate = rate
        file.mux(sound.encode(block))
        file.mux(sound.encode(None))
    report = unmuffle.Enhancer(preset="podcast").enhance_file(tmp_path / "talk.wav", tmp_path / "out.wav")
    assert report.warnings == ()
    with open_reader(tmp_path / "out.wav") as reader:
        assert reader.info.layout == "7.1"
        out = np.concatenate(list(reader.blocks()), axis=1)
    meter = LoudnessMeter(rate, 8, weights_of_layout("7.1", 8))
    meter.process(out)
    assert out.shape == audio.shape
    assert meter.integrated_lufs == pytest.approx(-16.0, abs=0.3)
