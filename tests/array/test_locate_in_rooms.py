"""Voices are found in simulated rooms as well as pyroomacoustics finds them, and followed as they walk."""

from __future__ import annotations

import numpy as np
import pytest
from array_signals import RATE, noise, off_by, voice
from room_scenes import room_images, walking

from unmuffle.array import localize, track_directions
from unmuffle.array.geometry_files import as_geometry

rooms = pytest.importorskip("pyroomacoustics")


def with_own_noise(audio, snr_db=20.0):
    own = np.random.default_rng(1).standard_normal(audio.shape)
    return audio + own * audio.std() * 10.0 ** (-snr_db / 20.0)


@pytest.mark.parametrize("method", ["norm-music", "srp-phat", "gcc-phat"])
def test_a_voice_in_a_room_is_found(method):
    array = as_geometry("respeaker4")
    for azimuth in (20.0, 110.0, 250.0):
        audio = with_own_noise(room_images(array, [azimuth], [voice(2.0)], 0.3)[0])
        assert off_by(localize(audio, RATE, array, method=method)[0].direction.azimuth_deg, azimuth) <= 3.0


def test_the_voice_and_not_the_noise_in_a_room_is_found():
    array = as_geometry("linear4")
    speech, other = room_images(array, [60.0, 130.0], [voice(3.0), noise(3 * RATE)], 0.3)
    audio = with_own_noise(speech + other * speech.std() / other.std(), 30.0)
    assert off_by(localize(audio, RATE, array)[0].direction.azimuth_deg, 60.0) <= 3.0


@pytest.mark.parametrize(("ours", "theirs"), [("srp-phat", "SRP"), ("norm-music", "NormMUSIC")])
def test_as_near_as_the_methods_of_pyroomacoustics(ours, theirs):
    """Over six directions; theirs takes every frame alike, so that ours, which goes by first waves, may be nearer."""
    array, errors = as_geometry("respeaker4"), []
    for azimuth in (15.0, 80.0, 140.0, 200.0, 260.0, 330.0):
        audio = with_own_noise(room_images(array, [azimuth], [voice(2.0)], 0.3)[0])
        spectra = rooms.transform.stft.analysis(audio.T, 512, 256).transpose(2, 1, 0)
        peer = rooms.doa.algorithms[theirs](
            array.centred_m.T[:2], RATE, 512, c=343.2, num_src=1, azimuth=np.deg2rad(np.arange(360))
        )
        peer.locate_sources(spectra, freq_range=[200, 7_000])
        (found,) = localize(audio, RATE, array, method=ours, voice_only=False)
        their_azimuth = float(np.rad2deg(peer.azimuth_recon[0]))
        assert off_by(found.direction.azimuth_deg, their_azimuth) <= 6.0
        errors.append((off_by(found.direction.azimuth_deg, azimuth), off_by(their_azimuth, azimuth)))
    mine, others = np.mean(errors, axis=0)
    assert mine <= others + 0.2


@pytest.mark.parametrize("method", ["norm-music", "srp-phat"])
@pytest.mark.parametrize("name", ["linear4", "respeaker4"])
def test_a_voice_that_walks_through_a_room_is_followed(method, name):
    """At 17 degrees a second; told is where it was at the time that is told with it."""
    array, seconds = as_geometry(name), 4.0
    audio = with_own_noise(walking(array, np.linspace(50.0, 118.0, 18), voice(seconds), 0.2))
    found = track_directions(audio, RATE, array, method=method)
    way = np.interp([one.time_s for one in found], [0.0, seconds], [50.0, 118.0])
    errors = np.abs(way - [one.direction.azimuth_deg for one in found])
    assert len(found) >= 8
    assert np.median(errors) <= 3.0
    assert errors.max() <= 10.0


def test_one_voice_walks_and_another_stays():
    array, seconds = as_geometry("respeaker4"), 4.0
    other = voice(2.0 * seconds)[-round(seconds * RATE) :]
    audio = walking(array, np.linspace(30.0, 100.0, 18), voice(seconds), 0.2)
    audio += room_images(array, [220.0], [other * 0.05 / other.std()], 0.2)[0]
    found = track_directions(with_own_noise(audio), RATE, array, sources=2)
    one = [found_one for found_one in found if found_one.direction.azimuth_deg < 160.0]
    two = [found_one for found_one in found if found_one.direction.azimuth_deg >= 160.0]
    assert min(len(one), len(two)) >= 6
    way = np.interp([found_one.time_s for found_one in one], [0.0, seconds], [30.0, 100.0])
    assert np.median(np.abs(way - [found_one.direction.azimuth_deg for found_one in one])) <= 3.0
    assert np.median([off_by(found_one.direction.azimuth_deg, 220.0) for found_one in two]) <= 3.0
    assert {found_one.track for found_one in one}.isdisjoint(found_one.track for found_one in two)


def test_two_voices_in_a_room_are_found():
    array = as_geometry("circle8")
    long = voice(6.0)
    first, second = long[: 3 * RATE], long[-3 * RATE :]
    audio = room_images(array, [70.0, 190.0], [first / first.std(), second / second.std()], 0.3).sum(axis=0)
    found = localize(with_own_noise(0.05 * audio), RATE, array, sources=2)
    azimuths = sorted(one.direction.azimuth_deg for one in found)
    assert np.abs(np.array(azimuths) - [70.0, 190.0]).max() <= 3.0
