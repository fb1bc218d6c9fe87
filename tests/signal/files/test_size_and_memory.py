"""Long files: RF64 beyond 4 GB, memory that does not grow with length, and light imports."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from file_support import bursts, ffmpeg, needs_ffmpeg, read, write

from peak_memory import PEAK_MB
from unmuffle.signal.files import probe

MEASURE = f"""
import sys
{PEAK_MB}
import numpy as np
from unmuffle.signal.files import AudioInfo, open_reader, open_writer
path, minutes = sys.argv[1], int(sys.argv[2])
noise = np.random.default_rng(0).uniform(-0.3, 0.3, (2, 480000)).astype(np.float32)
info = AudioInfo(48000, 2, layout="stereo", sample_format="s16", codec="pcm_s16le")
with open_writer(path, info) as writer:
    for _ in range(minutes * 6):
        writer.write(noise)
with open_reader(path) as reader, open_writer("copy-" + path, reader.info, source=path) as writer:
    for block in reader.blocks():
        writer.write(block)
print(round(1024 * peak_mb()))
"""


def peak_kilobytes(folder, name, minutes):
    command = [sys.executable, "-c", MEASURE, name, str(minutes)]
    shown = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    for path in folder.iterdir():
        path.unlink()
    return int(shown)


@pytest.mark.skipif(sys.platform == "win32", reason="the peak is asked from a POSIX interface")
@pytest.mark.parametrize(("name", "minutes"), [("a.wav", 15), ("a.flac", 5), ("a.mkv", 5)])
def test_memory_does_not_grow_with_length(tmp_path, name, minutes):
    short = peak_kilobytes(tmp_path, name, 1)
    assert peak_kilobytes(tmp_path, name, minutes) < short + 12_000


REMUX = f"""
import sys
{PEAK_MB}
from unmuffle.signal.files import open_reader, open_writer
with open_reader(sys.argv[1]) as reader, open_writer("copy-" + sys.argv[1], reader.info, source=sys.argv[1]) as writer:
    for block in reader.blocks():
        writer.write(block)
print(round(1024 * peak_mb()))
"""


@needs_ffmpeg
@pytest.mark.skipif(sys.platform == "win32", reason="the peak is asked from a POSIX interface")
@pytest.mark.parametrize("suffix", ["mkv", "mp4"])
def test_memory_does_not_grow_with_the_picture(tmp_path, suffix):
    peaks = []
    for seconds in (10, 90):
        name = f"{seconds}.{suffix}"
        noise = f"nullsrc=size=160x120:rate=10:duration={seconds},geq=random(1)*255:128:128"
        sound = f"sine=duration={seconds}"
        ffmpeg("-f", "lavfi", "-i", noise, "-f", "lavfi", "-i", sound, "-c:v", "mjpeg", "-q:v", "1", tmp_path / name)
        command = [sys.executable, "-c", REMUX, name]
        shown = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout
        peaks.append(int(shown))
    assert (tmp_path / name).stat().st_size > 12_000_000
    assert peaks[1] < peaks[0] + 6_000


@needs_ffmpeg
def test_wav_beyond_its_limit_becomes_rf64(tmp_path, monkeypatch):
    monkeypatch.setattr("unmuffle.signal.files.wav_encoder._LARGEST_RIFF", 50_000)
    small, large = tmp_path / "small.wav", tmp_path / "large.wav"
    samples = bursts(1.0, channels=2)
    write(small, samples[:, :1000])
    write(large, samples)
    assert small.read_bytes()[:4] == b"RIFF"
    assert large.read_bytes()[:4] == b"RF64"
    assert soundfile.info(large).format == "RF64"
    back, reader = read(large)
    assert reader.info.frames == 48000
    np.testing.assert_array_equal(back, soundfile.read(large, dtype="float32", always_2d=True)[0].T)
    decoded = np.frombuffer(ffmpeg("-i", large, "-f", "f32le", "-"), "<f4").reshape(-1, 2).T
    np.testing.assert_array_equal(back, decoded)


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="needs a file with holes")
def test_a_file_of_five_gigabytes_is_understood(tmp_path):
    path = tmp_path / "large.wav"
    with soundfile.SoundFile(path, "w", 48000, 2, "PCM_16", format="RF64") as file:
        file.write(np.zeros((10, 2), np.int16))
    head = bytearray(path.read_bytes())
    at = head.index(b"ds64") + 8
    size = 5 * 2**30
    head[at + 8 : at + 16] = size.to_bytes(8, "little")
    start = head.index(b"data") + 8
    path.write_bytes(head[:start])
    os.truncate(path, start + size)
    assert probe(path).frames == size // 4


def test_importing_loads_no_decoder():
    code = (
        "import sys, unmuffle.signal.files as f; assert f.open_reader;"
        "print({'av', 'soundfile', 'soxr'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"
