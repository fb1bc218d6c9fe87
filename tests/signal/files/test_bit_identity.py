"""Samples of up to 24 bits, and 32-bit floats, survive reading and writing bit for bit."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from file_support import bursts, copy, decode_with_ffmpeg, needs_ffmpeg, read, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

RELAXED = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=6).map(lambda s: (s[0] * 37, s[1]))
SUBTYPES = {"s16": "PCM_16", "s24": "PCM_24"}


def integers(bits):
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    edges = st.sampled_from([low, low + 1, -1, 0, 1, high - 1, high])
    return hnp.arrays(np.int32, SHAPES, elements=st.one_of(edges, st.integers(low, high)))


def through(values, sample_format, container):
    """Write integers with libsndfile, copy with our code, and read the copy with libsndfile."""
    bits = int(sample_format[1:])
    source, destination = io.BytesIO(), io.BytesIO()
    soundfile.write(source, values << (32 - bits), 44100, SUBTYPES[sample_format], format="WAV")
    samples, reader = read(source.getvalue())
    assert reader.info.sample_format == sample_format
    writer = write(destination, samples, 44100, sample_format=sample_format, container=container)
    assert writer.clipped_samples == 0
    destination.seek(0)
    back, rate = soundfile.read(destination, dtype="int32", always_2d=True)
    assert rate == 44100
    return back >> (32 - bits)


@pytest.mark.parametrize("container", ["wav", "flac", "aiff", "w64", "caf", "au"])
@given(values=integers(16))
@RELAXED
def test_16_bit_samples_are_kept(container, values):
    np.testing.assert_array_equal(through(values, "s16", container), values)


@pytest.mark.parametrize("container", ["wav", "flac", "aiff", "w64", "caf", "au"])
@given(values=integers(24))
@RELAXED
def test_24_bit_samples_are_kept(container, values):
    np.testing.assert_array_equal(through(values, "s24", container), values)


@pytest.mark.parametrize("container", ["wav", "aiff", "w64", "caf", "au"])
@given(values=hnp.arrays(np.float32, SHAPES, elements=st.floats(-(2.0**100), 2.0**100, width=32)))
@RELAXED
def test_floats_are_kept_beyond_full_scale(container, values):
    destination = io.BytesIO()
    write(destination, values.T, sample_format="f32", container=container)
    destination.seek(0)
    back, _ = soundfile.read(destination, dtype="float32", always_2d=True)
    np.testing.assert_array_equal(back, values)
    np.testing.assert_array_equal(read(destination.getvalue())[0], values.T)


def test_nan_in_a_float_file_is_handed_on():
    destination = io.BytesIO()
    write(destination, np.array([[0.5, np.nan, np.inf]], np.float32), sample_format="f32")
    np.testing.assert_array_equal(read(destination.getvalue())[0], [[0.5, np.nan, np.inf]])


@pytest.mark.parametrize("container", ["wav", "w64", "aiff", "caf", "au"])
def test_8_bit_samples_are_kept(container):
    values = np.arange(-128, 128, dtype=np.float32)[None] / 128
    destination = io.BytesIO()
    writer = write(destination, values, sample_format="u8", container=container)
    assert writer.clipped_samples == 0
    np.testing.assert_array_equal(read(destination.getvalue())[0], values)


@pytest.mark.parametrize("sample_format", ["s32", "f64"])
def test_wider_formats_keep_the_24_bits_of_a_float32(sample_format):
    samples = bursts(0.2, channels=2)
    destination = io.BytesIO()
    write(destination, samples, sample_format=sample_format)
    destination.seek(0)
    assert soundfile.info(destination).subtype == {"s32": "PCM_32", "f64": "DOUBLE"}[sample_format]
    np.testing.assert_allclose(read(destination.getvalue())[0], samples, rtol=0, atol=2**-31)


@needs_ffmpeg
@pytest.mark.parametrize(
    ("name", "sample_format"), [("a.m4a", "s16"), ("a.m4a", "s24"), ("a.mkv", "s24"), ("a.mov", "s24")]
)
def test_lossless_codecs_in_video_containers(tmp_path, name, sample_format):
    step = 2.0 ** (1 - int(sample_format[1:]))
    samples = np.round(bursts(0.5, channels=2) / step).astype(np.float32) * np.float32(step)
    codec = "alac" if name.endswith("m4a") else f"pcm_{sample_format}le"
    write(tmp_path / name, samples, sample_format=sample_format, codec=codec)
    np.testing.assert_array_equal(decode_with_ffmpeg(tmp_path / name, 2), samples)
    back, reader = read(tmp_path / name)
    assert reader.info.sample_format == sample_format
    np.testing.assert_array_equal(back, samples)


@pytest.mark.parametrize("suffix", ["wav", "flac", "aiff"])
def test_a_copied_file_keeps_format_rate_and_layout(tmp_path, suffix):
    original = tmp_path / f"a.{suffix}"
    write(original, bursts(0.3, 22050, 2), 22050, sample_format="s24")
    copy(original, tmp_path / f"b.{suffix}")
    (first, one), (second, two) = read(original), read(tmp_path / f"b.{suffix}")
    np.testing.assert_array_equal(first, second)
    assert one.info == two.info
