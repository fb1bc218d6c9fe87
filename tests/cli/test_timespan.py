"""Times and spans as people write them."""

from __future__ import annotations

import pytest

from unmuffle.cli.timespan import parse_noise_profile
from unmuffle.errors import InvalidParameterError


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("0:00-0:01.5", (0.0, 1.5)),
        ("0-2", (0.0, 2.0)),
        ("1:30-1:31.25", (90.0, 91.25)),
        ("1:00:00-1:00:01", (3_600.0, 3_601.0)),
        (" 0.5-1 ", (0.5, 1.0)),
    ],
)
def test_a_span_is_read(text, span):
    assert parse_noise_profile(text) == span


def test_a_file_of_such_a_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0-2").write_bytes(b"")
    assert parse_noise_profile("0-2") == "0-2"


@pytest.mark.parametrize("text", ["", "1", "0:00", "-1-2", "a-b", "0:00-", "1:2:3:4-5", "0,5-1"])
def test_what_is_no_span_is_refused(text):
    with pytest.raises(InvalidParameterError, match=r"neither a file that exists nor a span"):
        parse_noise_profile(text)


@pytest.mark.parametrize("text", ["2-1", "1-1", "0:02-0:01"])
def test_a_span_must_end_after_it_starts(text):
    with pytest.raises(InvalidParameterError, match="ends before it starts"):
        parse_noise_profile(text)
