"""What a strength was over time: means that are true, in memory that does not grow, through a file and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from toys import Copy

from unmuffle.errors import InvalidParameterError, OutputExistsError
from unmuffle.process import DryWet
from unmuffle.process.strength_over_time import MOST_POINTS, StrengthTrace, read_strength_csv

RATE, PERIOD = 1000, 10


def traced(values: np.ndarray, size: int = 10_000) -> StrengthTrace:
    """Strengths [periods] or [channels, periods], each held for a period, in blocks of this size."""
    trace = StrengthTrace(RATE, PERIOD)
    shares = np.repeat(np.atleast_2d(values), PERIOD, axis=1).astype(np.float32)
    for at in range(0, shares.shape[1], size):
        trace.add(shares[:, at : at + size])
    return trace


@pytest.mark.parametrize("size", [1, 3, 10, 37, 10_000])
def test_every_period_is_a_point_whatever_the_blocks(size):
    values = np.array([1.0, 0.5, 0.0, 0.0, 0.25])
    found = traced(values, size).result()
    assert found.times_s == pytest.approx((0.005, 0.015, 0.025, 0.035, 0.045))
    assert found.strengths == pytest.approx(tuple(values))
    assert found.mean == pytest.approx(0.35)
    assert found.untouched_share == pytest.approx(0.4)
    assert found.text == "strength 0.35 on average, 40 % of the time untouched"


@pytest.mark.parametrize("periods", [MOST_POINTS, MOST_POINTS + 1, 2 * MOST_POINTS + 3, 11 * MOST_POINTS + 5])
def test_points_stay_bounded_and_their_means_true(periods):
    values = np.random.default_rng(periods).random(periods)
    found = traced(values).result()
    assert MOST_POINTS // 2 <= len(found.strengths) <= MOST_POINTS + 1
    together = round(2 * found.times_s[0] * RATE / PERIOD)
    expected = [values[at : at + together].mean() for at in range(0, periods, together)]
    np.testing.assert_allclose(found.strengths, expected, atol=1e-6)
    np.testing.assert_allclose(np.diff(found.times_s), together * PERIOD / RATE)
    assert found.mean == pytest.approx(values.mean(), abs=1e-6)


def test_channels_are_averaged_and_untouched_only_together():
    found = traced(np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 1.0]])).result()
    assert found.strengths == (0.0, 0.5, 1.0)
    assert found.untouched_share == pytest.approx(1 / 3)


def test_a_stream_that_ended_can_be_asked_until_the_next_begins():
    trace = traced(np.array([0.5, 0.5]))
    trace.end()
    assert trace.result().strengths == (0.5, 0.5)
    trace.add(np.ones((1, PERIOD), np.float32))
    assert trace.result().strengths == (1.0,)


def test_json_holds_it():
    found = traced(np.array([1.0, 0.0])).result()
    assert json.loads(json.dumps(found.to_dict()))["strengths"] == [1.0, 0.0]


def test_a_table_is_read_back_and_replaced_only_when_told(tmp_path):
    found = traced(np.random.default_rng(0).random(50)).result()
    path = tmp_path / "talk.strength.csv"
    found.write_csv(path)
    times_s, strengths = read_strength_csv(path)
    np.testing.assert_allclose(times_s, found.times_s, atol=5e-4)
    np.testing.assert_allclose(strengths, found.strengths, atol=5e-5)
    with pytest.raises(OutputExistsError, match=r"talk\.strength\.csv already exists"):
        found.write_csv(path)
    traced(np.ones(3)).result().write_csv(path, overwrite=True)
    assert read_strength_csv(path)[1].tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is no table of strength over time"),
        ("a,b\n1,2\n", "its columns are a, b"),
        ("time_s,strength\n1,much\n", "is no table of strength over time"),
        ("time_s,strength\n1,2,3\n", "is no table of strength over time"),
        ("time_s,strength\n", "it has no rows"),
        ("time_s,strength\n1,nan\n", "it holds nan"),
    ],
)
def test_a_file_that_is_something_else_is_named(tmp_path, text, message):
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(InvalidParameterError, match=message):
        read_strength_csv(path)
    with pytest.raises(InvalidParameterError, match="cannot be read"):
        read_strength_csv(Path(tmp_path / "nowhere.csv"))


def test_only_a_strength_that_follows_the_audio_is_told_over_time():
    assert DryWet(Copy(0), 0.5).strength_over_time is None
    mix = DryWet(Copy(0), 0.5, keep="music")
    mix.process(np.zeros((1, 16_000), np.float32))
    assert set(mix.strength_over_time.strengths) == {0.5}
    mix.flush()
    assert mix.strength_over_time.mean == 0.5
