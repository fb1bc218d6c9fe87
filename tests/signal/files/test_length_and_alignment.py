"""Delay and padding of lossy codecs are skipped as FFmpeg skips them, and our own encodings stay in place."""

from __future__ import annotations

import numpy as np
import pytest
from file_support import bursts, copy, decode_with_ffmpeg, ffmpeg, lag, needs_ffmpeg, read, write

pytestmark = needs_ffmpeg

ENCODED = [
    ("a.mp3", "libmp3lame"),
    ("a.m4a", "aac"),
    ("a.aac", "aac"),
    ("a.opus", "libopus"),
    ("a.ogg", "libvorbis"),
    ("a.webm", "libopus"),
    ("a.mkv", "aac"),
    ("a.wma", "wmav2"),
    ("a.ac3", "ac3"),
    ("a.flac", "flac"),
    ("alac.m4a", "alac"),
    ("a.wv", "wavpack"),
    ("a.mp2", "mp2"),
]


@pytest.mark.parametrize(("name", "codec"), ENCODED)
@pytest.mark.parametrize("rate", [44100, 48000])
def test_the_samples_are_ffmpegs(tmp_path, name, codec, rate):
    original, path = tmp_path / "original.wav", tmp_path / name
    write(original, bursts(1.3, rate, 2), rate)
    ffmpeg("-i", original, "-c:a", codec, *(["-ar", 48000] if "opus" in codec else []), path)
    samples, reader = read(path)
    expected = decode_with_ffmpeg(path, 2)
    # An older ffmpeg leaves the padding at the end of AAC on, a newer one cuts where the original ended.
    assert samples.shape[1] in (expected.shape[1], round(1.3 * reader.info.sample_rate))
    np.testing.assert_allclose(samples, expected[:, : samples.shape[1]], atol=1e-5)
    assert reader.warnings == []
    if reader.info.frames is not None:
        assert abs(reader.info.frames - samples.shape[1]) < 3000


@pytest.mark.parametrize("name", ["a.mp3", "a.m4a", "a.opus", "a.ogg", "a.mka", "a.webm", "a.flac"])
def test_what_we_encode_is_in_place_and_as_long(tmp_path, name):
    samples = bursts(2.0, 48000, 2)
    write(tmp_path / name, samples)
    decoded = decode_with_ffmpeg(tmp_path / name, 2)
    assert lag(samples[0], decoded[0]) == 0
    assert lag(samples[1], decoded[1]) == 0
    assert 0 <= decoded.shape[1] - samples.shape[1] <= 1024


@pytest.mark.parametrize("name", ["a.mp3", "a.m4a", "a.opus", "a.ogg"])
def test_generations_neither_move_nor_grow(tmp_path, name):
    path = tmp_path / name
    write(path, bursts(1.0))
    first = read(path)[0]
    for generation in range(3):
        following = tmp_path / f"{generation}{name}"
        copy(path, following)
        path = following
    last = read(path)[0]
    assert abs(last.shape[1] - first.shape[1]) <= 1024
    assert lag(first[0], last[0]) == 0


@pytest.mark.parametrize(
    ("name", "rate", "expected"), [("a.opus", 44100, 48000), ("a.mp3", 96000, 48000), ("a.m4a", 8000, 8000)]
)
def test_rates_that_a_codec_lacks_become_the_next_and_are_told(tmp_path, name, rate, expected):
    samples = bursts(1.0, rate)
    writer = write(tmp_path / name, samples, rate)
    decoded, reader = read(tmp_path / name)
    assert reader.info.sample_rate == expected == writer.info.sample_rate
    assert abs(decoded.shape[1] / expected - 1.0) < 0.15
    assert any(f"cannot hold {rate} Hz" in line for line in writer.warnings) is (rate != expected)


@pytest.mark.parametrize(
    ("layout", "channels"), [("5.1", 6), ("7.1", 8), ("quad", 4), ("5.0", 5), ("3.0", 3), ("5.1(side)", 6)]
)
@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.ogg", "a.m4a", "a.opus"])
def test_every_channel_stays_where_it_is(tmp_path, name, layout, channels):
    samples = np.concatenate([bursts(1.0, seed=seed) for seed in range(channels)])
    write(tmp_path / name, samples, layout=layout, bit_rate=None)
    back, reader = read(tmp_path / name)
    if name == "a.wav":
        assert reader.info.layout == layout
        np.testing.assert_allclose(back, samples, atol=2**-16)
    for channel in range(channels):
        scores = [float(np.abs(np.vdot(back[channel, :40000], samples[k, :40000]))) for k in range(channels)]
        if "LFE" not in layout and not (channels >= 6 and channel == 3):
            # The channel for low frequencies keeps little of this noise in lossy codecs.
            assert int(np.argmax(scores)) == channel


@pytest.mark.parametrize("bit_rate", [64_000, 160_000, 256_000])
@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "mp3"), ("a.m4a", "aac"), ("a.opus", "opus")])
def test_the_bit_rate_is_not_below_the_sources(tmp_path, name, codec, bit_rate):
    noise = np.random.default_rng(0).uniform(-0.3, 0.3, (2, 96000)).astype(np.float32)
    write(tmp_path / name, noise, sample_format="f32", codec=codec, bit_rate=bit_rate)
    assert read(tmp_path / name)[1].info.bit_rate >= 0.93 * bit_rate


def test_float_in_flac_becomes_24_bit_and_is_told(tmp_path):
    writer = write(tmp_path / "a.flac", bursts(0.1), sample_format="f32")
    assert "has 24-bit samples" in writer.warnings[0]
    assert read(tmp_path / "a.flac")[1].info.sample_format == "s24"
