"""Long files: what is listened to is bounded, and spread over all of them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from unmuffle.measure.diagnosis import diagnose, diagnose_file
from unmuffle.measure.diagnosis.pieces import spread_spans

RATE = 8_000


@pytest.mark.parametrize("seconds", [0.1, 4.0, 31.0, 36.0, 599.0, 600.0])
def test_ten_minutes_are_heard_whole(seconds):
    spans = spread_spans(seconds)
    assert spans[0][0] == 0.0
    assert spans[-1][1] == seconds
    assert all(before[1] == after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize("seconds", [600.5, 3_600.0, 1e6])
def test_of_more_the_pieces_are_spread(seconds):
    spans = spread_spans(seconds)
    assert (spans[0][0], spans[-1][1]) == (0.0, pytest.approx(seconds))
    assert sum(end - start for start, end in spans) == pytest.approx(600.0)
    steps = np.diff([start for start, _ in spans])
    assert np.allclose(steps, steps[0])


def test_a_file_is_diagnosed_as_its_samples_are(tmp_path, write_file, noisy_speech):
    audio = noisy_speech(RATE, seconds=40.0, channels=2)
    write_file(tmp_path / "talk.wav", audio, RATE, "FLOAT")
    assert diagnose_file(tmp_path / "talk.wav").to_dict() == diagnose(audio.astype(np.float32), RATE).to_dict()


def test_of_a_long_file_the_end_is_heard_too(tmp_path, write_file):
    audio = np.zeros(700 * RATE, np.float32)
    audio[-10 * RATE :] = 0.1 * np.random.default_rng(0).standard_normal(10 * RATE)
    write_file(tmp_path / "long.wav", audio, RATE)
    diagnosis = diagnose_file(tmp_path / "long.wav")
    assert diagnosis.seconds == 700.0
    assert diagnosis.heard_s == pytest.approx(600.0)
    assert diagnosis.of("silent") is None
