"""The reverberation time found by ear, and what its expected power takes off."""

from __future__ import annotations

import numpy as np
import pytest
from reverberant_rooms import RATE, dry_voice, in_room, si_sdr_db

from unmuffle.repair import LateReverbSuppressor, suppress_late_reverb


def followed(audio: np.ndarray, **options: float) -> LateReverbSuppressor:
    stream = LateReverbSuppressor(RATE, **options)
    stream.process(audio[None].astype(np.float32))
    return stream


@pytest.mark.parametrize("rt60_s", [0.3, 0.45, 0.6, 0.9])
def test_the_reverberation_time_is_found_within_a_third(rt60_s):
    reverberant, _ = in_room(dry_voice(), rt60_s, seed=5)
    assert followed(reverberant).rt60_s[0] == pytest.approx(rt60_s, rel=0.33)


def test_longer_reverberation_is_told_to_be_longer():
    found = [followed(in_room(dry_voice(), rt60_s, seed=6)[0]).rt60_s[0] for rt60_s in (0.2, 0.4, 0.6, 0.8, 1.1)]
    assert found == sorted(found)


def test_channels_have_their_own_reverberation_time():
    voice = dry_voice()
    stream = LateReverbSuppressor(RATE, 2)
    stream.process(np.stack([in_room(voice, rt60_s)[0] for rt60_s in (0.3, 0.9)]).astype(np.float32))
    assert stream.rt60_s[1] > 1.5 * stream.rt60_s[0]


def test_a_time_that_is_given_is_kept():
    assert followed(dry_voice(2.0), rt60_s=0.7).rt60_s.tolist() == [0.7]


@pytest.mark.parametrize("floor_db", [-6.0, -12.0, -20.0])
def test_a_tail_falls_to_the_floor(floor_db):
    """Noise that dies away somewhat faster than the room of the given time would have it is all reverberation."""
    random = np.random.default_rng(0)
    time = np.arange(2 * RATE) / RATE
    audio = random.standard_normal(time.size) * 10.0 ** (-3.0 * np.clip(time - 0.5, 0.0, None) / 0.6)
    found = suppress_late_reverb(audio, RATE, rt60_s=0.8, floor_db=floor_db)
    tail = slice(int(0.7 * RATE), int(1.2 * RATE))
    lowered_db = 10.0 * np.log10(np.square(found[tail]).sum() / np.square(audio[tail]).sum())
    assert floor_db <= lowered_db < 0.5 * floor_db


def test_a_longer_time_takes_more_off():
    reverberant, _ = in_room(dry_voice(), 0.6)
    cleared = [suppress_late_reverb(reverberant, RATE, rt60_s=rt60_s) for rt60_s in (0.1, 0.3, 0.6, 1.2)]
    powers = [np.square(audio).sum() for audio in cleared]
    assert powers == sorted(powers, reverse=True)


def test_copies_stay_copies():
    reverberant, _ = in_room(dry_voice(4.0), 0.6)
    found = suppress_late_reverb(np.stack((reverberant, -0.5 * reverberant)), RATE)
    np.testing.assert_allclose(found[1], -0.5 * found[0], atol=1e-6)


def test_onsets_are_kept():
    """After a pause nothing is late: the first 40 ms of a burst of noise pass whole."""
    noise = np.random.default_rng(1).standard_normal(RATE)
    audio = np.concatenate((np.zeros(RATE), noise, np.zeros(RATE), noise))
    found = suppress_late_reverb(audio, RATE, rt60_s=0.6)
    onset = slice(3 * RATE, 3 * RATE + RATE // 25)
    assert si_sdr_db(audio[onset], found[onset]) > 25.0
