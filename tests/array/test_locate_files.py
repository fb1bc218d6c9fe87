"""A file is located block by block: the same as at once, in memory that does not grow with its length."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import soundfile
from array_signals import RATE, noise, plane_wave, voice

from unmuffle.array import localize, track_directions
from unmuffle.array.geometry_files import as_geometry
from unmuffle.array.locate_files import locate_file
from unmuffle.errors import InvalidAudioError, InvalidParameterError

ARRAY = as_geometry("linear4")


def written(path, audio, rate=RATE):
    soundfile.write(path, audio.T, rate, "FLOAT")
    return path


def recording(seconds=5.3):
    audio = plane_wave(ARRAY, 70.0, voice(seconds))
    return audio + 0.002 * np.random.default_rng(0).standard_normal(audio.shape)


def test_a_file_is_located_as_the_whole_recording(tmp_path):
    audio = recording()
    (told,) = locate_file(written(tmp_path / "a.wav", audio), ARRAY).found
    (whole,) = localize(audio, RATE, ARRAY)
    assert told.direction.azimuth_deg == pytest.approx(whole.direction.azimuth_deg, abs=0.01)
    assert told.time_s == pytest.approx(whole.time_s, abs=1e-3)


def test_a_file_is_followed_as_the_whole_recording(tmp_path, monkeypatch):
    # The first part and the blocks after it are then cut where no answer falls.
    monkeypatch.setattr("unmuffle.array.locate_files.LONGEST_S", 1.13)
    monkeypatch.setattr("unmuffle.array.locate_files.BLOCK_S", 0.37)
    audio = recording()
    told = locate_file(written(tmp_path / "a.wav", audio), ARRAY, every_s=0.4).found
    whole = track_directions(audio, RATE, ARRAY, every_s=0.4, memory_s=0.8)
    assert len(told) == len(whole) > 5
    np.testing.assert_allclose(
        [one.direction.azimuth_deg for one in told], [one.direction.azimuth_deg for one in whole], atol=0.01
    )
    np.testing.assert_allclose([one.time_s for one in told], [one.time_s for one in whole], atol=1e-3)


def test_memory_does_not_grow_with_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr("unmuffle.array.locate_files.LONGEST_S", 5.0)
    peaks = []
    for seconds in (20, 80):
        pair = plane_wave(as_geometry("laptop2"), 40.0, noise(seconds * 8_000), 8_000)
        path = written(tmp_path / f"{seconds}.wav", pair, 8_000)
        tracemalloc.start()
        locate_file(path, "laptop2", voice_only=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_a_faulty_microphone_is_left_out_and_named(tmp_path):
    audio = recording()
    audio[2] = 0.0
    report = locate_file(written(tmp_path / "a.wav", audio), ARRAY)
    assert [(fault.channel, fault.kind) for fault in report.left_out] == [(2, "dead")]
    assert report.geometry.microphones == 3
    assert report.found[0].direction.azimuth_deg == pytest.approx(70.0, abs=1.5)


def test_what_is_not_finite_is_refused_wherever_it_is(tmp_path, monkeypatch):
    monkeypatch.setattr("unmuffle.array.locate_files.LONGEST_S", 1.0)
    audio = recording()
    audio[1, -5] = np.nan
    with pytest.raises(InvalidAudioError, match=r"a\.wav"):
        locate_file(written(tmp_path / "a.wav", audio), ARRAY)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"every_s": 0.0}, "every_s is 0.0"),
        ({"every_s": 1.0, "elevation": True}, "elevations"),
        ({"sources": 9}, "1 to 3"),
    ],
)
def test_bad_options_are_named(tmp_path, options, said):
    with pytest.raises(InvalidParameterError, match=said):
        locate_file(written(tmp_path / "a.wav", recording(0.5)), ARRAY, **options)
