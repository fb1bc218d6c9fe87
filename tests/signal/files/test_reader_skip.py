"""What is skipped is what would have been read: to the sample, in every kind of file, by a jump or without one."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.files import AudioInfo, RawFormat, open_reader, open_writer

RATE, SECONDS = 22_050, 30.0
SUFFIXES = ("wav", "flac", "aiff", "caf", "w64", "au", "mp3", "ogg", "opus", "m4a", "mka", "mp4")


@pytest.fixture(scope="module")
def audio():
    return (0.3 * np.random.default_rng(3).standard_normal((2, round(RATE * SECONDS)))).astype(np.float32)


def written(path, audio, rate=RATE):
    info = AudioInfo(sample_rate=rate, channels=len(audio), layout="stereo", sample_format="s16", frames=None)
    with open_writer(path, info, overwrite=True) as writer:
        writer.write(audio)
    return path


def parts(source, places, frames=700, **options):
    """Read at each place, from the beginning of the file on."""
    read = []
    for place in places:
        with open_reader(source, **options) as reader:
            reader.skip(place)
            read.append(reader.read(frames))
    return read


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_follows_is_what_decoding_from_the_start_gives(tmp_path, audio, suffix):
    path = written(tmp_path / f"x.{suffix}", audio, 48_000 if suffix == "opus" else RATE)
    with open_reader(path) as reader:
        whole = reader.read(1 << 30)
    length = whole.shape[1]
    places = [0, 1, 4095, 4096, 4097, 100_000, length // 2, length - 1000, length - 1, length, length + 1, 10 * length]
    for place, found in zip(places, parts(path, places), strict=True):
        np.testing.assert_array_equal(found, whole[:, place : place + 700], err_msg=str(place))


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "mp3"])
def test_skips_and_reads_take_turns(tmp_path, audio, suffix):
    path = written(tmp_path / f"x.{suffix}", audio)
    rng = np.random.default_rng(5)
    with open_reader(path) as reader, open_reader(path) as other:
        whole = other.read(1 << 30)
        while reader.position < whole.shape[1]:
            reader.skip(int(rng.integers(0, 60_000)))
            at = reader.position
            found = reader.read(int(rng.integers(0, 20_000)))
            np.testing.assert_array_equal(found, whole[:, at : at + found.shape[1]])
            assert reader.position == at + found.shape[1]
        assert reader.position == whole.shape[1]


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff", "m4a"])
def test_a_jump_decodes_nothing_of_what_it_leaves_out(tmp_path, audio, suffix, monkeypatch):
    if suffix == "m4a":
        # The writer makes AAC of it, which depends on what was before.
        pytest.importorskip("av")
        path = tmp_path / "x.m4a"
        path.write_bytes(_alac(audio))
    else:
        path = written(tmp_path / f"x.{suffix}", audio)
    with open_reader(path) as reader:
        decoded = 0
        real = reader._decoder.read_chunk

        def counted(frames):
            nonlocal decoded
            chunk = real(frames)
            decoded += chunk.shape[1]
            return chunk

        monkeypatch.setattr(reader._decoder, "read_chunk", counted)
        reader.skip(round(25.0 * RATE))
        reader.read(100)
    assert decoded < RATE


def _alac(audio):
    import av

    held = io.BytesIO()
    with av.open(held, "w", format="ipod") as container:
        stream = container.add_stream("alac", rate=RATE, layout="stereo")
        for at in range(0, audio.shape[1], 4096):
            block = np.round(audio[:, at : at + 4096] * 32767).clip(-32768, 32767).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(block, "s16p", "stereo")
            frame.sample_rate, frame.pts = RATE, at
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return held.getvalue()


def test_alac_is_exact_too(audio):
    data = _alac(audio)
    with open_reader(data) as reader:
        whole = reader.read(1 << 30)
        assert reader.info.codec == "alac"
    for place, found in zip(
        (1, 333_333, whole.shape[1] - 5), parts(data, (1, 333_333, whole.shape[1] - 5)), strict=True
    ):
        np.testing.assert_array_equal(found, whole[:, place : place + 700])


class Pipe(io.RawIOBase):
    """Bytes that come once."""

    def __init__(self, data):
        self._data = io.BytesIO(data)

    def readable(self):
        return True

    def readinto(self, into):
        return self._data.readinto(into)


def test_a_pipe_is_read_to_where_it_is_wanted(audio, tmp_path):
    data = written(tmp_path / "x.wav", audio).read_bytes()
    with open_reader(io.BufferedReader(Pipe(data))) as reader:
        reader.skip(200_000)
        found = reader.read(700)
    (expected,) = parts(data, [200_000])
    np.testing.assert_array_equal(found, expected)


def test_headerless_samples_and_files_that_break_off(audio, tmp_path):
    raw = RawFormat("s16le", RATE, 2)
    samples = np.round(audio.T * 32767).astype("<i2")
    (found,) = parts(samples.tobytes(), [123_456], raw=raw)
    np.testing.assert_array_equal(found, samples[123_456 : 123_456 + 700].T.astype(np.float32) / 32768)
    path = written(tmp_path / "x.wav", audio)
    short = path.read_bytes()[:400_001]
    with open_reader(short) as reader:
        whole = reader.read(1 << 30)
    for place, found in zip((90_000, 99_900, 200_000), parts(short, (90_000, 99_900, 200_000)), strict=True):
        np.testing.assert_array_equal(found, whole[:, place : place + 700])


def test_a_flac_with_a_damaged_frame_keeps_its_time(audio, tmp_path):
    data = bytearray(written(tmp_path / "x.flac", audio).read_bytes())
    # Noise does not compress: the middle of the bytes is the middle of the time.
    data[len(data) // 2] ^= 0x55
    with open_reader(bytes(data)) as reader:
        whole = reader.read(1 << 30)
    assert whole.shape == audio.shape
    for place in (round(10 * RATE), round(20 * RATE)):
        (found,) = parts(bytes(data), [place])
        np.testing.assert_array_equal(found, whole[:, place : place + 700])


def test_going_back_is_refused(audio, tmp_path):
    with (
        open_reader(written(tmp_path / "x.wav", audio)) as reader,
        pytest.raises(InvalidParameterError, match="cannot skip -1"),
    ):
        reader.skip(-1)


def test_rates_and_libraries_agree(audio, tmp_path):
    soundfile.write(tmp_path / "x.flac", audio.T, RATE, subtype="PCM_24")
    (found,) = parts(tmp_path / "x.flac", [400_000])
    with soundfile.SoundFile(tmp_path / "x.flac") as file:
        file.seek(400_000)
        np.testing.assert_array_equal(found, file.read(700, dtype="float32").T)
