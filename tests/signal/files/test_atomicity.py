"""A destination is whole or untouched, whatever happens on the way."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from file_support import bursts, copy, read, write

from unmuffle.errors import AudioFileError, OutputExistsError
from unmuffle.signal.files import AudioInfo, open_writer
from unmuffle.signal.files.samples import encode_pcm

SUFFIXES = ["wav", "flac", "aiff", "ogg", "mp3", "m4a", "mkv", "opus"]
INFO = AudioInfo(48000, 1, layout="mono", sample_format="s16", codec="pcm_s16le")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_nothing_stands_at_the_name_before_the_end(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    with open_writer(path, INFO) as writer:
        writer.write(bursts(0.5))
        assert not path.exists()
        [hidden] = names(tmp_path)
        assert hidden.startswith(".")
        assert hidden.endswith(suffix)
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path, suffix, error):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"old")

    def fail():
        with open_writer(path, INFO, overwrite=True) as writer:
            writer.write(bursts(0.5))
            raise error

    with pytest.raises(error):
        fail()
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == [path.name]


def test_an_existing_file_is_not_overwritten_unasked(tmp_path):
    path = tmp_path / "a.wav"
    path.write_bytes(b"old")
    with pytest.raises(OutputExistsError, match="--overwrite") as caught:
        open_writer(path, INFO)
    assert str(path) in str(caught.value)
    assert "overwrite=True" in str(caught.value)
    write(path, bursts(0.1), overwrite=True)
    assert read(path)[0].shape == (1, 4800)


def test_a_file_that_comes_up_meanwhile_is_not_overwritten(tmp_path):
    path = tmp_path / "a.wav"
    writer = open_writer(path, INFO)
    path.write_bytes(b"other")
    with pytest.raises(OutputExistsError):
        writer.commit()
    assert path.read_bytes() == b"other"
    assert names(tmp_path) == ["a.wav"]


def test_the_source_is_not_overwritten_unasked(tmp_path):
    path, link = tmp_path / "a.wav", tmp_path / "b.wav"
    write(path, bursts(0.1))
    link.symlink_to(path)
    for destination in (path, link, tmp_path / "." / "a.wav"):
        with pytest.raises(AudioFileError, match="is the source itself") as caught:
            open_writer(destination, INFO, source=path, overwrite=True)
        assert str(destination) in str(caught.value)


def test_in_place_when_allowed(tmp_path):
    path = tmp_path / "a.flac"
    write(path, bursts(0.5))
    before = read(path)[0]
    copy(path, path, allow_in_place=True)
    np.testing.assert_array_equal(read(path)[0], before)
    assert names(tmp_path) == ["a.flac"]


def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "store").mkdir()
    target, link = tmp_path / "store" / "a.wav", tmp_path / "a.wav"
    target.write_bytes(b"old")
    link.symlink_to(target)
    write(link, bursts(0.1), overwrite=True)
    assert link.is_symlink()
    assert read(target)[0].shape == (1, 4800)


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are another matter there")
def test_permissions_are_usual_and_kept(tmp_path):
    path, plain = tmp_path / "a.wav", tmp_path / "plain"
    plain.touch()
    write(path, bursts(0.1))
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    write(path, bursts(0.1), overwrite=True)
    assert path.stat().st_mode & 0o777 == 0o640


def test_missing_folders_are_made(tmp_path):
    path = tmp_path / "new" / "deep" / "a.wav"
    write(path, bursts(0.1))
    assert names(path.parent) == ["a.wav"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.EACCES, "permission denied"), (errno.EROFS, "read-only"), (errno.ENOSPC, "the disk is full")],
)
def test_folders_that_refuse_are_told(tmp_path, monkeypatch, number, words):
    def refuse(self, *arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(AudioFileError, match=words):
        open_writer(tmp_path / "a.wav", INFO)


def test_a_file_in_the_way_of_a_folder_is_told(tmp_path):
    (tmp_path / "a").write_bytes(b"")
    with pytest.raises(AudioFileError, match="cannot be written"):
        open_writer(tmp_path / "a" / "b.wav", INFO)
    with pytest.raises(AudioFileError, match="is a folder"):
        open_writer(tmp_path, INFO)


def test_a_disk_that_fills_up_leaves_nothing(tmp_path, monkeypatch):
    calls = []

    def fill_up(*arguments, **options):
        calls.append(1)
        if len(calls) > 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return encode_pcm(*arguments, **options)

    monkeypatch.setattr("unmuffle.signal.files.wav_encoder.encode_pcm", fill_up)
    with pytest.raises(AudioFileError, match="the disk is full"):
        write(tmp_path / "a.wav", bursts(1.0))
    assert names(tmp_path) == []


LIMITED = """
import resource, signal, sys
import numpy as np
from unmuffle.errors import AudioFileError
from unmuffle.signal.files import AudioInfo, open_writer
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (60000, 60000))
noise = np.random.default_rng(0).uniform(-0.5, 0.5, (1, 48000)).astype(np.float32)
try:
    info = AudioInfo(48000, 1, layout="mono", sample_format="s16", codec="pcm_s16le")
    with open_writer(sys.argv[1], info) as writer:
        for _ in range(int(sys.argv[2])):
            writer.write(noise)
except AudioFileError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="the system cannot limit the size of files")
@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_encoder_tells_that_writing_failed(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    command = [sys.executable, "-c", LIMITED, str(path), "20"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert f"{path} cannot be written" in run.stdout
    assert run.stdout.count("\n") == 1
    assert names(tmp_path) == []
