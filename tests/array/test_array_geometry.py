"""Geometries: shapes, files, presets, what is refused, and how waves reach them."""

from __future__ import annotations

import numpy as np
import pytest
from array_signals import SPEED

from unmuffle.array import ArrayGeometry, Direction, list_geometries, speed_of_sound, steering_vectors
from unmuffle.array.directions import angle_between_deg, as_direction
from unmuffle.array.geometry_files import as_geometry, read_geometry
from unmuffle.array.steering import delays_s
from unmuffle.errors import InvalidParameterError


def test_shapes_have_their_distances():
    assert ArrayGeometry.linear(4, 0.05).aperture_m == pytest.approx(0.15)
    ring = ArrayGeometry.circular(8, 0.05)
    np.testing.assert_allclose(np.linalg.norm(ring.positions_m, axis=1), 0.05)
    assert ring.spacing_m == pytest.approx(2 * 0.05 * np.sin(np.pi / 8))
    assert ArrayGeometry.circular(6, 0.04, centre=True).microphones == 7
    plane = ArrayGeometry.planar(4, 3, 0.02)
    assert plane.microphones == 12
    assert plane.spacing_m == pytest.approx(0.02)
    ball = ArrayGeometry.spherical(32, 0.042)
    np.testing.assert_allclose(np.linalg.norm(ball.positions_m, axis=1), 0.042)
    assert [shape.dimensions for shape in (ArrayGeometry.linear(3, 0.1), ring, plane, ball)] == [1, 2, 2, 3]


@pytest.mark.parametrize(
    ("name", "microphones"), [("laptop2", 2), ("linear4", 4), ("respeaker4", 4), ("respeaker6", 6), ("circle8", 8)]
)
def test_presets(name, microphones):
    assert name in list_geometries()
    assert as_geometry(name).microphones == microphones


def test_files_in_toml_and_csv_say_the_same(tmp_path):
    toml, table = tmp_path / "mine.toml", tmp_path / "mine.csv"
    toml.write_text("positions_m = [[0, 0, 0], [0.1, 0, 0], [0, 0.05, 0.02]]\n")
    table.write_text("x,y,z\n0,0,0\n0.1,0,0\n0,0.05,0.02\n")
    np.testing.assert_array_equal(read_geometry(toml).positions_m, as_geometry(table).positions_m)
    assert read_geometry(toml).name == "mine"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('shape = "ring"\n', "shape = one of linear, circular"),
        ('shape = "linear"\nmicrophones = 4\n', "spacing_m"),
        ("positions_m = [[0, 0, 0], [0, 0, 0]]\n", "microphones 0 and 1 of mine are in one place"),
        ("positions_m = [[0, 0, 0], [40, 0, 0]]\n", "positions are to be in metres"),
        ("positions_m = [[0, 0, 0]]\n", "unmuffle.enhance"),
        ("positions_m = [[0, 0], [0.1, 0, 0]]\n", "no numbers in rows|inhomogeneous"),
        ("positions_m = [[0, 0, 0], [nan, 0, 0]]\n", "NaN"),
        ("positions_m = [", "no TOML"),
    ],
)
def test_bad_files_are_named(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InvalidParameterError, match=said):
        read_geometry(path)


def test_a_bad_row_of_a_table_is_named(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("0,0,0\n0.1,zero,0\n")
    with pytest.raises(InvalidParameterError, match="row 2"):
        read_geometry(path)


def test_an_unknown_name_is_answered_by_a_near_one():
    with pytest.raises(InvalidParameterError, match="did you mean respeaker4"):
        as_geometry("respeakr4")


def test_the_number_of_channels_must_fit():
    with pytest.raises(InvalidParameterError, match="4 microphones and the recording 3 channels"):
        as_geometry("linear4").check_channels(3)
    with pytest.raises(InvalidParameterError, match=r"unmuffle\.enhance"):
        as_geometry("linear4").check_channels(1)


def test_aliasing_is_told_with_its_frequency():
    assert ArrayGeometry.linear(4, 0.05).aliasing_hz == pytest.approx(343.2 / 0.1)
    assert "above 3432 Hz" in ArrayGeometry.linear(4, 0.05).aliasing_warning(16_000)
    assert ArrayGeometry.linear(4, 0.02).aliasing_warning(16_000) is None
    assert ArrayGeometry.linear(4, 0.05).aliasing_warning(8_000, speech_to_hz=3_000.0) is None


@pytest.mark.parametrize("given", ["", "north", "1,2,3,4", 400.0, "10,95", "10,0,-1", float("nan")])
def test_directions_out_of_range_are_refused(given):
    with pytest.raises(InvalidParameterError):
        as_direction(given)


def test_directions_follow_the_convention():
    np.testing.assert_allclose(Direction(90.0).unit_vector, [0.0, 1.0, 0.0], atol=1e-15)
    np.testing.assert_allclose(Direction(0.0, 90.0).unit_vector, [0.0, 0.0, 1.0], atol=1e-15)
    assert as_direction("-45, 0, 2") == Direction(315.0, 0.0, 2.0)
    assert angle_between_deg(Direction(10.0, 80.0), Direction(190.0, 80.0)) == pytest.approx(20.0)


def test_the_speed_of_sound_is_that_of_tables():
    for celsius, told in ((0.0, 331.3), (20.0, 343.2), (30.0, 349.0)):
        assert speed_of_sound(celsius) == pytest.approx(told, abs=0.1)
    with pytest.raises(InvalidParameterError, match="Celsius"):
        speed_of_sound(293.15)


def test_a_wave_along_the_line_is_late_by_the_way():
    array = ArrayGeometry.linear(4, 0.05)
    late = delays_s(array, 0.0)
    np.testing.assert_allclose(np.diff(late), -0.05 / SPEED)
    np.testing.assert_allclose(delays_s(array, 90.0), 0.0, atol=1e-18)


def test_steering_vectors_are_the_delays_as_phases():
    array, hz = as_geometry("circle8"), np.array([0.0, 500.0, 3_333.0])
    steering = steering_vectors(array, "40,20", hz)
    assert steering.shape == (3, 8)
    toward = np.array([np.cos(0.349066) * np.cos(0.698132), np.cos(0.349066) * np.sin(0.698132), np.sin(0.349066)])
    expected = np.exp(2j * np.pi * hz[:, None] * (array.positions_m @ toward) / SPEED)
    np.testing.assert_allclose(steering, expected, atol=1e-5)


def test_the_near_field_becomes_the_far_field():
    array, hz = as_geometry("respeaker6"), np.array([300.0, 4_000.0])
    far = steering_vectors(array, 30.0, hz)
    assert np.abs(steering_vectors(array, "30,0,1000", hz) - far).max() < 1e-3
    near = steering_vectors(array, "0,0,0.1", hz)
    # The microphone at azimuth 0 is 0.0463 m nearer than the centre.
    front = np.argmax(array.positions_m[:, 0])
    assert np.abs(near[0, front]) == pytest.approx(0.1 / (0.1 - 0.0463))
    with pytest.raises(InvalidParameterError, match="is at microphone"):
        steering_vectors(array, "0,0,0.0463", hz)
