"""A voice stays where it is between the loudspeakers, whatever a preset does to it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import csd, welch

import unmuffle
from unmuffle.presets import list_presets

sys.path.insert(0, str(Path(__file__).parents[1] / "measure"))
from measure_signals import noise, speech_like

RATE = 16_000
BANDS_HZ = tuple((centre / 2**0.5, centre * 2**0.5) for centre in (250, 500, 1000, 2000, 4000))
RIGHT_GAIN, RIGHT_LATE = 10.0 ** (-6.0 / 20.0), 4
"""The voice is on the left: 6 dB weaker and a quarter of a millisecond later on the right."""


def stereo_voice(snr_db: float, unlike: bool) -> np.ndarray:
    """A voice on the left in noise, float32 [2, samples]; the noise of the two sides is alike in level, or not."""
    voice = speech_like(RATE, 8.0, seed=1, pitch_hz=130.0)
    delayed = np.concatenate([np.zeros(RIGHT_LATE), voice[:-RIGHT_LATE]])
    level = np.sqrt(np.square(voice).mean()) * 10.0 ** (-snr_db / 20.0)
    hiss = np.stack([noise(RATE, 8.0, seed) / np.std(noise(RATE, 8.0, seed)) for seed in (1, 2)])
    hiss[1] *= 0.3 if unlike else 1.0
    return (np.stack([voice, RIGHT_GAIN * delayed]) + level * hiss).astype(np.float32)


def image(audio: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Level of left over right in dB and phase between them in degrees, for each band, by the parts in common."""
    left, right = audio[:, RATE:]
    hz, cross = csd(left, right, RATE, nperseg=512)
    _, power = welch(left, RATE, nperseg=512)
    levels_db, phases = [], []
    for low_hz, high_hz in BANDS_HZ:
        band = (hz >= low_hz) & (hz < high_hz)
        # Turned back by the delay, so that a band sums up in phase.
        in_common = np.sum(cross[band] * np.exp(2j * np.pi * hz[band] * RIGHT_LATE / RATE))
        levels_db.append(20.0 * np.log10(power[band].sum() / np.abs(in_common)))
        phases.append(np.degrees(np.angle(in_common)))
    return np.array(levels_db), np.array(phases)


@pytest.mark.parametrize("unlike", [False, True], ids=["noise alike", "noise on one side"])
@pytest.mark.parametrize("preset", [preset.name for preset in list_presets()])
def test_level_and_phase_between_the_channels_stay(preset, unlike):
    audio = stereo_voice(30.0, unlike)
    after = unmuffle.Enhancer(preset=preset).enhance(audio, RATE)
    # Against the voice itself, as less noise is nearer to it.
    levels_db, phases = image(after)
    wanted_db, wanted_phases = image(stereo_voice(200.0, unlike=False))
    np.testing.assert_allclose(levels_db, wanted_db, atol=0.5)
    np.testing.assert_allclose(phases, wanted_phases, atol=5.0)


def test_the_measure_sees_a_voice_that_moved():
    audio = stereo_voice(30.0, unlike=False)
    wanted_db, wanted_phases = image(audio)
    levels_db, _ = image(audio * np.array([[1.0], [1.2]]))
    assert np.abs(levels_db - wanted_db).min() > 1.0
    _, phases = image(np.stack([audio[0], np.roll(audio[1], 3)]))
    assert np.abs(phases - wanted_phases).max() > 20.0


def test_the_hearing_of_two_ears_is_the_exception():
    audio = stereo_voice(30.0, unlike=False)
    chain = "hearing:audiogram=250:0,1000:0,4000:0|250:40,1000:50,4000:60"
    levels_db, _ = image(unmuffle.Enhancer(chain=chain).enhance(audio, RATE))
    assert np.ptp(levels_db) > 3.0
