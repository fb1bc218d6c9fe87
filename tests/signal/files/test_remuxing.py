"""In a video the picture, subtitles and other tracks stay bit for bit, and the audio keeps in step."""

from __future__ import annotations

import av
import numpy as np
import pytest
from file_support import bursts, copy, decode_with_ffmpeg, ffmpeg, ffprobe, lag, needs_ffmpeg, read, write

from unmuffle.errors import AudioFileError
from unmuffle.signal.files import open_writer, probe

pytestmark = needs_ffmpeg

SECONDS = 3.0
SUBTITLES = "1\n00:00:00,500 --> 00:00:01,000\nHello\n\n2\n00:00:01,500 --> 00:00:02,500\nBye\n\n"
VIDEOS = {
    "h264.mp4": ("libx264", "aac"),
    "mpeg4.mp4": ("mpeg4", "aac"),
    "h264.mkv": ("libx264", "aac"),
    "mp3.mkv": ("libx264", "libmp3lame"),
    "flac.mkv": ("mpeg4", "flac"),
    "ac3.mkv": ("mpeg4", "ac3"),
    "pcm.mov": ("mpeg4", "pcm_s24le"),
    "aac.mov": ("libx264", "aac"),
    "vp8.webm": ("libvpx", "libopus"),
    "vp9.webm": ("libvpx-vp9", "libopus"),
    "h264.ts": ("libx264", "aac"),
}


@pytest.fixture(scope="session")
def videos(tmp_path_factory):
    """Make a video once for each wish."""
    folder = tmp_path_factory.mktemp("videos")
    write(folder / "a.wav", bursts(SECONDS))
    (folder / "a.srt").write_text(SUBTITLES)
    made = {}

    def make(name, offset=0.0, extra=()):
        key = (name, offset, extra)
        if key not in made:
            video, audio = VIDEOS[name]
            path = folder / f"{len(made)}-{name}"
            fast = ["-deadline", "realtime", "-cpu-used", "8"] if "vp" in video else []
            picture = ["-f", "lavfi", "-i", f"testsrc=size=96x64:rate=25:duration={SECONDS}"]
            inputs = [*picture, "-itsoffset", offset, "-i", folder / "a.wav", "-i", folder / "a.srt"]
            codecs = ["-c:v", video, *fast, "-c:a", audio]
            ffmpeg(*inputs, "-map", "0", "-map", "1", *extra, *codecs, path)
            made[key] = path
        return made[key]

    return make


def starts(path):
    """Start of the first stream of each kind, in seconds, relative to the picture."""
    rows = [row.split(",") for row in ffprobe(path, "stream=codec_type,start_time") if row.count(",") >= 1]
    times = {kind: float(start) for kind, start, *_ in reversed(rows) if kind in ("video", "audio", "subtitle")}
    return {kind: time - times["video"] for kind, time in times.items()}


def packets(path, stream):
    """Checksums and times of all packets of a stream."""
    lines = ffmpeg("-i", path, "-map", stream, "-c", "copy", "-f", "framemd5", "-").splitlines()
    return [line for line in lines if not line.startswith(b"#")]


def data_md5(path, stream):
    return ffmpeg("-i", path, "-map", stream, "-c", "copy", "-f", "md5", "-")


@pytest.mark.parametrize("offset", [0.0, 0.5])
@pytest.mark.parametrize("name", VIDEOS)
def test_picture_kept_and_audio_in_step(videos, tmp_path, name, offset):
    source, result = videos(name, offset), tmp_path / name
    reader, writer = copy(source, result)
    assert data_md5(result, "0:v") == data_md5(source, "0:v")
    before, after = decode_with_ffmpeg(source, 1)[0], decode_with_ffmpeg(result, 1)[0]
    assert lag(before, after) == 0
    # Matroska counts in milliseconds, and FFmpeg prints no finer.
    assert starts(result)["audio"] == pytest.approx(starts(source)["audio"], abs=0.00101)
    assert abs(len(after) - len(before)) <= 1024
    assert writer.warnings == reader.warnings == []
    assert writer.info.codec == reader.info.codec


@pytest.mark.parametrize("name", ["h264.mp4", "aac.mov"])
def test_times_of_the_picture_are_kept(videos, tmp_path, name):
    source, result = videos(name, 0.5), tmp_path / name
    copy(source, result)
    assert packets(result, "0:v") == packets(source, "0:v")


@pytest.mark.parametrize("name", ["h264.mkv", "vp8.webm", "h264.mp4"])
def test_generations_do_not_drift(videos, tmp_path, name):
    source = first = videos(name)
    for generation in range(3):
        result = tmp_path / f"{generation}-{name}"
        copy(source, result)
        source = result
    before, after = decode_with_ffmpeg(first, 1)[0], decode_with_ffmpeg(source, 1)[0]
    assert lag(before, after) == 0
    assert abs(len(after) - len(before)) <= 1024
    assert starts(source)["audio"] == pytest.approx(starts(first)["audio"], abs=0.00101)


@pytest.mark.parametrize(("name", "codec"), [("h264.mkv", "srt"), ("h264.mp4", "mov_text"), ("vp8.webm", "webvtt")])
def test_subtitles_are_kept(videos, tmp_path, name, codec):
    source, result = videos(name, 0.0, ("-map", "2", "-c:s", codec)), tmp_path / name
    copy(source, result)
    assert ffmpeg("-i", result, "-f", "srt", "-") == ffmpeg("-i", source, "-f", "srt", "-")
    assert packets(result, "0:s") == packets(source, "0:s")


def test_subtitles_that_do_not_fit_are_told(videos, tmp_path):
    source = videos("h264.mkv", 0.0, ("-map", "2", "-c:s", "srt"))
    _, writer = copy(source, tmp_path / "a.mp4")
    assert "is without stream 2 (subtitle" in writer.warnings[0]
    assert data_md5(tmp_path / "a.mp4", "0:v") == data_md5(source, "0:v")


@pytest.mark.parametrize("name", ["h264.mp4", "h264.mkv"])
def test_other_audio_tracks_languages_and_chapters_are_kept(videos, tmp_path, name):
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(";FFMETADATA1\ntitle=Day\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1500\ntitle=One\n")
    plain, source, result = videos(name), tmp_path / ("in-" + name), tmp_path / name
    second = [
        "-map",
        "0:v",
        "-map",
        "0:a",
        "-map",
        "0:a",
        "-metadata:s:a:0",
        "language=deu",
        "-metadata:s:a:1",
        "language=fra",
    ]
    ffmpeg("-i", plain, "-i", chapters, "-map_metadata", 1, "-map_chapters", 1, *second, "-c", "copy", source)
    copy(source, result)
    assert data_md5(result, "0:a:1") == data_md5(source, "0:a:1")
    assert ffprobe(result, "stream=codec_type") == ffprobe(source, "stream=codec_type")
    assert ffprobe(result, "stream_tags=language", "-select_streams", "a")[:2] == ["deu", "fra"]
    shown = "chapter=start_time,end_time:chapter_tags=title"
    assert ffprobe(result, shown, "-show_chapters") == ffprobe(source, shown, "-show_chapters")
    assert probe(result).tags["title"] == "Day"


@pytest.mark.parametrize("to", ["mkv", "mp4"])
def test_attachments_are_kept_where_they_can_be(videos, tmp_path, to):
    font, cover = tmp_path / "font.ttf", tmp_path / "cover.png"
    font.write_bytes(bytes(range(256)) * 20)
    ffmpeg("-f", "lavfi", "-i", "testsrc=size=32x32", "-frames:v", 1, cover)
    source, result = tmp_path / "in.mkv", tmp_path / f"out.{to}"
    attached = ["-attach", font, "-metadata:s:t:0", "mimetype=font/ttf", "-attach", cover]
    ffmpeg("-i", videos("h264.mkv"), "-c", "copy", *attached, "-metadata:s:t:1", "mimetype=image/png", source)
    _, writer = copy(source, result)
    assert data_md5(result, "0:v:0") == data_md5(source, "0:v:0")
    assert data_md5(result, "0:v:1") == data_md5(source, "0:v:1")
    shown = ffprobe(result, "stream_tags=filename")
    if to == "mkv":
        assert shown == ["font.ttf", "cover.png"]
        assert writer.warnings == []
    else:
        assert "is without stream 2 (attachment)" in writer.warnings[0]


@pytest.mark.skipif(int(av.__version__.split(".")[0]) < 18, reason="PyAV 18 is the first that can")
def test_a_time_code_track_is_made_anew(videos, tmp_path):
    source, result = tmp_path / "in.mov", tmp_path / "out.mov"
    ffmpeg("-i", videos("aac.mov"), "-c", "copy", "-timecode", "01:00:00:00", source)
    copy(source, result)
    assert ffprobe(result, "stream_tags=timecode") == ffprobe(source, "stream_tags=timecode")


def test_audio_only_destinations_get_the_audio_alone(videos, tmp_path):
    source = videos("h264.mp4", 0.5)
    copy(source, tmp_path / "a.wav")
    samples, reader = read(tmp_path / "a.wav")
    assert (reader.info.container, reader.info.has_video) == ("wav", False)
    np.testing.assert_array_equal(samples, read(source)[0])


def test_a_picture_that_does_not_fit_is_refused(videos, tmp_path):
    source = videos("h264.mp4")
    with pytest.raises(AudioFileError, match=r"cannot hold the picture .*\.mkv"):
        open_writer(tmp_path / "a.webm", probe(source), source=source)
    assert list(tmp_path.iterdir()) == []


def test_the_source_may_be_bytes(videos, tmp_path):
    data = videos("h264.mp4").read_bytes()
    copy(data, tmp_path / "a.mp4")
    assert data_md5(tmp_path / "a.mp4", "0:v") == data_md5(videos("h264.mp4"), "0:v")


def test_a_source_that_cannot_be_read_twice_is_told(videos, tmp_path):
    with videos("h264.mp4").open("rb") as stream:
        _, writer = copy(stream, tmp_path / "a.mp4")
    assert "has the audio alone" in writer.warnings[0]


def test_shorter_and_longer_audio_leaves_the_picture_whole(videos, tmp_path):
    source = videos("h264.mp4")
    for seconds in (0.5, 6.0):
        result = tmp_path / f"{seconds}.mp4"
        with open_writer(result, probe(source), source=source) as writer:
            writer.write(bursts(seconds))
        assert packets(result, "0:v") == packets(source, "0:v")


def test_gaps_in_the_audio_of_a_video_become_silence(videos, tmp_path):
    source = tmp_path / "gap.mkv"
    hole = "aselect='not(between(t,1,2))'"
    ffmpeg("-i", videos("flac.mkv"), "-c:v", "copy", "-af", hole, "-c:a", "flac", source)
    whole = read(videos("flac.mkv"))[0]
    samples, reader = read(source)
    assert any("gap of 1.0" in line or "gap of 0.9" in line for line in reader.warnings)
    assert abs(samples.shape[1] - whole.shape[1]) < 100
    n = int(2.2 * 48000)
    assert lag(whole[0, n:], samples[0, n : whole.shape[1]]) in range(-60, 60)
