"""Pipes, standard input and output, devices and file objects carry WAV and headerless samples."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
import threading

import numpy as np
import pytest
import soundfile
from file_support import bursts, ffmpeg, needs_ffmpeg, read, write

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.signal.files import AudioInfo, RawFormat, open_reader, open_writer

COPY = """
import sys
from unmuffle.signal.files import RawFormat, open_reader, open_writer
raw = RawFormat.parse(sys.argv[1]) if len(sys.argv) > 1 else None
with open_reader("-", raw=raw) as reader, open_writer("-", reader.info, raw=raw) as writer:
    for block in reader.blocks(1000):
        writer.write(block)
"""


class Trickle:
    """A stream that cannot go back and gives a few bytes at a time."""

    def __init__(self, data, at_most=777):
        self.stream, self.at_most = io.BytesIO(data), at_most

    def read(self, size=-1):
        return self.stream.read(min(size, self.at_most) if size >= 0 else size)


def wav_bytes(samples, **options):
    destination = io.BytesIO()
    write(destination, samples, **options)
    return destination.getvalue()


def with_sizes(data, riff, body):
    """Replace both sizes of a WAV file."""
    at = data.index(b"data") + 4
    return data[:4] + struct.pack("<I", riff) + data[8:at] + struct.pack("<I", body) + data[at + 4 :]


@pytest.mark.parametrize("sizes", [(0xFFFFFFFF, 0xFFFFFFFF), (0, 0), (0x7FFFFFFF, 0x7FFFFFDB), (0xFFFFFFFF, 0)])
def test_unknown_sizes_mean_to_the_end(sizes):
    samples = bursts(0.3, channels=2)
    data = with_sizes(wav_bytes(samples), *sizes)
    back, reader = read(Trickle(data))
    np.testing.assert_allclose(back, samples, atol=2**-16)
    assert reader.info.frames is None
    assert reader.warnings == []


@needs_ffmpeg
def test_wav_from_ffmpegs_pipe():
    data = ffmpeg("-f", "lavfi", "-i", "sine=duration=0.5:sample_rate=22050", "-f", "wav", "-")
    assert data[4:8] == b"\xff\xff\xff\xff"
    for source in (Trickle(data), data):
        samples, reader = read(source)
        assert samples.shape == (1, 11025)
        assert reader.info.sample_rate == 22050
        assert reader.warnings == []


def test_a_recording_that_was_never_closed_is_read_and_told():
    data = with_sizes(wav_bytes(bursts(0.3)), 0, 0)
    samples, reader = read(data)
    assert samples.shape == (1, 14400)
    assert "was not closed" in reader.warnings[0]


@pytest.mark.parametrize("suffix", ["flac", "mp3", "ogg", "opus", "mkv", "aiff"])
def test_other_kinds_through_a_pipe(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write(path, bursts(0.5))
    expected = read(path)[0]
    samples, _ = read(Trickle(path.read_bytes()))
    n = min(samples.shape[1], expected.shape[1])
    np.testing.assert_allclose(samples[:, :n], expected[:, :n], atol=1e-6)
    # Without going back, the end of some kinds cannot be known, and their padding stays.
    assert 0 <= samples.shape[1] - expected.shape[1] <= 2400


def test_standard_input_to_standard_output():
    samples = bursts(0.3, channels=2)
    run = subprocess.run([sys.executable, "-c", COPY], input=wav_bytes(samples), capture_output=True, check=True)
    assert run.stderr == b""
    back, reader = read(Trickle(run.stdout))
    np.testing.assert_allclose(back, samples, atol=2**-16)
    assert reader.info.sample_format == "s16"


@needs_ffmpeg
def test_ffmpeg_reads_the_stream(tmp_path):
    samples = bursts(0.3)
    run = subprocess.run([sys.executable, "-c", COPY], input=wav_bytes(samples), capture_output=True, check=True)
    command = ["ffmpeg", "-v", "error", "-i", "-", "-f", "f32le", "-"]
    decoded = subprocess.run(command, input=run.stdout, capture_output=True, check=True).stdout
    np.testing.assert_allclose(np.frombuffer(decoded, "<f4"), samples[0], atol=2**-16)


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("s16le,8000,2", "<i2"),
        ("s16be,8000,2", ">i2"),
        ("s32be,8000,2", ">i4"),
        ("f32be,8000,2", ">f4"),
        ("u8,8000,2", "u1"),
    ],
)
def test_headerless_samples(text, dtype):
    values = (bursts(0.1, 8000, 2).T * (1 if "f" in dtype else 100)).astype(dtype)
    run = subprocess.run([sys.executable, "-c", COPY, text], input=values.tobytes(), capture_output=True, check=True)
    assert run.stdout == values.tobytes()


@pytest.mark.parametrize("order", ["le", "be"])
def test_headerless_24_bit_samples(order):
    values = [0, 1, -1, 2**23 - 1, -(2**23), 12345]
    data = b"".join(v.to_bytes(3, "little" if order == "le" else "big", signed=True) for v in values)
    raw = RawFormat.parse(f"s24{order},8000,1")
    samples, reader = read(data, raw=raw)
    np.testing.assert_array_equal(samples[0] * 2**23, values)
    destination = io.BytesIO()
    with open_writer(destination, reader.info, raw=raw) as writer:
        writer.write(samples)
    assert destination.getvalue() == data


def test_a_broken_last_frame_is_left_out():
    samples, _ = read(bytes(4 * 10 + 3), raw=RawFormat.parse("s16le,8000,2"))
    assert samples.shape == (2, 10)


def test_raw_output_must_fit_the_audio():
    with pytest.raises(InvalidParameterError, match="must be the same"):
        open_writer(io.BytesIO(), AudioInfo(8000, 1), raw=RawFormat.parse("s16le,16000,1"))


@pytest.mark.parametrize("container", ["flac", "mp3", "ogg", "m4a"])
def test_any_kind_into_a_file_object(container):
    destination = io.BytesIO()
    write(destination, bursts(0.5), container=container)
    assert read(destination.getvalue())[1].info.container == container


def test_a_file_object_gets_true_sizes_where_it_is():
    destination = io.BytesIO()
    destination.write(b"before")
    write(destination, bursts(0.1))
    data = destination.getvalue()[6:]
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    assert soundfile.read(io.BytesIO(data))[0].shape == (4800,)
    assert not destination.closed


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")  # noqa: PTH110
@pytest.mark.parametrize("seconds", [0.01, 5.0])
def test_a_full_device_is_told(seconds):
    with pytest.raises(AudioFileError, match=r"/dev/full cannot be written: the disk is full"):
        write("/dev/full", bursts(seconds))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_named_pipes_are_written_and_read_not_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    samples = bursts(0.2)
    thread = threading.Thread(target=write, args=(pipe, samples))
    thread.start()
    back, _ = read(pipe)
    thread.join()
    np.testing.assert_allclose(back, samples, atol=2**-16)
    assert pipe.is_fifo()


def test_a_reader_that_has_gone_is_told():
    take, give = os.pipe()
    os.close(take)
    with os.fdopen(give, "wb", buffering=0) as stream, pytest.raises(AudioFileError, match="has gone"):
        write(stream, bursts(0.5))


def test_a_writer_closed_early_leaves_the_callers_stream_open():
    stream = io.BytesIO(wav_bytes(bursts(0.1)))
    with open_reader(stream):
        pass
    assert not stream.closed
