"""What dereverberation takes off in rooms, and what it leaves alone."""

from __future__ import annotations

import numpy as np
import pytest
from reverberant_rooms import RATE, dry_voice, in_room, room_response, si_sdr_db
from scipy.signal import oaconvolve

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.single.reverberation import srmr
from unmuffle.repair import Wpe, WpeOffline, dereverb

METHODS = ("wpe", "wpe_offline", "late")
each_method = pytest.mark.parametrize("method", METHODS)


@each_method
@pytest.mark.parametrize("rt60_s", [0.4, 0.6, 0.9])
def test_srmr_rises_and_early_sound_comes_nearer(method, rt60_s):
    reverberant, early = in_room(dry_voice(), rt60_s, seed=1)
    found = dereverb(reverberant, RATE, method)
    least = 1.18 if method == "wpe_offline" else 1.2
    assert srmr(found, RATE) >= least * srmr(reverberant, RATE)
    assert si_sdr_db(early, found) > si_sdr_db(early, reverberant) + 0.5


@each_method
def test_a_dry_voice_is_left_nearly_alone(method):
    voice = dry_voice()
    assert si_sdr_db(voice, dereverb(voice, RATE, method)) > 25.0


@pytest.mark.parametrize("method", ["wpe", "wpe_offline"])
def test_linked_channels_find_more(method):
    voice = dry_voice()
    channels = np.stack([in_room(voice, 0.6, seed=seed)[0] for seed in (1, 2)])
    early = in_room(voice, 0.6, seed=1)[1]
    linked, alone = (dereverb(channels, RATE, method, link_channels=link) for link in (True, False))
    assert si_sdr_db(early, linked[0]) > si_sdr_db(early, alone[0]) + 1.0
    assert srmr(linked, RATE) > 1.05 * srmr(alone, RATE)


@each_method
def test_the_stereo_image_of_a_voice_is_kept(method):
    """The direct sound, 6 dB weaker and 5 samples later on the right, in a room with a tail of its own on each side."""
    voice = dry_voice()
    left = oaconvolve(voice, room_response(0.5, seed=3))[: voice.size]
    right = oaconvolve(voice, room_response(0.5, seed=4))[: voice.size]
    delayed = np.concatenate((np.zeros(5), voice[:-5]))
    right += 0.5 * delayed - voice
    found = dereverb(np.stack((left, right)), RATE, method)
    levels = [found[0] @ voice / (voice @ voice), found[1] @ delayed / (voice @ voice)]
    before = [left @ voice / (voice @ voice), right @ delayed / (voice @ voice)]
    assert 20.0 * np.log10(levels[0] / levels[1]) == pytest.approx(20.0 * np.log10(before[0] / before[1]), abs=0.5)
    lag = np.argmax(np.correlate(found[1], voice[: -2 * RATE], "valid")[:40])
    assert lag == 5


def test_no_echo_is_put_before_an_onset():
    """Output before the first sound is silence but for what the window spreads, whatever has been learnt."""
    reverberant, _ = in_room(dry_voice(), 0.6)
    onset = reverberant.size + RATE
    audio = np.concatenate((reverberant, np.zeros(2 * RATE)))
    audio[onset] = 1.0
    found = dereverb(audio, RATE, "wpe")
    tail_of_voice = reverberant.size + 2048
    assert np.abs(found[tail_of_voice : onset - 1024]).max() == 0.0
    assert np.abs(found[onset - 1024 : onset]).max() < 1e-3


@pytest.mark.parametrize("rate", [8000, 44_100, 48_000])
def test_other_rates(rate):
    voice = dry_voice(8.0, rate)
    reverberant, early = in_room(voice, 0.6, rate, seed=2)
    for method in METHODS:
        found = dereverb(reverberant, rate, method)
        assert si_sdr_db(early, found) > si_sdr_db(early, reverberant) + 0.5


def test_the_stream_is_the_one_shot_function():
    reverberant, _ = in_room(dry_voice(4.0), 0.5)
    audio = reverberant[None].astype(np.float32)
    for kind, method in ((Wpe, "wpe"), (WpeOffline, "wpe_offline")):
        stream = kind(RATE)
        pieces = [stream.process(audio[:, at : at + 160]) for at in range(0, audio.shape[1], 160)]
        streamed = np.concatenate([*pieces, stream.flush()], axis=1)
        np.testing.assert_allclose(streamed, dereverb(audio, RATE, method), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, "no method 'magic'"),
        ({"method": "late", "taps": 3}, "no option 'taps'"),
        ({"taps": 65}, "taps is 65"),
        ({"taps": 1.5}, "taps is 1.5"),
        ({"delay": 0}, "delay is 0"),
        ({"memory_s": 0.1}, "memory_s is 0.1"),
        ({"method": "wpe_offline", "iterations": 0}, "iterations is 0"),
        ({"method": "wpe_offline", "block_s": float("nan")}, "block_s is nan"),
        ({"method": "late", "rt60_s": -1.0}, "rt60_s is -1.0"),
        ({"method": "late", "early_s": 1.0}, "early_s is 1.0"),
        ({"method": "late", "floor_db": 3.0}, "floor_db is 3.0"),
    ],
)
def test_refusals_name_the_value(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        dereverb(np.zeros(1600), RATE, **options)
