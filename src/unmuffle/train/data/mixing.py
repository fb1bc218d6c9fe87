"""Mixing on the fly: each item of a batch is a pure function of the seed and its number.

So any process can make any item, a resumed run meets the items it would have met, and nothing is written to disk.
An item is a talker, perhaps in a room, among noises at a signal-to-noise ratio by active level (ITU-T P.56), through a
microphone and a line. The target is the talker with the first 50 ms of the room, through the same microphone and band.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unmuffle.errors import AudioFileError
from unmuffle.level.active_level import active_level_db
from unmuffle.signal.resample import resample
from unmuffle.train.data.catalogue import TRAIN
from unmuffle.train.data.codecs import check_codecs
from unmuffle.train.data.decoding import PEAK
from unmuffle.train.data.filters import (
    SILENT,
    Clip,
    apply_gain,
    coloured_noise,
    early_part,
    in_room,
    random_colour,
    rms,
)
from unmuffle.train.data.keyboard import typing_noise
from unmuffle.train.data.line import recorded, through_microphone
from unmuffle.train.data.settings import MixSettings
from unmuffle.train.data.shards import Shard, load_table, open_shard
from unmuffle.train.data.wind import wind_noise

FRAME_S = 0.02
LEAST_ACTIVE = 0.35
REDRAWS = 4


class Mixer:
    """Makes items at one rate.

    Parameters
    ----------
    folder : Path
        Packed corpora.
    rate : int
        16,000 or 48,000 Hz.
    settings : MixSettings
        Chances and ranges.
    seconds : float
        Length of an item.
    split : str, default "train"
        Or ``validation``.

    Raises
    ------
    AudioFileError
        If the folder has no speech, or speech of one talker only, or no noise, or no music though the settings want
        some, for the split.
    InvalidParameterError
        If the settings name a codec that does not exist.
    """

    def __init__(self, folder: Path, rate: int, settings: MixSettings, seconds: float, split: str = TRAIN) -> None:
        table = load_table(folder)
        self.rate, self.settings, self.samples = rate, settings, round(seconds * rate)
        self.speech = open_shard(folder, table, "speech", rate, split)
        self.noise = open_shard(folder, table, "noise", rate, split)
        # Only where it is asked for: packed corpora may have none.
        self.music = open_shard(folder, table, "music", rate, split) if settings.music_share else None
        has_rooms = bool(table["kinds"].get("room"))
        self.rooms: Shard | None = open_shard(folder, table, "room", rate, TRAIN) if has_rooms else None
        if len(set(self.speech.groups.tolist())) < 2:
            raise AudioFileError(f"{folder} holds one talker only at {rate} Hz for {split}: babble needs two or more")
        if settings.codec_share:
            check_codecs(settings.codecs)

    def batch(self, seed: tuple[int, ...], clips: range) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return noisy and target clips, each float32 [len(clips), samples]; ``clips`` numbers them in the batch."""
        items = [self.item(np.random.default_rng([*seed, clip])) for clip in clips]
        noisy, target = zip(*items, strict=True)
        return np.stack(noisy), np.stack(target)

    def item(self, random: np.random.Generator) -> tuple[Clip, Clip]:
        """Return one noisy clip and its target, float32 [samples] each."""
        kind, now = random.random(), self.settings
        with_noise = kind >= now.clean_share
        with_speech = kind < 1 - now.noise_share
        heard, target = self._voice(random) if with_speech else (np.zeros(self.samples, np.float32),) * 2
        level_db = active_level_db(heard, self.rate) if np.abs(heard).max() > SILENT else None
        noisy = heard
        if with_noise:
            noisy = heard + self._noises(random, level_db)
        noisy, target = through_microphone(random, noisy, target, self.rate, now)
        return recorded(random, noisy, target, self.rate, now)

    def _voice(self, random: np.random.Generator) -> tuple[Clip, Clip]:
        """Return the talker as heard in the room and the part to keep."""
        now = self.settings
        dry = self._speech_cut(random)
        if random.random() < now.speech_colour_share:
            dry = apply_gain(dry, random_colour(random, dry.size, self.rate, 6.0))
        if self.rooms is None or random.random() >= now.room_share:
            return dry, dry
        response = self._room(random)
        return in_room(dry, response), in_room(dry, early_part(response, self.rate))

    def _speech_cut(self, random: np.random.Generator) -> Clip:
        speed = random.uniform(*self.settings.speed) if random.random() < self.settings.speed_share else 1.0
        length = int(np.ceil(self.samples * speed)) + 1
        for _ in range(REDRAWS):
            recording = self.speech.draw(random)
            spare = max(1, int(self.speech.lengths[recording]) - length)
            cut = self.speech.cut(recording, int(random.integers(spare)), length)
            if _active_share(cut, self.rate) >= LEAST_ACTIVE:
                break
        if speed != 1.0:
            cut = resample(cut, round(self.rate * speed), self.rate, "LQ")[0]
        return cut[: self.samples] if cut.size >= self.samples else np.resize(cut, self.samples)

    def _room(self, random: np.random.Generator) -> Clip:
        rooms = self.rooms
        if rooms is None:
            raise AudioFileError("no rooms are packed")
        number = int(random.integers(len(rooms)))
        return rooms.cut(number, 0, int(rooms.lengths[number])) / np.float32(PEAK)

    def _noises(self, random: np.random.Generator, speech_level_db: float | None) -> Clip:
        """Return one to three noises together, at a random ratio below the speech."""
        count = 1
        while count < 3 and random.random() < self.settings.second_noise_share:
            count += 1
        total = np.zeros(self.samples, np.float32)
        for _ in range(count):
            part = self._noise(random)
            total += part * np.float32(10 ** (random.uniform(-6, 0) / 20) / max(rms(part), SILENT))
        if speech_level_db is None:
            return total
        wanted_db = speech_level_db - self._snr_db(random)
        return total * np.float32(10 ** (wanted_db / 20) / max(rms(total), SILENT))

    def _noise(self, random: np.random.Generator) -> Clip:
        now, kind = self.settings, random.random()
        if kind < now.synthetic_share:
            return coloured_noise(random, self.samples, self.rate)
        # Wind blows on the microphone itself: no room, no colour. From the top, so that the others keep their draws.
        if kind >= 1 - now.wind_share:
            return wind_noise(random, self.samples, self.rate)
        noise = self._noise_of_kind(random, kind)
        if random.random() < now.noise_colour_share:
            noise = apply_gain(noise, random_colour(random, noise.size, self.rate, 8.0))
        if self.rooms is not None and random.random() < now.noise_room_share:
            noise = in_room(noise, self._room(random))
        return noise

    def _noise_of_kind(self, random: np.random.Generator, kind: float) -> Clip:
        now = self.settings
        if kind < now.synthetic_share + now.babble_share:
            return self._babble(random)
        if kind >= 1 - now.wind_share - now.keyboard_share:
            return typing_noise(random, self.samples, self.rate)
        if self.music is not None and kind >= 1 - now.wind_share - now.keyboard_share - now.music_share:
            return self._cut_of(self.music, random)
        return self._cut_of(self.noise, random)

    def _cut_of(self, shard: Shard, random: np.random.Generator) -> Clip:
        recording = shard.draw(random)
        return shard.cut(recording, int(random.integers(shard.lengths[recording])), self.samples)

    def _babble(self, random: np.random.Generator) -> Clip:
        """Four to eight talkers at once."""
        voices = []
        for _ in range(int(random.integers(4, 9))):
            recording = self.speech.draw(random)
            cut = self.speech.cut(recording, int(random.integers(self.speech.lengths[recording])), self.samples)
            voices.append(cut * np.float32(random.uniform(0.4, 1) / max(rms(cut), SILENT)))
        return np.sum(voices, axis=0, dtype=np.float32)

    def _snr_db(self, random: np.random.Generator) -> float:
        now, kind = self.settings, random.random()
        if kind < now.easy_share:
            return float(random.uniform(*now.easy_snr_db))
        return float(random.uniform(*(now.hard_snr_db if kind > 1 - now.hard_share else now.snr_db)))


def _active_share(clip: Clip, rate: int) -> float:
    """Share of 20 ms frames that are within 30 dB of the loud ones."""
    frame = int(FRAME_S * rate)
    powers = np.square(clip[: clip.size // frame * frame].reshape(-1, frame)).mean(1)
    return float(np.mean(powers > 1e-3 * max(float(np.quantile(powers, 0.95)), SILENT**2)))
