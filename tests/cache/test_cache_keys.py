"""A key is the same for the same, wherever it lies, and another for anything that differs."""

from __future__ import annotations

import string
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unmuffle.cache import cache_key, default_folder, part_key
from unmuffle.errors import InvalidParameterError

AUDIO = bytes(range(256)) * 5000
SAME = {"model_checksum": "ab", "parameters": {"strength": 1.0, "keep": None}, "package_version": "1.0"}


def key(audio=AUDIO, **changes):
    return cache_key(audio, **{**SAME, **changes})


def test_a_key_is_a_checksum():
    assert len(key()) == 64
    assert set(key()) <= set(string.hexdigits.lower())


def test_names_of_files_do_not_matter(tmp_path):
    for name in ("a.wav", "b.flac"):
        (tmp_path / name).write_bytes(AUDIO)
        assert key(tmp_path / name) == key(str(tmp_path / name)) == key(AUDIO) == key(bytearray(AUDIO))


@pytest.mark.parametrize(
    "changes",
    [
        {"audio": AUDIO[:-1]},
        {"audio": AUDIO[:-1] + b"\x00"},
        {"audio": b""},
        {"model_checksum": "ac"},
        {"model_checksum": None},
        {"package_version": "1.0.1"},
        {"parameters": {"strength": 1.0}},
        {"parameters": {"strength": 0.999999999, "keep": None}},
        {"parameters": {"strength": "1.0", "keep": None}},
        {"parameters": {"strength": True, "keep": None}},
        {"parameters": {"strength": 1.0, "keep": "None"}},
        {"parameters": {"strength": 1.0, "keep": None, "more": None}},
        {"parameters": {"strength": 1.0, "keep": []}},
        {"parameters": {"strength": 1.0, "keep": {}}},
        {"sample_rate": 16_000},
    ],
)
def test_whatever_differs_gives_another_key(changes):
    assert key(**changes) != key()


def test_the_order_of_parameters_does_not_matter():
    assert key(parameters={"keep": None, "strength": 1.0}) == key()
    nested = {"chain": [["level", {"a": 1, "b": 2}]]}
    assert key(parameters=nested) == key(parameters={"chain": [["level", {"b": 2, "a": 1}]]})
    assert key(parameters={"chain": ["a", "b"]}) != key(parameters={"chain": ["b", "a"]})


def test_arrays_differ_by_samples_rate_shape_and_type():
    samples = np.arange(1200, dtype=np.float32).reshape(2, 600)
    keys = [
        key(samples, sample_rate=16_000),
        key(samples, sample_rate=48_000),
        key(samples.reshape(1, 1200), sample_rate=16_000),
        key(samples.reshape(1200), sample_rate=16_000),
        key(samples.view(np.int32), sample_rate=16_000),
        key(samples.astype(">f4"), sample_rate=16_000),
        key(samples + 1, sample_rate=16_000),
        key(np.empty((2, 0), np.float32), sample_rate=16_000),
    ]
    assert len(set(keys)) == len(keys)
    # How an array lies in memory is not what it holds.
    assert key(np.asfortranarray(samples), sample_rate=16_000) == keys[0]
    assert key(np.repeat(samples, 2, axis=1)[:, ::2], sample_rate=16_000) == keys[0]


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)


def tagged(value):
    """A value in which what compares equal across types does not."""
    if isinstance(value, dict):
        return {name: tagged(item) for name, item in value.items()}
    return [tagged(item) for item in value] if isinstance(value, list) else (type(value).__name__, repr(value))


@given(one=values, other=values)
def test_two_sets_of_parameters_share_a_key_only_if_they_are_the_same(one, other):
    keys = [key(parameters={"value": value}) for value in (one, other)]
    assert (keys[0] == keys[1]) == (tagged(one) == tagged(other))


def test_parts_have_keys_of_their_own():
    assert len({key(), part_key(key(), "result"), part_key(key(), "removed"), part_key(part_key(key(), "a"), "a")}) == 4


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: cache_key(np.zeros(3), **SAME), "give sample_rate"),
        (lambda: key(parameters={"a": {1: 2}}), r"parameters\['a'\] has the name 1"),
        (lambda: key(parameters={"a": [object()]}), r"parameters\['a'\]\[0\] is of type object"),
        (lambda: part_key("../../etc", "result"), "is no key of a cache"),
    ],
)
def test_what_cannot_be_told_is_refused(wrong, words):
    with pytest.raises(InvalidParameterError, match=words):
        wrong()


@pytest.mark.parametrize(
    ("platform", "variables", "expected"),
    [
        ("linux", {"XDG_CACHE_HOME": "/var/tmp/of-me"}, "/var/tmp/of-me/unmuffle"),
        ("linux", {}, "HOME/.cache/unmuffle"),
        ("linux", {"XDG_CACHE_HOME": "relative"}, "HOME/.cache/unmuffle"),
        ("darwin", {"XDG_CACHE_HOME": "/var/tmp/of-me"}, "HOME/Library/Caches/unmuffle"),
        ("win32", {"LOCALAPPDATA": "/local"}, "/local/unmuffle/Cache"),
        ("win32", {}, "HOME/AppData/Local/unmuffle/Cache"),
        ("linux", {"UNMUFFLE_CACHE": "/elsewhere", "XDG_CACHE_HOME": "/no"}, "/elsewhere"),
        ("win32", {"UNMUFFLE_CACHE": "~/elsewhere", "LOCALAPPDATA": "/no"}, "HOME/elsewhere"),
    ],
)
def test_the_folder_is_where_the_system_has_caches(monkeypatch, tmp_path, platform, variables, expected):
    monkeypatch.setattr("sys.platform", platform)
    for name in ("UNMUFFLE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_folder() == Path(expected.replace("HOME", str(tmp_path)))
