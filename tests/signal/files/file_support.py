"""What the tests of this folder share: made-up audio, and FFmpeg's command line as an independent reader."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest

from unmuffle.signal.files import AudioInfo, open_reader, open_writer

needs_ffmpeg = pytest.mark.skipif(
    shutil.which("ffmpeg") is None or shutil.which("ffprobe") is None,
    reason="the ffmpeg command line, the independent reference, is not installed",
)


def bursts(seconds=2.0, rate=48000, channels=1, seed=0):
    """Noise that comes and goes: its correlation has one sharp peak."""
    rng = np.random.default_rng(seed)
    n = round(seconds * rate)
    gate = (np.arange(n) // (rate // 7)) % 3 == 1
    return (0.3 * rng.uniform(-1, 1, (channels, n)) * gate).astype(np.float32)


def write(path, samples, rate=48000, *, sample_format="s16", block=7919, **options):
    info_options = {key: options.pop(key) for key in ("tags", "layout", "bit_rate", "codec") if key in options}
    info_options.setdefault("layout", {1: "mono", 2: "stereo"}.get(len(samples), "unknown"))
    info_options.setdefault("codec", "pcm_" + sample_format)
    info = AudioInfo(rate, len(samples), sample_format=sample_format, **info_options)
    with open_writer(path, info, **options) as writer:
        for start in range(0, samples.shape[1], block):
            writer.write(samples[:, start : start + block])
    return writer


def read(source, block=10007, **options):
    with open_reader(source, **options) as reader:
        blocks = list(reader.blocks(block))
    return np.concatenate(blocks, axis=1), reader


def copy(source, destination, **options):
    with (
        open_reader(source) as reader,
        open_writer(destination, reader.info, source=source, **options) as writer,
    ):
        for block in reader.blocks(30011):
            writer.write(block)
    return reader, writer


def ffmpeg(*arguments):
    command = ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout


def ffprobe(path, entries, *more):
    command = ["ffprobe", "-v", "error", *more, "-show_entries", entries, "-of", "csv=p=0", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


def decode_with_ffmpeg(path, channels, stream="0:a:0"):
    data = ffmpeg("-i", path, "-map", stream, "-f", "f32le", "-")
    return np.frombuffer(data, "<f4").reshape(-1, channels).T


def lag(reference, other):
    """By how many samples `other` is later than `reference`."""
    size = 1 << int(np.ceil(np.log2(len(reference) + len(other))))
    spectrum = np.fft.rfft(reference, size).conj() * np.fft.rfft(other, size)
    peak = int(np.argmax(np.fft.irfft(spectrum)))
    return peak - size if peak > size // 2 else peak
