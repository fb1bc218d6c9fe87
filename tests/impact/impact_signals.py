"""Clips, noise, enhancers and a recogniser of which it is known how many words come out wrong.

A clip is a tone at 1 kHz, noise one at 3 kHz, and the damage of an enhancer one at 2 kHz. The recogniser hears how
strong they are and gets ten words of twenty wrong for each unit of noise or damage power to voice power, rounded.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer

RATE = 16_000
VOICE_HZ, DAMAGE_HZ, NOISE_HZ = 1_000.0, 2_000.0, 3_000.0
SECONDS = 0.5
WORDS = ["yes"] * 20
TEXT = " ".join(WORDS)
CLIPS = 12


def tone(hz: float, amplitude: float, phase: float = 0.0) -> np.ndarray:
    return amplitude * np.sin(2.0 * np.pi * hz * np.arange(round(RATE * SECONDS)) / RATE + phase)


def power_at(audio: np.ndarray, hz: float) -> float:
    turned = np.exp(-2j * np.pi * hz * np.arange(audio.size) / RATE)
    return float(np.abs(audio @ turned / audio.size) ** 2)


def words_wrong(audio: np.ndarray) -> int:
    voice = power_at(audio, VOICE_HZ)
    bad = power_at(audio, NOISE_HZ) + power_at(audio, DAMAGE_HZ)
    return min(20, round(10.0 * bad / voice))


def listen(audio: np.ndarray, rate: int) -> str:
    assert (rate, audio.ndim) == (RATE, 1)
    wrong = words_wrong(audio)
    return " ".join(["no"] * wrong + WORDS[wrong:])


def portrait(audio: np.ndarray, rate: int) -> np.ndarray:
    return np.sqrt([power_at(audio, hz) for hz in (VOICE_HZ, DAMAGE_HZ, NOISE_HZ)])


def without(audio: np.ndarray, hz: float) -> np.ndarray:
    """Take a tone out exactly."""
    time = np.arange(audio.shape[1]) / RATE
    share = audio @ np.exp(-2j * np.pi * hz * time) / time.size
    return audio - 2.0 * np.real(share[:, None] * np.exp(2j * np.pi * hz * time))


def _clear(audio, rate):
    return without(audio, NOISE_HZ).astype(np.float32)


def _clear_but_damaged(audio, rate):
    """Noise goes, and as much damage comes: half of each is the least of both together."""
    noise = np.sqrt(power_at(audio[0], NOISE_HZ))
    return (without(audio, NOISE_HZ) + tone(DAMAGE_HZ, 2.0 * noise)).astype(np.float32)


def _only_damaged(audio, rate):
    return (audio + tone(DAMAGE_HZ, 0.2)).astype(np.float32)


def _same(audio, rate):
    return audio


def _broken(audio, rate):
    raise RuntimeError("out of order")


CLEARER = ClipEnhancer("clearer", _clear)
DAMAGING = ClipEnhancer("damaging", _clear_but_damaged)
BREAKING = ClipEnhancer("breaking", _only_damaged)
IDLE = ClipEnhancer("idle", _same)
BROKEN = ClipEnhancer("broken", _broken)


def write_clips(folder: Path, count: int = CLIPS) -> tuple[Path, Path]:
    """Write clips with their list, and a noise; return the list and the noise's folder."""
    (folder / "speech").mkdir(parents=True)
    (folder / "noise").mkdir()
    lines = ["file,text,talker"]
    for number in range(count):
        name = f"c{number:02d}.wav"
        soundfile.write(folder / "speech" / name, tone(VOICE_HZ, 0.2 + 0.01 * number, number), RATE, "FLOAT")
        lines.append(f"{name},{TEXT},t{number % 3}")
    (folder / "speech" / "list.csv").write_text("\n".join(lines) + "\n")
    long = np.concatenate([tone(NOISE_HZ, 0.3)] * 6)
    soundfile.write(folder / "noise" / "whistle.wav", long, RATE, "FLOAT")
    return folder / "speech" / "list.csv", folder / "noise"
