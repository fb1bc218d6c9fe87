"""The samples do not depend on the sizes in which they are asked for, nor on how the source is given."""

from __future__ import annotations

import io

import numpy as np
import pytest
from file_support import bursts, read, write
from hypothesis import given, settings
from hypothesis import strategies as st

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.files import is_media_name, open_reader, probe

SUFFIXES = ["wav", "flac", "aiff", "mp3", "m4a", "ogg", "opus", "mkv"]


@pytest.fixture(scope="module", params=SUFFIXES)
def sample(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("blocks") / f"a.{request.param}"
    write(path, bursts(0.5, channels=2))
    return path, read(path)[0]


@given(sizes=st.lists(st.integers(0, 9000), min_size=1, max_size=20))
@settings(max_examples=8, deadline=None)
def test_any_sizes_give_the_same_samples(sample, sizes):
    path, whole = sample
    at = 0
    with open_reader(path) as reader:
        for size in [*sizes, 10**6]:
            block = reader.read(size)
            assert block.dtype == np.float32
            assert block.flags.c_contiguous
            assert block.shape[1] == min(size, whole.shape[1] - at)
            np.testing.assert_array_equal(block, whole[:, at : at + size])
            at += block.shape[1]
            assert reader.position == at
        assert reader.read(100).shape == (2, 0)
        assert reader.read(0).shape == (2, 0)


def test_bytes_and_file_objects_give_the_same_samples(sample):
    path, whole = sample
    np.testing.assert_array_equal(read(path.read_bytes())[0], whole)
    with path.open("rb") as stream:
        np.testing.assert_array_equal(read(stream)[0], whole)
        assert not stream.closed
    np.testing.assert_array_equal(read(str(path))[0], whole)


def test_a_blocks_owner_may_change_it(sample):
    path, whole = sample
    with open_reader(path) as reader:
        for block in reader.blocks(1000):
            block[:] = 0
    np.testing.assert_array_equal(read(path)[0], whole)


def test_probe_describes_and_leaves_a_stream_at_its_beginning(sample):
    path, whole = sample
    info = probe(path)
    assert (info.sample_rate, info.channels, info.layout, info.has_video) == (48000, 2, "stereo", False)
    assert info.frames is None or abs(info.frames - whole.shape[1]) <= 1200
    assert info.seconds is None or info.seconds == info.frames / 48000
    stream = io.BytesIO(path.read_bytes())
    probe(stream)
    assert stream.tell() == 0


def test_senseless_sizes_are_refused(sample):
    with open_reader(sample[0]) as reader:
        with pytest.raises(InvalidParameterError, match="-1 frames"):
            reader.read(-1)
        with pytest.raises(InvalidParameterError, match="0 frames"):
            next(reader.blocks(0))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.wav", True),
        ("b/C.MP4", True),
        ("a.txt", False),
        ("wav", False),
        (".a.wav", False),
        ("a.opus", True),
    ],
)
def test_media_names(name, expected):
    assert is_media_name(name) is expected
