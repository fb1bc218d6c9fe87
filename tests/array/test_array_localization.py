"""Directions and delays that are known are found."""

from __future__ import annotations

import numpy as np
import pytest
from array_signals import RATE, noise, off_by, plane_wave, voice

from unmuffle.array import ArrayGeometry, DirectionFinder, gcc_phat, localize, track_directions
from unmuffle.array.geometry_files import as_geometry
from unmuffle.errors import InvalidAudioError, InvalidParameterError

METHODS = ("norm-music", "music", "srp-phat", "gcc-phat")


def with_sensor_noise(audio, snr_db=20.0, seed=1):
    own = np.random.default_rng(seed).standard_normal(audio.shape)
    return audio + own * np.sqrt(np.square(audio).mean()) * 10.0 ** (-snr_db / 20.0)


@pytest.mark.parametrize("delay", [0.0, 7.25e-5, -3.4e-4])
def test_gcc_phat_finds_a_fractional_delay(delay):
    signal = noise(RATE)
    turns = np.exp(-2j * np.pi * np.fft.rfftfreq(RATE, 1 / RATE) * delay)
    later = np.fft.irfft(np.fft.rfft(signal) * turns, RATE)
    found = gcc_phat(signal, later, RATE, max_delay_s=1e-3)
    assert found == pytest.approx(delay, abs=0.51 / (16 * RATE))


def test_gcc_phat_refuses_what_does_not_go_together():
    with pytest.raises(InvalidAudioError, match="one length"):
        gcc_phat(noise(100), noise(101), RATE)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("name", "azimuth"), [("laptop2", 120.0), ("linear4", 65.3), ("respeaker6", 231.0)])
def test_a_plane_wave_is_found(method, name, azimuth):
    array = as_geometry(name)
    audio = with_sensor_noise(plane_wave(array, azimuth, voice(2.0)))
    (found,) = localize(audio, RATE, array, method=method)
    assert off_by(found.direction.azimuth_deg, azimuth) < 1.5
    assert found.salience > (0.05 if method == "gcc-phat" else 0.3)


@pytest.mark.parametrize("rate", [8_000, 48_000])
def test_other_rates(rate):
    array = as_geometry("circle8")
    audio = with_sensor_noise(plane_wave(array, 300.0, voice(1.5, rate), rate))
    assert off_by(localize(audio, rate, array)[0].direction.azimuth_deg, 300.0) < 1.5


def test_the_voice_is_found_and_not_the_louder_noise():
    array = as_geometry("respeaker4")
    speech = plane_wave(array, 40.0, voice(3.0))
    louder = plane_wave(array, 200.0, noise(speech.shape[1]))
    audio = with_sensor_noise(speech + 1.4 * louder * speech.std() / louder.std(), 30.0)
    assert off_by(localize(audio, RATE, array, method="srp-phat")[0].direction.azimuth_deg, 40.0) < 3.0
    any_sound = localize(audio, RATE, array, method="srp-phat", voice_only=False)
    assert off_by(any_sound[0].direction.azimuth_deg, 200.0) < 3.0


@pytest.mark.parametrize("method", ["norm-music", "srp-phat"])
def test_two_sources_are_told_apart(method):
    array = as_geometry("circle8")
    audio = plane_wave(array, 50.0, noise(RATE, 1)) + plane_wave(array, 170.0, noise(RATE, 2))
    found = localize(with_sensor_noise(audio), RATE, array, method=method, sources=2, voice_only=False)
    azimuths = sorted(one.direction.azimuth_deg for one in found)
    assert np.abs(np.array(azimuths) - [50.0, 170.0]).max() < 3.0


def test_elevation_is_found_by_a_sphere():
    from unmuffle.array.steering import delays_s

    array = ArrayGeometry.spherical(12, 0.05)
    signal = noise(RATE // 2)
    turns = -2j * np.pi * np.fft.rfftfreq(signal.size, 1 / RATE)
    late = delays_s(array, "120,-39")
    audio = np.stack([np.fft.irfft(np.fft.rfft(signal) * np.exp(turns * delay), signal.size) for delay in late])
    (found,) = localize(with_sensor_noise(audio), RATE, array, voice_only=False, elevation=True)
    assert off_by(found.direction.azimuth_deg, 120.0) < 3.0
    assert abs(found.direction.elevation_deg + 39.0) <= 3.0


def test_a_voice_that_moves_is_followed():
    array = as_geometry("linear4")
    first, second = plane_wave(array, 50.0, voice(2.0)), plane_wave(array, 130.0, voice(2.0))
    audio = with_sensor_noise(np.concatenate((first, second), axis=1))
    found = track_directions(audio, RATE, array, every_s=0.25)
    assert 12 <= len(found) <= 16
    early = [one.direction.azimuth_deg for one in found if 0.5 < one.time_s < 1.9]
    late = [one.direction.azimuth_deg for one in found if one.time_s > 3.2]
    assert np.median(early) == pytest.approx(50.0, abs=3.0)
    assert np.median(late) == pytest.approx(130.0, abs=3.0)
    assert {one.track for one in found if 0.5 < one.time_s < 1.9} != {one.track for one in found if one.time_s > 3.2}


def test_what_is_found_does_not_depend_on_blocks():
    array = as_geometry("linear4")
    audio = with_sensor_noise(plane_wave(array, 77.0, voice(1.0))).astype(np.float32)
    spectra = []
    for size in (16_000, 123):
        finder = DirectionFinder(RATE, array, memory_s=0.5)
        for start in range(0, audio.shape[1], size):
            finder.process(audio[:, start : start + size])
        spectra.append(finder.spectrum())
    np.testing.assert_allclose(*spectra, atol=1e-3)


def test_silence_has_no_direction():
    assert localize(np.zeros((4, RATE)), RATE, "linear4") == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "ears"}, "norm-music"),
        ({"sources": 4}, "1 to 3"),
        ({"sources": 2, "method": "gcc-phat"}, "1 to 1"),
        ({"elevation": True}, "lie on a line"),
        ({"step_deg": 0.0}, "step_deg"),
        ({"temperature_c": 300.0}, "Celsius"),
    ],
)
def test_bad_options_are_named(options, said):
    with pytest.raises(InvalidParameterError, match=said):
        localize(np.zeros((4, 1000)), RATE, "linear4", **options)


def test_channels_must_fit_the_geometry():
    with pytest.raises(InvalidParameterError, match="3 channels"):
        localize(np.zeros((3, 1000)), RATE, "linear4")


def test_only_what_is_new_is_answered():
    array = as_geometry("linear4")
    audio = with_sensor_noise(plane_wave(array, 60.0, voice(1.0)), 40.0)
    audio = np.concatenate((audio, np.zeros((4, 4 * RATE))), axis=1)
    found = track_directions(audio, RATE, array, every_s=0.25)
    assert 3 <= len(found) <= 5
    assert max(one.time_s for one in found) < 1.1
    assert np.diff([one.time_s for one in found]).min() > 0.05


def test_noise_without_a_voice_is_not_followed():
    array = as_geometry("respeaker4")
    speech = np.concatenate((np.zeros((4, 2 * RATE)), plane_wave(array, 60.0, voice(3.0))), axis=1)
    bursts = np.sin(2.0 * np.pi * 3.0 * np.arange(5 * RATE) / RATE) > 0.0
    other = plane_wave(array, 200.0, bursts * noise(5 * RATE))
    audio = with_sensor_noise(speech + 0.5 * other * 0.05 / other.std(), 30.0)
    found = track_directions(audio, RATE, array, every_s=0.25)
    assert min(one.time_s for one in found) > 1.9
    assert len(found) >= 7
    assert max(off_by(one.direction.azimuth_deg, 60.0) for one in found) < 5.0
    any_sound = track_directions(audio[:, : 2 * RATE], RATE, array, voice_only=False)
    assert len(any_sound) >= 5
    assert max(off_by(one.direction.azimuth_deg, 200.0) for one in any_sound) < 5.0


def test_the_time_told_is_that_of_the_sound():
    array = as_geometry("linear4")
    for begin in (0.5, 2.0):
        audio = np.zeros((4, 3 * RATE))
        audio[:, round(begin * RATE) :][:, : RATE // 5] = plane_wave(array, 60.0, noise(RATE // 5))
        (found,) = localize(audio, RATE, array, voice_only=False)
        assert begin - 0.02 < found.time_s < begin + 0.22


def test_first_waves_count_and_echoes_do_not():
    from unmuffle.array.onsets import OnsetWeights
    from unmuffle.signal.grid import grid_for

    grid = grid_for(RATE)
    power = 10.0 ** (-3.0 * np.arange(40) * grid.hop_s / 0.3)[:, None] * np.ones((1, 3))
    power[20:, 1] += 4.0
    weights = OnsetWeights(grid, 3).weights(power)
    assert (weights[0] == 1.0).all()
    assert (weights[1:, [0, 2]] == 0.0).all()
    assert weights[20, 1] > 0.9
    assert (weights[21:, 1] == 0.0).all()


def test_a_source_that_comes_back_late_is_another_track():
    from unmuffle.array.direction_finder import FoundDirection
    from unmuffle.array.directions import Direction
    from unmuffle.array.tracking import DirectionTracks

    tracks = DirectionTracks()
    numbers = [
        tracks.follow([FoundDirection(time_s, Direction(azimuth), 1.0)])[0].track
        for time_s, azimuth in ((0.0, 10.0), (1.0, 350.0), (2.0, 90.0), (9.0, 5.0), (30.0, 5.0), (31.0, 90.0))
    ]
    assert numbers == [0, 0, 1, 0, 2, 3]
