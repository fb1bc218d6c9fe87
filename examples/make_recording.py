"""Make the example recording: two talkers in a small room, with rain, a fan and somebody typing.

Writes `noisy.flac` and `clean.flac`, 48 kHz, 16 bit, mono. The clean file holds the direct voices and their
early reflections (50 ms), sample for sample and at the level at which they lie in the noisy one; the noisy
file adds the rest of the room and the noise. The same seed and the same eSpeak NG give the same bytes.

    python examples/make_recording.py --out examples --seed 7
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import fftconvolve

from noises import fan, keyboard, rain
from room import early_part, room_response
from speech import require_espeak, speak
from unmuffle.level import active_level_db
from unmuffle.measure.evaluation.mixing import mix_at_snr

SAMPLE_RATE = 48_000
SNR_DB = 5.0
PEAK_DBFS = -3.0
RT60_S = 0.25
VOICE_DBFS = -20.0
LEAD_IN_S = 1.1

HOST = "en-us+m3"
GUEST = "en-us+Annie"


class Sentence(NamedTuple):
    """What is said by whom, and the pause that follows."""

    voice: str
    text: str
    pause_s: float


SCRIPT = (
    Sentence(HOST, "Good morning, and welcome back to the show.", 0.6),
    Sentence(GUEST, "It is raining, the fan is on, and somebody keeps typing.", 0.55),
    Sentence(HOST, "So nobody can hear a word we say?", 0.6),
    Sentence(GUEST, "They can now.", 0.5),
    Sentence(GUEST, "One command, and only our voices are left.", 0.6),
    Sentence(HOST, "Then let us begin.", 1.0),
)


def main() -> None:
    """Read the command line and write both files."""
    parser = argparse.ArgumentParser(description="Make the noisy example recording and its clean version.")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write into")
    parser.add_argument("--seed", type=int, default=7, help="another seed, another room and another noise")
    arguments = parser.parse_args()

    require_espeak()
    clean, noisy = make_recording(arguments.seed)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, audio in (("clean.flac", clean), ("noisy.flac", noisy)):
        write_flac(arguments.out / name, audio)
        print(f"{arguments.out / name}: {audio.size / SAMPLE_RATE:.1f} s")


def make_recording(seed: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the clean and the noisy recording, both of shape `[n]`."""
    room_rng, rain_rng, fan_rng, keyboard_rng = np.random.default_rng(seed).spawn(4)
    clean, in_room = in_the_room(lay_out(SCRIPT), room_rng)

    seconds = clean.size / SAMPLE_RATE
    typing = keyboard(seconds, SAMPLE_RATE, keyboard_rng)
    noise = rain(seconds, SAMPLE_RATE, rain_rng) + fan(seconds, SAMPLE_RATE, fan_rng) + 0.7 * typing
    noisy = mix_at_snr(clean, noise, SNR_DB, SAMPLE_RATE) + (in_room - clean)

    gain = np.float32(10 ** (PEAK_DBFS / 20) / np.abs(noisy).max())
    return gain * clean, gain * noisy


def lay_out(script: tuple[Sentence, ...]) -> dict[str, NDArray[np.float32]]:
    """Speak the script: one dry track of shape `[n]` a voice, all of one length and one active level."""
    spoken = [speak(sentence.text, sentence.voice, SAMPLE_RATE) for sentence in script]
    pauses = [round(sentence.pause_s * SAMPLE_RATE) for sentence in script]
    ends = round(LEAD_IN_S * SAMPLE_RATE) + np.cumsum([part.size for part in spoken]) + np.cumsum(pauses)

    tracks = {sentence.voice: np.zeros(ends[-1], np.float32) for sentence in script}
    for sentence, part, pause, end in zip(script, spoken, pauses, ends, strict=True):
        tracks[sentence.voice][end - pause - part.size : end - pause] = part
    for track in tracks.values():
        track *= 10 ** ((VOICE_DBFS - active_level_db(track, SAMPLE_RATE)) / 20)
    return tracks


def in_the_room(
    tracks: dict[str, NDArray[np.float32]], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Play each voice at its own place in the room; sum them with early reflections only, and with all."""
    clean, full = [], []
    for track in tracks.values():
        response = room_response(RT60_S, SAMPLE_RATE, rng)
        clean.append(fftconvolve(track, early_part(response, SAMPLE_RATE))[: track.size])
        full.append(fftconvolve(track, response)[: track.size])
    return sum(clean), sum(full)


def write_flac(path: Path, audio: NDArray[np.float32]) -> None:
    """Write 16-bit FLAC, so that `path` holds the whole file or what it held before."""
    unfinished = path.with_name(path.name + ".part")
    samples = np.rint(audio * 32767).astype(np.int16)
    soundfile.write(unfinished, samples, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
    unfinished.replace(path)


if __name__ == "__main__":
    main()
