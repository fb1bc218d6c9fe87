"""Two channels that are swapped are named and survived; arrays that are right are left alone."""

from __future__ import annotations

import numpy as np
import pytest
from array_signals import RATE, noise, plane_wave, power_db, voice

from unmuffle.array import ArrayGeometry, beamform, find_swapped_channels
from unmuffle.array.geometry_files import as_geometry
from unmuffle.errors import InvalidParameterError

SECONDS = 6.0


def room(array, azimuth, seed=0, echoes=12, snr_db=20.0):
    """A voice with echoes from everywhere that arrive within 0.2 s, and noise."""
    rng = np.random.default_rng(seed)
    said = np.tile(voice(3.0), round(SECONDS / 3.0))
    speech = plane_wave(array, azimuth, said)
    for _ in range(echoes):
        late = int(rng.integers(20, RATE // 5))
        level = 0.5 * np.exp(-late / (0.06 * RATE))
        speech += level * plane_wave(array, float(rng.uniform(0.0, 360.0)), np.roll(said, late))
    other = plane_wave(array, float(rng.uniform(0.0, 360.0)), noise(said.size, seed))
    return speech + 10.0 ** (-snr_db / 20.0) * speech.std() / other.std() * other


def swapped(audio, one, other):
    order = np.arange(len(audio))
    order[[one, other]] = other, one
    return audio[order]


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [("linear4", 0, 1), ("linear4", 1, 3), ("respeaker4", 2, 3), ("respeaker6", 1, 3), ("circle8", 1, 5)],
)
def test_two_channels_that_are_swapped_are_named(name, one, other):
    array = as_geometry(name)
    audio = room(array, 70.0)
    assert find_swapped_channels(audio, RATE, array) is None
    found = find_swapped_channels(swapped(audio, one, other), RATE, array)
    assert (one, other) in ((found.first, found.second), *found.alternatives)
    if not found.alternatives:
        assert str(found).startswith(f"channels {one} and {other} look swapped: what is heard fits the geometry")


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["linear4", "respeaker4", "circle8"])
def test_an_array_that_is_right_is_left_alone(name, seed):
    array = as_geometry(name)
    assert find_swapped_channels(room(array, 30.0 * seed + 3.0, seed, 30, 5.0), RATE, array) is None


def test_an_exchange_in_the_mirror_is_named_too_and_the_direction_decides():
    array = as_geometry("linear4")
    audio = swapped(room(array, 50.0, snr_db=60.0), 1, 2)
    found = find_swapped_channels(audio, RATE, array)
    assert {(found.first, found.second), *found.alternatives} == {(0, 3), (1, 2)}
    assert "(or " in str(found)
    assert "mirror" in str(found)
    told = find_swapped_channels(audio, RATE, array, toward=50.0)
    assert (told.first, told.second) == (1, 2)
    turned = find_swapped_channels(audio, RATE, array, toward=130.0)
    assert (turned.first, turned.second) == (0, 3)


def test_what_cannot_be_told_is_no_fault():
    # Of three microphones on a line the ends exchanged are the array seen from behind.
    array = ArrayGeometry.linear(3, 0.08)
    assert find_swapped_channels(swapped(room(array, 40.0), 0, 2), RATE, array) is None
    pair = as_geometry("laptop2")
    assert find_swapped_channels(room(pair, 40.0), RATE, pair) is None
    four = as_geometry("linear4")
    independent = np.stack([noise(6 * RATE, seed) for seed in range(4)])
    assert find_swapped_channels(independent, RATE, four) is None
    assert find_swapped_channels(np.zeros((4, 6 * RATE)), RATE, four) is None
    assert find_swapped_channels(independent[:, :RATE], RATE, four) is None
    assert find_swapped_channels(independent[:, :100], RATE, four) is None


@pytest.mark.parametrize("toward", [70.0, "auto"])
def test_a_beam_of_swapped_channels_is_as_good_as_of_the_right_ones(toward):
    array = as_geometry("linear4")
    audio = room(array, 70.0)
    audio += 0.001 * np.random.default_rng(1).standard_normal(audio.shape)
    right, _ = beamform(audio, RATE, array, method="das", toward=toward)
    out, report = beamform(swapped(audio, 1, 3), RATE, array, method="das", toward=toward)
    assert (report.swapped.first, report.swapped.second) == (1, 3)
    assert power_db(out - right) < power_db(right) - 40.0
    wrong, report = beamform(swapped(audio, 1, 3), RATE, array, method="das", toward=70.0, check=False)
    assert report.swapped is None
    assert power_db(wrong - right) > power_db(right) - 20.0


def test_channels_are_numbered_as_in_the_recording_where_another_one_is_dead():
    array = as_geometry("circle8")
    audio = swapped(room(array, 70.0), 4, 6)
    audio[1] = 0.0
    _, report = beamform(audio, RATE, array, method="das", toward=70.0)
    assert [fault.channel for fault in report.left_out] == [1]
    assert (report.swapped.first, report.swapped.second) == (4, 6)


def test_without_need_of_a_geometry_the_order_does_not_matter():
    array = as_geometry("linear4")
    audio = room(array, 70.0)
    plain, report = beamform(audio, RATE, array, method="mask-mvdr", reference=0)
    out, _ = beamform(swapped(audio, 1, 3), RATE, array, method="mask-mvdr", reference=0)
    assert report.swapped is None
    assert power_db(out - plain) < power_db(plain) - 60.0


def test_it_takes_a_recording_that_fits():
    with pytest.raises(InvalidParameterError, match="8 microphones and the recording 4 channels"):
        find_swapped_channels(np.zeros((4, RATE)), RATE, "circle8")
