"""Title, artist and the rest go from any container to any other."""

from __future__ import annotations

import io
import json
import subprocess

import pytest
from file_support import bursts, copy, ffmpeg, needs_ffmpeg, read, write

from unmuffle.signal.files import probe

TAGS = {
    "title": "Gespräch",
    "artist": "A & B",
    "album": "Year",
    "date": "2024",
    "comment": "at noon",
    "genre": "Speech",
}
KINDS = ["wav", "flac", "mp3", "m4a", "ogg", "opus", "mka", "mkv", "aiff", "caf"]


@pytest.mark.parametrize("kind", KINDS)
def test_tags_are_written_and_read(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    write(path, bursts(0.2), tags=TAGS)
    # AIFF has chunks for few of them, and CAF's are its own.
    expected = {key: TAGS[key] for key in ("title", "artist")} if kind in ("aiff", "caf") else TAGS
    assert expected.items() <= probe(path).tags.items()


@needs_ffmpeg
@pytest.mark.parametrize("kind", ["wav", "flac", "mp3", "m4a", "ogg", "opus", "mkv"])
def test_ffmpeg_reads_them(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    write(path, bursts(0.2), tags=TAGS)
    command = ["ffprobe", "-v", "error", "-of", "json", "-show_entries", "format_tags:stream_tags", str(path)]
    shown = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    found = shown["streams"][0].get("tags", {}) | shown["format"].get("tags", {})
    assert TAGS.items() <= {key.lower(): text for key, text in found.items()}.items()


@needs_ffmpeg
@pytest.mark.parametrize("kind", ["wav", "mp3", "m4a", "flac", "ogg"])
@pytest.mark.parametrize("to", ["wav", "mp3", "m4a", "flac", "opus"])
def test_tags_go_from_ffmpegs_files_to_ours(tmp_path, kind, to):
    plain, source = tmp_path / "plain.wav", tmp_path / f"a.{kind}"
    write(plain, bursts(0.2))
    ffmpeg("-i", plain, *(f for key, text in TAGS.items() for f in ("-metadata", f"{key}={text}")), source)
    copy(source, tmp_path / f"b.{to}")
    assert TAGS.items() <= probe(tmp_path / f"b.{to}").tags.items()


def test_tags_after_the_samples_and_in_odd_sizes_are_found():
    destination = io.BytesIO()
    write(destination, bursts(0.1)[:, :4801], tags={"title": "odd"})
    data = destination.getvalue()
    start, end = data.index(b"LIST"), data.index(b"data")
    moved = data[:start] + data[end:] + data[start:end]
    samples, reader = read(moved)
    assert reader.info.tags == {"title": "odd"}
    assert reader.warnings == []
    assert samples.shape == (1, 4800)


@needs_ffmpeg
@pytest.mark.parametrize("to", ["m4a", "mp3", "flac", "mka"])
def test_cover_art_is_kept(tmp_path, to):
    plain, cover, source = tmp_path / "plain.wav", tmp_path / "cover.png", tmp_path / "a.m4a"
    write(plain, bursts(0.5))
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", 1, cover)
    ffmpeg(
        "-i",
        plain,
        "-i",
        cover,
        "-map",
        0,
        "-map",
        1,
        "-c:v",
        "copy",
        "-disposition:v",
        "attached_pic",
        source,
    )
    _, writer = copy(source, tmp_path / f"b.{to}")
    assert writer.warnings == []
    assert not probe(tmp_path / f"b.{to}").has_video
    assert (
        ffmpeg("-i", tmp_path / f"b.{to}", "-map", "0:v", "-c", "copy", "-f", "image2pipe", "-") == cover.read_bytes()
    )
