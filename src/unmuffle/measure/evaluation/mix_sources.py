"""What is cut from recordings to be mixed: stretches of speech and of noise, and the response of a room."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unmuffle.enhancer.noise_sample import read_span
from unmuffle.errors import AudioFileError, InvalidAudioError
from unmuffle.measure.evaluation.clips import read_audio
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import open_reader, probe
from unmuffle.signal.resample import resample

EARLY_S = 0.05
"""The ear takes what comes within this time after the direct sound as one with it."""

_BEFORE_DIRECT_S = 0.001
_CROSSFADE_S = 0.05
_FADE_S = 0.01
_LONGEST_RESPONSE_S = 10.0


def read_stretch(path: Path, start_s: float, seconds: float, sample_rate: int) -> FloatArray:
    """Return a stretch of a file, float32 [samples]: the mean of its channels, shorter where the file ends."""
    with open_reader(path) as reader:
        found = read_span(reader, start_s, start_s + seconds)
        rate = reader.info.sample_rate
    if found.shape[1] == 0:
        raise AudioFileError(f"{path} ends before {start_s:.2f} s")
    if not np.isfinite(found).all():
        raise AudioFileError(f"{path} holds NaN or infinity: it is of no use for mixing")
    return resample(found.mean(axis=0), rate, sample_rate)[0]


def length_s(path: Path) -> float:
    """Return the length of a file in seconds; where its head does not tell, it is read."""
    told = probe(path).seconds
    if told is not None:
        return told
    with open_reader(path) as reader:
        return sum(block.shape[1] for block in reader.blocks()) / reader.info.sample_rate


def looped(noise: FloatArray, samples: int, start: int, sample_rate: int) -> FloatArray:
    """Return so many samples of noise [samples] from a start on, its end crossfaded into its beginning where needed.

    The crossfade is one of equal power: the two are not alike.
    """
    if start + samples <= noise.size:
        return noise[start : start + samples]
    fade = min(round(_CROSSFADE_S * sample_rate), noise.size // 4)
    turn = np.linspace(0.0, np.pi / 2.0, fade + 2)[1:-1]
    period = noise.size - fade
    loop = noise[:period].copy()
    loop[:fade] = np.sin(turn) * noise[:fade] + np.cos(turn) * noise[period:]
    return loop[(start + np.arange(samples)) % period]


def fade_ends(sound: FloatArray, sample_rate: int) -> FloatArray:
    """Return a stretch [samples] that begins and ends without a click."""
    fade = min(round(_FADE_S * sample_rate), sound.size // 2)
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    faded = sound.copy()
    faded[:fade] *= ramp
    faded[sound.size - fade :] *= ramp[::-1]
    return faded


def read_response(path: Path, channel: int, sample_rate: int) -> FloatArray:
    """Return the response of a room, float32 [samples], from 1 ms before its direct sound on.

    Parameters
    ----------
    path : Path
        At most 10 s of it are used.
    channel : int
        Of the file.
    sample_rate : int
        In Hz, that of the result.
    """
    response, rate = read_audio(path)
    chosen = resample(response[channel, : round(_LONGEST_RESPONSE_S * rate)], rate, sample_rate)[0]
    if not np.isfinite(chosen).all() or not chosen.any():
        raise InvalidAudioError(f"{path} is no response of a room: it is silent, or holds NaN or infinity")
    return chosen[max(0, direct_sound(chosen) - round(_BEFORE_DIRECT_S * sample_rate)) :]


def direct_sound(response: FloatArray) -> int:
    """Return where the direct sound is: the first sample of at least half the largest magnitude."""
    magnitude = np.abs(response)
    return int(np.argmax(magnitude >= 0.5 * magnitude.max()))


def early_part(response: FloatArray, sample_rate: int) -> FloatArray:
    """Return the direct sound and the reflections of the 50 ms after it."""
    return response[: direct_sound(response) + round(EARLY_S * sample_rate)]


def reverberation_time_s(response: FloatArray, sample_rate: int) -> float:
    """Return RT60 of a response [samples]: three times the fall from -5 to -25 dB of its energy (ISO 3382, T20)."""
    left = np.cumsum(np.square(response[::-1], dtype=np.float64))[::-1]
    decay_db = 10.0 * np.log10(np.maximum(left / left[0], 1e-12))
    return float(3.0 * (np.argmax(decay_db < -25.0) - np.argmax(decay_db < -5.0)) / sample_rate)
