"""Recordings of both sides: in step, whole or not there, and never the reason for a loop to end."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from live_signals import drive, noise

import unmuffle
from unmuffle.errors import AudioFileError, OutputExistsError
from unmuffle.live import FileDevice, LiveLoop, Recorder
from unmuffle.live import recorder as recorder_module


def recorded(audio, rate, path, **settings):
    device = FileDevice(audio, rate)
    stream = unmuffle.open_stream(rate, len(audio), device.input.block_size, method="wiener", **settings)
    recorder = Recorder(path, rate, len(audio), stream.latency)
    loop = LiveLoop(device, stream, recorder)
    drive(device, loop)
    loop._running = True
    loop.stop()
    return recorder, loop


@pytest.mark.parametrize("channels", [1, 2])
def test_both_sides_are_in_step_and_complete(tmp_path, names_in, channels):
    rate = 16_000
    audio = noise(1.0, rate, channels)
    recorder, _ = recorded(audio, rate, tmp_path / "take.wav")
    assert recorder.error is None
    assert names_in(tmp_path) == ["take.noisy.wav", "take.wav"]
    noisy, _ = soundfile.read(tmp_path / "take.noisy.wav", dtype="int16", always_2d=True)
    clear, clear_rate = soundfile.read(tmp_path / "take.wav", dtype="int16", always_2d=True)
    assert clear_rate == rate
    assert noisy.shape == clear.shape
    assert np.array_equal(noisy[: audio.shape[1]].T, np.rint(audio * 32768).astype(np.int16))
    # The file that a whole enhancement gives: nothing shifted, the end included.
    whole = unmuffle.enhance(noisy.T.astype(np.float32) / 32768, rate, method="wiener")
    assert np.abs(clear.T - whole * 32768).max() < 4.0


def test_what_is_there_already_stays(tmp_path, names_in):
    (tmp_path / "take.noisy.wav").write_bytes(b"mine")
    with pytest.raises(OutputExistsError, match=r"take\.noisy\.wav already exists"):
        Recorder(tmp_path / "take.wav", 16_000, 1, 0)
    (tmp_path / "take.noisy.wav").rename(tmp_path / "take.wav")
    with pytest.raises(OutputExistsError):
        Recorder(tmp_path / "take.wav", 16_000, 1, 0)
    assert names_in(tmp_path) == ["take.wav"]
    assert (tmp_path / "take.wav").read_bytes() == b"mine"


def test_nothing_is_left_of_nothing(tmp_path, names_in):
    recorder = Recorder(tmp_path / "take.flac", 16_000, 1, 10)
    recorder.close(np.zeros((1, 10), np.float32))
    assert names_in(tmp_path) == []


def test_a_full_disk_ends_the_recording_and_not_the_loop(tmp_path, names_in, monkeypatch):
    real, calls = recorder_module.AudioWriter.write, 0

    def write(self, block):
        nonlocal calls
        calls += 1
        if calls > 20:
            raise AudioFileError("take.wav cannot be written: the disk is full")
        real(self, block)

    monkeypatch.setattr(recorder_module.AudioWriter, "write", write)
    recorder, loop = recorded(noise(1.0, 16_000), 16_000, tmp_path / "take.wav")
    assert recorder.error == "take.wav cannot be written: the disk is full"
    assert loop.error is None
    assert loop.report.seconds > 1.0
    # What was written before can be heard.
    assert names_in(tmp_path) == ["take.noisy.wav", "take.wav"]
    assert soundfile.info(tmp_path / "take.noisy.wav").frames > 0


def test_a_disk_that_is_too_slow_leaves_whole_blocks_out_of_both_sides(tmp_path, monkeypatch):
    monkeypatch.setattr(recorder_module, "MOST_WAITING_S", 0.1)
    recorder = Recorder(tmp_path / "take.wav", 16_000, 1, 0)
    recorder._waiting.put((np.zeros((1, 0), np.float32), np.zeros((1, 0), np.float32)))
    held = recorder_module.AudioWriter.write
    import threading

    gate = threading.Event()

    def write(self, block):
        gate.wait(20.0)
        held(self, block)

    monkeypatch.setattr(recorder_module.AudioWriter, "write", write)
    block = np.zeros((1, 160), np.float32)
    for _ in range(50):
        recorder.put(block, block)
    gate.set()
    recorder.close(np.zeros((1, 0), np.float32))
    assert recorder.error is None
    written = soundfile.info(tmp_path / "take.wav").frames
    assert written == soundfile.info(tmp_path / "take.noisy.wav").frames
    assert 0 < recorder.left_out_samples == 50 * 160 - written
