"""Make the evaluation clips: a dozen conditions of noisy speech, each with its clean reference.

Writes `noisy/`, `clean/` (FLAC, 16 bit) and `pairs.csv`, as `unmuffle evaluate --data` reads them. In a room, the
reference holds the direct sound and the first 50 ms. The same eSpeak NG gives the same bytes.

    python examples/make_evaluation_clips.py --out tests/quality/clips
"""

from __future__ import annotations

import argparse
import csv
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.signal import fftconvolve

import noises
from room import early_part, room_response
from speech import require_espeak, speak
from unmuffle.level import active_level_db
from unmuffle.measure.evaluation.audio_files import write_flac
from unmuffle.measure.evaluation.mixing import mix_at_snr

LEAD_IN_S = 0.5
PAUSE_S = 0.3
VOICE_DBFS = -26.0
STEREO_GAINS = (1.0, 0.6)
HIGHEST_PEAK = 0.99


@dataclass(frozen=True)
class Condition:
    """One clip: who says what, in which noise, and how it is recorded."""

    name: str
    voice: str
    text: str
    noise: str | None = None
    snr_db: float | None = None
    sample_rate: int = 16_000
    channels: int = 1
    rt60_s: float = 0.0
    level_dbfs: float = VOICE_DBFS


CONDITIONS = (
    Condition("hiss", "en-us+f2", "The report is on your desk, next to the telephone.", "hiss", 5.0),
    Condition("fan", "en-us+m3", "Please call me back before noon if you can.", "fan", 0.0),
    Condition("rain", "en-gb+f4", "We left the windows open, and the carpet is wet.", "rain", 5.0),
    Condition("keyboard", "en-us+Annie", "Somebody has to write all of this down, I suppose.", "keyboard", 5.0),
    Condition("street", "en-gb+m4", "Take the second road on the left, behind the church.", "street", 0.0),
    Condition("babble", "en-us+m7", "I can hardly hear what you say in this place.", "babble", 5.0),
    Condition("music", "en-gb+f3", "Turn it down a little, they are trying to sleep.", "music", 5.0, 48_000),
    Condition("hum", "en-us+m1", "There is something wrong with this microphone.", "hum", 0.0, 44_100),
    Condition("mild_hiss", "en-us+f4", "Six of the nine boxes have arrived so far.", "hiss", 15.0, 48_000),
    Condition("telephone", "en-us+m5", "You have reached the office, we are closed today.", "street", 10.0, 8_000),
    Condition("room", "en-gb+m2", "Welcome to the third lecture on sound.", "fan", 10.0, rt60_s=0.5),
    Condition("stereo", "en-us+f5", "On your right you can see the old harbour.", "rain", 5.0, 48_000, channels=2),
    Condition("quiet", "en-us+m6", "Nobody is supposed to know that we are here.", "hiss", 10.0, level_dbfs=-50.0),
    Condition("clean", "en-gb+f2", "This recording has no noise in it at all.", None, None),
    Condition("clean_wide", "en-us+Annie", "Nothing needs to be done here, so please do nothing.", None, None, 48_000),
)
COLUMNS = ("id", "rate", "channels", "snr_db", "noise", "rt60_s", "talker", "level_dbfs", "text")


def main() -> None:
    """Read the command line and write all clips."""
    parser = argparse.ArgumentParser(description="Make the evaluation clips.")
    parser.add_argument("--out", type=Path, required=True, help="folder to write into")
    folder = parser.parse_args().out
    require_espeak()
    for condition in CONDITIONS:
        clean, noisy = make_clip(condition)
        for role, audio in (("clean", clean), ("noisy", noisy)):
            write_flac(folder / role / f"{condition.name}.flac", audio, condition.sample_rate)
        print(f"{condition.name}: {clean.shape[1] / condition.sample_rate:.1f} s")
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        table.writerows(_row(condition) for condition in CONDITIONS)


def make_clip(condition: Condition) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the clean and the noisy clip, both of shape `[channels, n]`."""
    # Named by its own name, a clip stays the same when others are added.
    voice_rng, noise_rng = np.random.default_rng(zlib.crc32(condition.name.encode())).spawn(2)
    clean, full = _in_room(_spoken(condition), condition, voice_rng)
    gain = 10 ** ((condition.level_dbfs - active_level_db(clean, condition.sample_rate)) / 20)
    clean, full = np.float32(gain) * clean, np.float32(gain) * full
    noisy = full
    if condition.noise is not None and condition.snr_db is not None:
        make = getattr(noises, condition.noise)
        seconds = clean.shape[1] / condition.sample_rate
        noise = np.stack([make(seconds, condition.sample_rate, noise_rng) for _ in range(condition.channels)])
        noisy = mix_at_snr(clean, noise, condition.snr_db, condition.sample_rate) + (full - clean)
    held = np.float32(min(1.0, HIGHEST_PEAK / np.abs(noisy).max()))
    return held * clean, held * noisy


def _spoken(condition: Condition) -> NDArray[np.float32]:
    """Return the sentence with noise alone before and a pause after it, `[channels, n]`."""
    voice = speak(condition.text, condition.voice, condition.sample_rate)
    before, after = (round(seconds * condition.sample_rate) for seconds in (LEAD_IN_S, PAUSE_S))
    dry = np.pad(voice, (before, after))
    gains = STEREO_GAINS[: condition.channels] if condition.channels > 1 else (1.0,)
    return np.outer(np.float32(gains), dry).astype(np.float32)


def _in_room(
    dry: NDArray[np.float32], condition: Condition, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the voice with early reflections only, and with all."""
    if condition.rt60_s == 0:
        return dry, dry
    response = room_response(condition.rt60_s, condition.sample_rate, rng)
    clean, full = (
        np.stack([fftconvolve(channel, part)[: dry.shape[1]] for channel in dry]).astype(np.float32)
        for part in (early_part(response, condition.sample_rate), response)
    )
    return clean, full


def _row(condition: Condition) -> tuple[object, ...]:
    return (
        condition.name,
        condition.sample_rate,
        condition.channels,
        "" if condition.snr_db is None else condition.snr_db,
        condition.noise or "none",
        condition.rt60_s,
        condition.voice,
        condition.level_dbfs,
        condition.text,
    )


if __name__ == "__main__":
    main()
