import numpy as np
import pytest

from unmuffle.train.data import rooms
from unmuffle.train.data.rooms import simulate_room


def decay_time_s(response, rate):
    """Reverberation time from the slope of Schroeder's backward integral from -5 to -25 dB."""
    energy = np.cumsum(response[::-1].astype(float) ** 2)[::-1]
    level_db = 10 * np.log10(energy / energy[0])
    first, last = np.argmax(level_db < -5), np.argmax(level_db < -25)
    return 3 * (last - first) / rate


@pytest.mark.parametrize("rt60_s", [0.2, 0.6])
def test_sound_decays_as_the_room_was_asked_to(monkeypatch, rt60_s):
    monkeypatch.setattr(rooms, "SHORTEST_RT60_S", rt60_s)
    monkeypatch.setattr(rooms, "LONGEST_RT60_S", rt60_s * 1.001)
    random = np.random.default_rng(1)
    found = [decay_time_s(simulate_room(random), 48_000) for _ in range(8)]
    assert np.median(found) == pytest.approx(rt60_s, rel=0.35)


def test_the_direct_sound_comes_first_and_is_the_loudest():
    random = np.random.default_rng(2)
    for _ in range(10):
        response = simulate_room(random, 16_000)
        assert np.abs(response).max() == 1
        assert np.argmax(np.abs(response)) < 0.01 * 16_000


def test_rooms_differ_and_are_repeatable():
    first, second = (simulate_room(np.random.default_rng(seed), 16_000) for seed in (3, 4))
    assert first.size != second.size
    assert np.array_equal(first, simulate_room(np.random.default_rng(3), 16_000))


def test_one_wall_image_arrives_when_geometry_says():
    size, source, microphone = np.array([5.0, 4.0, 3.0]), np.array([1.0, 2.0, 1.5]), np.array([3.0, 2.0, 1.5])
    early = rooms._images(np.random.default_rng(0), size, source, microphone, 0.7, 48_000)
    # The direct path is 2 m; off the floor and the ceiling, 1.5 m away, it is sqrt(4 + 9) m.
    later = (np.sqrt(13) - 2) / 343 * 48_000
    arrivals = np.flatnonzero(early > 0.02)
    assert arrivals[0] == 0
    assert arrivals[arrivals > 1][0] == pytest.approx(later, abs=1)
