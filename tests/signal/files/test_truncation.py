"""What is left of a file that was cut off is read, and what is missing is told."""

from __future__ import annotations

import errno
import io

import numpy as np
import pytest
from file_support import bursts, ffmpeg, needs_ffmpeg, read, write

from unmuffle.errors import AudioFileError
from unmuffle.signal.files import open_reader

KINDS = ["wav", "aiff", "au", "w64", "flac", "mp3", "ogg", "opus", "mkv"]


def cut(path, part=0.6):
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])


@pytest.mark.parametrize("suffix", KINDS)
def test_the_beginning_is_read_and_the_end_is_missed(tmp_path, suffix):
    path = tmp_path / f"talk.{suffix}"
    write(path, bursts(12.0))
    whole, reader = read(path)
    assert reader.warnings == []
    cut(path)
    part, reader = read(path)
    assert 0.3 < part.shape[1] / whole.shape[1] < 0.8
    n = part.shape[1] - 4096
    np.testing.assert_allclose(part[:, :n], whole[:, :n], atol=1e-6)
    assert str(path) in reader.warnings[-1]
    assert "what is there was read" in reader.warnings[-1]


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3"])
def test_the_line_names_both_lengths(tmp_path, suffix):
    path = tmp_path / f"talk.{suffix}"
    write(path, bursts(12.0))
    cut(path)
    part, reader = read(path)
    missing = 12.0 - part.shape[1] / 48000
    assert f"ends {missing:.1f} s before its header says (12.0 s)" in reader.warnings[-1]


@needs_ffmpeg
def test_mp4_with_its_index_in_front(tmp_path):
    whole, path = tmp_path / "a.wav", tmp_path / "talk.m4a"
    write(whole, bursts(6.0))
    ffmpeg("-i", whole, "-c:a", "aac", "-movflags", "faststart", path)
    assert read(path)[1].warnings == []
    cut(path)
    part, reader = read(path)
    assert 2.0 < part.shape[1] / 48000 < 5.0
    assert "before its header says (6.0 s)" in reader.warnings[-1]


def test_damage_in_the_middle_is_told(tmp_path):
    path = tmp_path / "talk.flac"
    write(path, bursts(4.0))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 400] = bytes(400)
    path.write_bytes(data)
    samples, reader = read(path)
    assert samples.shape[1] == 4 * 48000
    assert "filled with silence" in reader.warnings[0]


def test_mp4_without_its_index_is_refused(tmp_path):
    path = tmp_path / "talk.m4a"
    write(path, bursts(6.0))
    cut(path)
    with pytest.raises(AudioFileError, match="breaks off before its index"):
        read(path)


def test_a_source_that_fails_on_the_way_is_told():
    class Failing(io.BytesIO):
        good_reads = 12

        def read(self, size=-1):
            self.good_reads -= 1
            if self.good_reads < 0:
                raise OSError(errno.EIO, "Input/output error")
            return super().read(size)

    destination = io.BytesIO()
    write(destination, bursts(3.0))
    source = Failing(destination.getvalue())
    with open_reader(source) as reader:
        source.good_reads = 2
        reader.read(20_000)
        reader.read(20_000)
        with pytest.raises(AudioFileError, match=r"cannot be read beyond 0\.8 s: .*Input/output error"):
            reader.read(20_000)
    with pytest.raises(AudioFileError, match=r"cannot be read.*Input/output error"):
        read(Failing(destination.getvalue()))
