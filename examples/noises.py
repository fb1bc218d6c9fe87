"""Everyday background noises, made by rule: rain, a fan, a keyboard, hiss, mains hum, a street, music, babble.

Every generator takes a length in seconds, a sample rate and a random generator, and returns mono float32
noise of shape `[n]` whose RMS is `LEVEL_DBFS`, so that plain gains weigh noises against each other. The same
state of the random generator gives the same noise. Drops and key strokes may exceed full scale: scale the
mixture, not the noise. Babble needs eSpeak NG.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from speech import speak

LEVEL_DBFS = -20.0

MAINS_HZ = 50.0
# Rectifiers and motors repeat every half cycle, so the even harmonics of the mains are the strong ones.
HUM_AMPLITUDES = (0.45, 1.0, 0.2, 0.5, 0.12, 0.3, 0.08, 0.2, 0.05, 0.12)

BABBLE_VOICES = ("en-us+m1", "en-gb+f3", "en-us+m7", "en-gb+f5", "en-us+f2", "en-gb+m5", "en-us+f1", "en-gb+m2")
BABBLE_TEXTS = (
    "The last train had already gone when we came to the station, so we walked along the river.",
    "Would you rather have the soup, or shall we share a plate of something before the main course?",
    "My brother keeps bees on the roof, and last summer they filled eleven jars with honey.",
    "They moved the meeting to Thursday, then to Friday, and in the end nobody knew where to go.",
    "It depends on the weather, on the road, and on how many people want to come along.",
    "She told me that the house by the lake was sold, with all the furniture and the piano.",
    "You have to turn the key twice and lift the handle, otherwise the door will never open.",
    "I have seen that film three times now, and I still do not understand how it ends.",
)
"""A text for each voice."""

# Chords of a slow piece, as semitones above 110 Hz: A minor, F, C, G.
MUSIC_CHORDS = ((0, 12, 15, 19), (-4, 8, 12, 15), (3, 15, 19, 22), (-2, 10, 14, 17))
MUSIC_BEAT_S = 0.5


def rain(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Rain on a window sill: a wide hiss that swells and fades, and drops that ring for milliseconds."""
    n = round(seconds * sample_rate)
    frequencies = np.fft.rfftfreq(n, 1 / sample_rate)
    # Rain has little below 300 Hz, is flat up to some kHz and falls gently above.
    tilt = (frequencies / 300) ** 2 / (1 + (frequencies / 300) ** 2) / np.sqrt(1 + (frequencies / 5000) ** 2)
    bed = _at_rms(_shaped_noise(tilt, n, rng), 1.0)
    bed *= 10 ** (1.5 * _drift(n, sample_rate, rng, every_s=1.5) / 20)

    drops = np.zeros(n)
    for _ in range(rng.poisson(120 * seconds)):
        # Log-normal strengths: many faint drops, a few close ones.
        _add(drops, int(rng.integers(n)), rng.lognormal(0.0, 0.8) * _drop(sample_rate, rng))
    return _finished(bed + _at_rms(drops, 0.6))


def fan(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Desk fan: rushing air and the hum of its motor (50 Hz mains), both throbbing as the blades pass."""
    n = round(seconds * sample_rate)
    frequencies = np.fft.rfftfreq(n, 1 / sample_rate)
    # Turbulent air: nothing below the first tens of hertz, then a steady fall towards the treble.
    tilt = (frequencies / 60) ** 2 / (1 + (frequencies / 60) ** 2) / (1 + frequencies / 250) ** 0.9
    air = _at_rms(_shaped_noise(tilt, n, rng), 1.0)

    mains_phase = _phase(MAINS_HZ * (1 + 2e-4 * _drift(n, sample_rate, rng, every_s=3.0)), sample_rate)
    hum = np.zeros(n)
    for harmonic, amplitude in enumerate(HUM_AMPLITUDES, start=1):
        if harmonic * MAINS_HZ < sample_rate / 2:
            hum += amplitude * np.sin(harmonic * mains_phase + rng.uniform(0, 2 * np.pi))

    blades_hz = 3 * rng.uniform(9.0, 12.0)
    blades = np.sin(_phase(blades_hz * (1 + 5e-3 * _drift(n, sample_rate, rng, every_s=2.0)), sample_rate))
    return _finished(air * (1 + 0.4 * blades) + _at_rms(hum, 0.8) * (1 + 0.15 * blades))


def keyboard(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Typing: words of irregular strokes, pauses for thought, each stroke a press and a softer release."""
    n = round(seconds * sample_rate)
    strokes = np.zeros(n)
    for time_s in _stroke_times(seconds, rng):
        strength = rng.lognormal(0.0, 0.35)
        release_s = time_s + rng.uniform(0.06, 0.11)
        _add(strokes, round(time_s * sample_rate), strength * _click(sample_rate, rng))
        _add(strokes, round(release_s * sample_rate), 0.35 * strength * _click(sample_rate, rng))
    return _finished(strokes)


def hiss(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Hiss of a poor preamplifier: steady noise that rises gently towards the treble."""
    n = round(seconds * sample_rate)
    frequencies = np.fft.rfftfreq(n, 1 / sample_rate)
    return _finished(_shaped_noise(np.sqrt(1 + (frequencies / 2000) ** 2), n, rng))


def hum(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Hum of a bad cable: 50 Hz and its harmonics up to 1.5 kHz, the even ones stronger, with a little hiss."""
    n = round(seconds * sample_rate)
    phase = _phase(MAINS_HZ * (1 + 2e-4 * _drift(n, sample_rate, rng, every_s=3.0)), sample_rate)
    buzz = np.zeros(n)
    for harmonic in range(1, 31):
        strength = (1.0 if harmonic % 2 == 0 else 0.5) / harmonic**0.7
        buzz += strength * np.sin(harmonic * phase + rng.uniform(0, 2 * np.pi))
    return _finished(_at_rms(buzz, 1.0) + 0.03 * rng.standard_normal(n))


def street(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Street: the rumble of distant traffic, and cars that come, hiss by on their tyres, and go."""
    n = round(seconds * sample_rate)
    frequencies = np.fft.rfftfreq(n, 1 / sample_rate)
    rumble = _shaped_noise(1 / (1 + (frequencies / 120) ** 1.3), n, rng)
    track = _at_rms(rumble, 1.0) * 10 ** (2.0 * _drift(n, sample_rate, rng, every_s=1.0) / 20)
    time_s = np.arange(n) / sample_rate
    tilt = (frequencies / 200) ** 2 / (1 + (frequencies / 200) ** 2) / (1 + (frequencies / 1200) ** 2) ** 0.6
    at_s = rng.uniform(0.0, 1.5)
    while at_s < seconds:
        distance = ((time_s - at_s) / rng.uniform(0.3, 0.7)) ** 2
        track += rng.uniform(1.0, 2.0) / (1 + distance) * _at_rms(_shaped_noise(tilt, n, rng), 1.0)
        at_s += rng.uniform(1.0, 2.5)
    return _finished(track)


def music(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Music from the next room: plucked chords over a bass, and a brushed beat."""
    n = round(seconds * sample_rate)
    track = np.zeros(n)
    first = int(rng.integers(len(MUSIC_CHORDS)))
    for beat in range(int(seconds / MUSIC_BEAT_S) + 1):
        start = round(beat * MUSIC_BEAT_S * sample_rate)
        bass, *others = MUSIC_CHORDS[(first + beat // 4) % len(MUSIC_CHORDS)]
        if beat % 4 == 0:
            _add(track, start, 1.2 * _pluck(110 * 2 ** (bass / 12), 1.6, sample_rate))
        semitone = others[rng.integers(len(others))]
        _add(track, start, rng.uniform(0.6, 1.0) * _pluck(220 * 2 ** (semitone / 12), 0.7, sample_rate))
        brush = rng.standard_normal(round(0.12 * sample_rate))
        _add(track, start, 0.1 * brush * np.exp(-np.arange(brush.size) / (0.03 * sample_rate)))
    return _finished(track)


def babble(seconds: float, sample_rate: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Eight people talking at once, each of another level and somewhere in a text."""
    n = round(seconds * sample_rate)
    track = np.zeros(n)
    for voice, text in zip(BABBLE_VOICES, BABBLE_TEXTS, strict=True):
        spoken = speak(text, voice, sample_rate).astype(np.float64)
        around = np.resize(np.roll(spoken, -int(rng.integers(spoken.size))), n)
        track += _at_rms(around, 10 ** (rng.uniform(-4.0, 0.0) / 20))
    return _finished(track)


def _pluck(frequency_hz: float, decay_s: float, sample_rate: int) -> NDArray[np.float64]:
    """One plucked string: harmonics that die the faster the higher they are."""
    time_s = np.arange(round(3 * decay_s * sample_rate)) / sample_rate
    note = np.zeros(time_s.size)
    for harmonic in range(1, 13):
        if harmonic * frequency_hz < sample_rate / 2:
            decay = np.exp(-time_s * (1 + 0.5 * harmonic) / decay_s)
            note += np.sin(2 * np.pi * harmonic * frequency_hz * time_s) * decay / harmonic**1.2
    return note


def _stroke_times(seconds: float, rng: np.random.Generator) -> Iterator[float]:
    time_s = rng.uniform(0.0, 0.1)
    while True:
        for _ in range(rng.integers(3, 9)):
            if time_s >= seconds:
                return
            yield time_s
            time_s += rng.gamma(6.0, 0.14 / 6.0)
        time_s += rng.uniform(0.1, 0.9)


def _drop(sample_rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """One drop: the ringing of the bubble that it leaves."""
    decay_s = rng.uniform(0.5e-3, 3e-3)
    time_s = np.arange(round(6 * decay_s * sample_rate)) / sample_rate
    frequency_hz = np.exp(rng.uniform(np.log(1200), np.log(9000)))
    return np.sin(2 * np.pi * frequency_hz * time_s) * np.exp(-time_s / decay_s)


def _click(sample_rate: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """One key hitting its stop: a tick, a few resonances of the key cap and case, and a thump of the desk."""
    time_s = np.arange(round(0.06 * sample_rate)) / sample_rate
    click = 0.8 * rng.standard_normal(time_s.size) * np.exp(-time_s / 0.7e-3)
    for _ in range(5):
        frequency_hz = np.exp(rng.uniform(np.log(900), np.log(7000)))
        decay_s = rng.uniform(2e-3, 7e-3)
        click += rng.uniform(0.3, 1.0) * np.sin(2 * np.pi * frequency_hz * time_s) * np.exp(-time_s / decay_s)
    thump_hz = rng.uniform(130, 240)
    return click + 0.8 * np.sin(2 * np.pi * thump_hz * time_s) * np.exp(-time_s / 12e-3)


def _shaped_noise(magnitudes: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Gaussian noise of `n` samples with the given magnitudes at its `n // 2 + 1` frequencies."""
    return np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * magnitudes, n)


def _drift(n: int, sample_rate: int, rng: np.random.Generator, every_s: float) -> NDArray[np.float64]:
    """Slow, smooth random curve of unit spread that takes a new value every `every_s` seconds."""
    knots_s = every_s * np.arange(int(n / sample_rate / every_s) + 3)
    return CubicSpline(knots_s, rng.standard_normal(knots_s.size))(np.arange(n) / sample_rate)


def _phase(frequency_hz: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    return 2 * np.pi * np.cumsum(frequency_hz) / sample_rate


def _add(track: NDArray[np.float64], start: int, grain: NDArray[np.float64]) -> None:
    """Add a grain to the track in place; what would lie behind the track's end is dropped."""
    free = track[start : start + grain.size]
    free += grain[: free.size]


def _at_rms(signal: NDArray[np.float64], rms: float) -> NDArray[np.float64]:
    now = np.sqrt(np.mean(signal**2))
    return signal * (rms / now) if now > 0 else signal


def _finished(signal: NDArray[np.float64]) -> NDArray[np.float32]:
    return _at_rms(signal, 10 ** (LEVEL_DBFS / 20)).astype(np.float32)
