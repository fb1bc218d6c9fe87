"""Pops fall, deep voices and everything else come back bit for bit."""

from __future__ import annotations

import numpy as np
import pytest
from band_signals import pop, with_events
from numpy.testing import assert_array_equal
from scipy.signal import butter, sosfiltfilt
from voices_to_spoil import noise, speech_like

from unmuffle.errors import InvalidParameterError
from unmuffle.repair import Deplosive, deplosive


def low_level_db(sound: np.ndarray, rate: int) -> float:
    low = sosfiltfilt(butter(4, 130.0, fs=rate, output="sos"), np.pad(sound, rate // 10))
    return 10.0 * np.log10(np.square(low).mean())


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
@pytest.mark.parametrize(("level_dbfs", "least_fall_db"), [(-4.0, 6.0), (0.0, 7.5)])
def test_pops_fall(rate, level_dbfs, least_fall_db):
    clean = speech_like(rate, 6.0)
    audio, spans = with_events(clean, rate, pop, level_dbfs)
    output = deplosive(audio, rate)
    for span in spans:
        fall = low_level_db((audio - clean)[span], rate) - low_level_db((output - clean)[span], rate)
        assert fall >= least_fall_db


def test_the_level_of_the_recording_does_not_matter():
    clean = speech_like(16000, 6.0)
    audio, _spans = with_events(clean, 16000, pop, -6.0)
    loud, quiet = deplosive(audio, 16000), deplosive(0.03 * audio, 16000) / 0.03
    # Once the voice is known, before which a level of it is assumed.
    assert np.abs(loud - quiet)[24000:].max() < 1e-3


@pytest.mark.parametrize("pitch_hz", [85.0, 100.0, 130.0])
def test_deep_voices_come_back_bit_for_bit(pitch_hz):
    clean = speech_like(16000, 8.0, 3, pitch_hz).astype(np.float32)
    assert_array_equal(deplosive(clean, 16000), clean)


def test_only_the_pop_and_its_surroundings_change():
    audio, spans = with_events(speech_like(16000, 6.0), 16000, pop, -6.0)
    changed = np.flatnonzero(deplosive(audio.astype(np.float32), 16000) != audio.astype(np.float32))
    reach = round(0.06 * 16000)
    assert changed.size
    assert all(any(span.start - reach <= at < span.stop + reach for span in spans) for at in changed[::20])


def test_the_shelf_is_no_deeper_than_told():
    # A tone of 30 Hz that begins at once and is far louder than the voice.
    clean = speech_like(16000, 4.0)
    tone = np.zeros(clean.size)
    tone[32000:34400] = np.sin(2.0 * np.pi * 30.0 * np.arange(2400) / 16000)
    removed = tone + clean - deplosive(clean + tone, 16000, max_reduction_db=6.0)
    assert 0.2 < np.abs(removed).max() <= 1.02 * (1.0 - 10.0 ** (-6.0 / 20.0)) * np.abs(tone + clean).max()


def test_latency_is_that_which_is_used():
    audio, spans = with_events(speech_like(8000, 6.0), 8000, pop, 0.0)
    processor = Deplosive(8000)
    start = spans[1].start // processor.block_period * processor.block_period
    ahead = []
    for at in range(start, start + 320, 31):
        changed = audio.copy()
        changed[at] *= 3.0
        first = int((deplosive(audio, 8000) != deplosive(changed, 8000)).argmax())
        ahead.append(at - first)
    assert processor.latency - processor.block_period < max(ahead) <= processor.latency


def test_rumble_that_stays_is_left_alone():
    time = np.arange(6 * 16000) / 16000
    rumble = (0.3 * np.sin(2.0 * np.pi * 40.0 * time) + 0.01 * noise(16000, 6.0)).astype(np.float32)
    assert_array_equal(deplosive(rumble, 16000)[16000:], rumble[16000:])


def test_linked_channels_keep_their_ratio():
    left, _ = with_events(speech_like(16000, 6.0), 16000, pop, -6.0)
    output = deplosive(np.stack([left, 0.25 * left]), 16000, link_channels=True)
    assert np.abs(output[0] - left).max() > 0.05
    assert np.abs(output[1] - 0.25 * output[0]).max() < 1e-7


@pytest.mark.parametrize("audio", [np.zeros(800), np.full(800, 0.5), np.eye(1, 800)[0]])
def test_other_sounds_are_not_amplified(audio):
    output = deplosive(np.tile(audio, (8, 1)), 8000)
    assert output.shape == (8, 800)
    assert np.abs(output).max() <= 1.3 * np.abs(audio).max()


@pytest.mark.parametrize("options", [{"max_reduction_db": -1.0}, {"max_reduction_db": 50.0}, {"threshold_db": -41.0}])
def test_what_cannot_be_is_refused(options):
    with pytest.raises(InvalidParameterError, match="must be from"):
        Deplosive(16000, **options)
