"""What cannot be read is told in one line that names it and the way out."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from file_support import bursts, ffmpeg, needs_ffmpeg, read, write

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.signal.files import AudioInfo, RawFormat, open_reader, open_writer


def refusal(source, **options):
    with pytest.raises(AudioFileError) as caught, open_reader(source, **options):
        pass
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"Dear all,\nplease find attached\n" * 50, "looks like text"),
        ("Grüße aus München, 你好\n".encode() * 500, "looks like text"),
        (b"#EXTM3U\nhttp://example.org/a.mp3\n" + bytes(100), "looks like a playlist"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "looks like a picture"),
        (b"%PDF-1.7" + bytes(range(256)), "looks like a PDF"),
        (b"PK\x03\x04" + bytes(range(256)), "ZIP"),
        (bytes(5000), "nothing but zero bytes"),
        (np.random.default_rng(1).bytes(5000), "not audio that can be read"),
        (b"", "is empty (0 bytes)"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "not audio that can be read"),
    ],
)
def test_what_is_not_audio(tmp_path, content, words):
    path = tmp_path / "x.wav"
    path.write_bytes(content)
    message = refusal(path)
    assert words in message
    assert str(path) in message


def test_missing_and_folder(tmp_path):
    assert "does not exist" in refusal(tmp_path / "no.wav")
    assert "is a folder" in refusal(tmp_path)
    assert "does not exist" in refusal(tmp_path / "no" / "such" / "no.wav")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read everything")
def test_no_permission(tmp_path):
    path = tmp_path / "a.wav"
    write(path, bursts(0.1))
    path.chmod(0)
    assert "may not be read" in refusal(path)


def test_permission_errors_are_told(tmp_path, monkeypatch):
    path = tmp_path / "a.wav"
    write(path, bursts(0.1))

    def refuse(self, *arguments):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "you lack the permission" in refusal(path)


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
def test_no_samples(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    write(path, np.zeros((1, 0), np.float32))
    assert "has no samples" in refusal(path)


def test_things_that_are_no_source():
    assert "binary file object" in refusal(12)
    assert "binary mode" in refusal(io.StringIO("text"))


@needs_ffmpeg
def test_a_picture_without_audio(tmp_path):
    path = tmp_path / "silent.mp4"
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=64x64:duration=0.2", "-c:v", "mpeg4", path)
    assert "has a picture but no audio" in refusal(path)


@pytest.mark.parametrize("suffix", ["mp3", "flac", "m4a", "ogg", "aiff", "wav"])
def test_a_wrong_extension_does_not_matter(tmp_path, suffix):
    right, wrong = tmp_path / f"a.{suffix}", tmp_path / ("a.wav" if suffix != "wav" else "a.mp3")
    write(right, bursts(0.3))
    expected = read(right)[0]
    right.replace(wrong)
    np.testing.assert_array_equal(read(wrong)[0], expected)


def test_compressed_wav_is_read_by_another_decoder(tmp_path):
    import soundfile

    path = tmp_path / "a.wav"
    soundfile.write(path, bursts(0.2)[0], 48000, "ULAW")
    samples, reader = read(path)
    assert reader.info.codec == "pcm_mulaw"
    np.testing.assert_array_equal(samples[0], soundfile.read(path, dtype="float32")[0])


@pytest.mark.parametrize("text", ["", "s16le", "s16le,48000", "s16le,48000,1,2", "s16le,fast,1"])
def test_raw_formats_of_another_shape(text):
    with pytest.raises(InvalidParameterError, match=r"s16le,48000,1") as caught:
        RawFormat.parse(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"), [("s17le,8000,1", "s17le"), ("s16le,0,1", "rate 0"), ("s16le,8000,0", "count 0")]
)
def test_raw_formats_out_of_range(text, words):
    with pytest.raises(InvalidParameterError, match=words):
        RawFormat.parse(text)


@pytest.mark.parametrize("name", ["a.xyz", "a", "a.txt"])
def test_destinations_of_unknown_kind(tmp_path, name):
    with pytest.raises(AudioFileError, match=r"such as \.wav"):
        open_writer(tmp_path / name, AudioInfo(8000, 1))
    assert list(tmp_path.iterdir()) == []


def test_too_many_channels_for_a_codec(tmp_path):
    with pytest.raises(AudioFileError, match=r"cannot hold 6 channels \(mp3 takes 2\)"):
        open_writer(tmp_path / "a.mp3", AudioInfo(48000, 6, layout="5.1"))


def test_a_header_that_lies_about_its_chunks():
    fmt = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 0, 8000, 0, 0, 16)
    assert "not audio" in refusal(b"RIFF\xff\xff\x00\x00WAVE" + fmt + b"data\x10\x00\x00\x00" + bytes(16))
