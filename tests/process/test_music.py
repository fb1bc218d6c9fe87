"""Music and singing pass, speech and noise do not, and the choice does not depend on blocks."""

from __future__ import annotations

import numpy as np
import pytest

from unmuffle.denoise import SpectralProcessor
from unmuffle.denoise.suppressors import LogMmse
from unmuffle.errors import InvalidParameterError
from unmuffle.process import DryWet
from unmuffle.process.music import MusicSparing

RATE = 16_000
SEMITONES = (0, 4, 7, 12, 7, 4, 5, 9, 12, 7, 11, 14)


def notes(seconds: float, rate: int = RATE, tuning: float = 1.0) -> np.ndarray:
    """Chords of two seconds and a melody of half seconds over them, struck and fading, as float32."""
    audio = np.zeros(int(seconds * rate))
    for beat in range(int(2 * seconds)):
        _strike(audio, beat * 0.5, 0.5, 440.0 * tuning * 2.0 ** (SEMITONES[(5 * beat) % 12] / 12), rate)
        if beat % 4 == 0:
            for third in (0, 4, 7):
                root = 130.81 * tuning * 2.0 ** ((third + (0, 5, 7, 2)[beat // 4 % 4]) / 12)
                _strike(audio, beat * 0.5, 2.0, root, rate)
    return (0.2 * audio / np.abs(audio).max()).astype(np.float32)


def _strike(audio: np.ndarray, at_s: float, seconds: float, hz: float, rate: int) -> None:
    place = audio[round(at_s * rate) :][: round(seconds * rate)]
    time = np.arange(place.size) / rate
    for partial in range(1, 9):
        if partial * hz < rate / 2:
            place += np.sin(2 * np.pi * partial * hz * time) * np.exp(-time * partial**0.5 / 0.8) / partial


def sung(seconds: float, rate: int = RATE) -> np.ndarray:
    """Vowels on held notes with vibrato."""
    time = np.arange(int(seconds * rate)) / rate
    step = np.array(SEMITONES)[(time / 0.7).astype(int) % 12]
    pitch = 196.0 * 2.0 ** (step / 12) * (1.0 + 0.004 * np.sin(2 * np.pi * 5.5 * time))
    phase = 2 * np.pi * np.cumsum(pitch) / rate
    audio = np.zeros(time.size)
    for partial in range(1, 14):
        formants = sum(np.exp(-(((partial * pitch - hz) / 250.0) ** 2)) for hz in (500.0, 1500.0, 2500.0))
        audio += (0.1 + formants) * np.sin(partial * phase) / partial
    return (0.2 * audio / np.abs(audio).max()).astype(np.float32)


def spoken(seconds: float, rate: int = RATE, seed: int = 0) -> np.ndarray:
    """Syllables whose pitch falls and rises all the time, with hisses and pauses."""
    random = np.random.default_rng(seed)
    audio = np.zeros(int(seconds * rate))
    at = 0
    while at < audio.size:
        place = audio[at : at + int(random.uniform(0.12, 0.3) * rate)]
        time = np.arange(place.size) / rate
        pitch = random.uniform(100.0, 160.0) * 2.0 ** (random.uniform(-2.0, 2.0) * time)
        phase = 2 * np.pi * np.cumsum(pitch) / rate
        for partial in range(1, 25):
            place += np.sin(partial * phase + random.uniform(0, 6)) / partial * np.hanning(place.size)
        at += place.size
        hiss = audio[at : at + int(random.uniform(0.05, 0.12) * rate)]
        hiss += 0.3 * np.hanning(hiss.size) * random.standard_normal(hiss.size)
        at += hiss.size + int(rate * random.choice([0.0, 0.05, 0.4]))
    return (0.2 * audio / np.abs(audio).max()).astype(np.float32)


def noise(seconds: float, level: float, rate: int = RATE, seed: int = 7) -> np.ndarray:
    return (level * np.random.default_rng(seed).standard_normal(int(seconds * rate))).astype(np.float32)


def hum(seconds: float, rate: int = RATE) -> np.ndarray:
    """What a motor gives: tones that never change, in noise."""
    time = np.arange(int(seconds * rate)) / rate
    tones = sum(np.sin(2 * np.pi * 97.0 * k * time + k) / k for k in range(1, 20))
    return (0.05 * tones).astype(np.float32) + noise(seconds, 0.02, rate)


def mix(channels: int = 1, keep: str | None = "music", strength: float | str = 1.0, **options) -> DryWet:
    return DryWet(SpectralProcessor(LogMmse(), options.pop("rate", RATE), channels, **options), strength, keep=keep)


def run(processor: DryWet, audio: np.ndarray, size: int = 4000) -> np.ndarray:
    blocks = [processor.process(audio[:, at : at + size]) for at in range(0, audio.shape[1], size)]
    return np.concatenate([*blocks, processor.flush()], axis=1)


def spared(audio: np.ndarray, rate: int = RATE) -> float:
    """Share of the time after three seconds in which nothing is done."""
    shares = MusicSparing(rate, 1).shares(audio[None])
    return float(np.mean(shares[:, 3 * rate :] == 0.0))


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_music_is_spared_at_every_rate(rate):
    assert spared(notes(10, rate) + noise(10, 1e-3, rate), rate) > 0.95


@pytest.mark.parametrize("tuning", [0.97, 1.0, 1.02])
def test_any_tuning_is_music(tuning):
    assert spared(notes(10, tuning=tuning)) > 0.95


def test_singing_is_spared():
    assert spared(sung(10) + noise(10, 1e-3)) > 0.9


@pytest.mark.parametrize("level", [1e-4, 1e-3, 1e-2])
def test_speech_is_not_spared(level):
    assert spared(spoken(12) + noise(12, level)) == 0.0


@pytest.mark.parametrize("sound", [noise(10, 0.1), hum(10), np.cumsum(noise(10, 1e-3)).astype(np.float32)])
def test_noise_and_hum_are_not_spared(sound):
    assert spared(sound) == 0.0


@pytest.mark.parametrize("gain", [0.1, 1.0, 1e5])
def test_the_level_does_not_matter(gain):
    audio = notes(8)
    reference = MusicSparing(RATE, 1).shares(audio[None])
    assert np.mean(np.abs(MusicSparing(RATE, 1).shares(np.float32(gain) * audio[None]) - reference)) < 0.05


@pytest.mark.parametrize("strength", [0.7, 1.0, "auto"])
def test_music_passes_bit_for_bit_with_any_strength(strength):
    audio = (notes(8) + noise(8, 1e-3))[None]
    out = run(mix(strength=strength), audio)
    np.testing.assert_array_equal(out[:, 4 * RATE :], audio[:, 4 * RATE :])
    without = run(mix(keep=None, strength=strength), audio)
    assert np.abs(without - audio)[:, 4 * RATE :].max() > 1e-3


def test_speech_gets_the_whole_effect():
    audio = (spoken(8) + noise(8, 0.01))[None]
    np.testing.assert_array_equal(run(mix(), audio), run(mix(keep=None), audio))


def test_what_begins_and_ends_is_followed_within_four_seconds():
    audio = np.concatenate([spoken(6) + noise(6, 0.01), notes(6), spoken(6, seed=1) + noise(6, 0.01)])[None]
    out, full = run(mix(), audio), run(mix(keep=None), audio)
    np.testing.assert_array_equal(out[:, : 6 * RATE], full[:, : 6 * RATE])
    np.testing.assert_array_equal(out[:, 8 * RATE : 12 * RATE - 600], audio[:, 8 * RATE : 12 * RATE - 600])
    np.testing.assert_array_equal(out[:, 16 * RATE :], full[:, 16 * RATE :])


def test_the_share_never_jumps():
    audio = np.concatenate([spoken(5) + noise(5, 0.01), notes(5), spoken(5) + noise(5, 0.01)])[None]
    shares = MusicSparing(RATE, 1).shares(audio)
    assert shares.min() == 0.0
    assert shares.max() == 1.0
    assert np.abs(np.diff(shares)).max() < 1.01 / (0.2 * RATE)


@pytest.mark.parametrize("size", [1, 37, 256, 4001])
def test_the_choice_does_not_depend_on_blocks(size):
    audio = np.concatenate([notes(3), spoken(1)])[None]
    detector = MusicSparing(RATE, 1)
    pieces = [detector.shares(audio[:, at : at + size]) for at in range(0, audio.shape[1], size)]
    np.testing.assert_array_equal(np.concatenate(pieces, axis=1), MusicSparing(RATE, 1).shares(audio))


def test_silence_changes_nothing():
    detector = MusicSparing(RATE, 1)
    assert np.all(detector.shares(np.zeros((1, 5 * RATE), np.float32)) == 1.0)
    detector.shares(notes(5)[None])
    assert np.all(detector.shares(np.zeros((1, 5 * RATE), np.float32))[:, RATE:] == 0.0)


def test_channels_are_on_their_own_unless_linked():
    audio = np.stack([notes(6), spoken(6) + noise(6, 0.01)])
    alone, linked = (MusicSparing(RATE, 2, link_channels=link).shares(audio) for link in (False, True))
    assert np.all(alone[0, 4 * RATE :] == 0.0)
    assert np.all(alone[1] == 1.0)
    assert np.all(linked[:, 4 * RATE :] == 0.0)


def test_a_channel_is_reset_alone():
    audio = np.stack([notes(4), notes(4)])
    detector = MusicSparing(RATE, 2)
    detector.shares(audio)
    detector.reset(np.array([True, False]))
    after = detector.shares(audio)
    np.testing.assert_array_equal(after[0], MusicSparing(RATE, 2).shares(audio)[0])
    assert np.all(after[1, : RATE // 2] == 0.0)


def test_what_cannot_be_kept_is_named():
    with pytest.raises(InvalidParameterError, match="keep is 'birds'; what can be kept besides voices is 'music'"):
        mix(keep="birds")
