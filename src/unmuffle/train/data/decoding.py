"""A recording as it is packed: decoded in parts, looked at, without its pauses, at the rates of training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from unmuffle.errors import AudioFileError
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import open_reader
from unmuffle.signal.resample import resample
from unmuffle.train.data.catalogue import Recording
from unmuffle.train.data.fitness import Limits, examine, weight_of_floor, why_unfit
from unmuffle.train.data.pauses import without_pauses

WIDE_RATE, FULL_RATE = 16_000, 48_000
RATES = (WIDE_RATE, FULL_RATE)
FULL_BAND_FROM_HZ, FULL_BAND_REACHES_HZ = 32_000, 12_000
SHORTEST_S, PART_S = 0.2, 600.0
PEAK = 0.9


@dataclass(frozen=True)
class Packed:
    """A recording, or ten minutes of one.

    Attributes
    ----------
    samples : dict
        int16 [samples] by rate in Hz.
    weight : float
        How readily it is drawn, from 0 to 1.
    measured : dict
        What was measured of it, empty if nothing was.
    """

    samples: dict[int, FloatArray]
    weight: float
    measured: dict[str, Any]


def pack_recording(recording: Recording, limits: Limits | None = None) -> list[Packed]:
    """Return a recording in parts of at most ten minutes, each at the rates it is packed at.

    Parameters
    ----------
    recording : Recording
        What to decode.
    limits : Limits, optional
        Of speech: what does not keep to them is refused, and long pauses are cut down.

    Raises
    ------
    AudioFileError
        If it cannot be read, is shorter than 0.2 s, silent or not finite, or no part keeps to the limits.
    """
    parts: list[Packed] = []
    reasons: list[str] = []
    for audio, rate in _mono_parts(recording):
        if audio.size < SHORTEST_S * rate or not np.isfinite(audio).all() or not audio.any():
            reasons.append("it is too short, silent or not finite")
            continue
        found = _packed(recording, audio, rate, limits)
        if isinstance(found, str):
            reasons.append(found)
        else:
            parts.append(found)
    if not parts:
        raise AudioFileError(f"{recording.path}: {reasons[0] if reasons else 'it holds no audio'}")
    return parts


def _packed(recording: Recording, audio: FloatArray, file_rate: int, limits: Limits | None) -> Packed | str:
    """Return a part [samples] packed, or what is wrong with it."""
    rate, weight, measured = recording.rate or file_rate, recording.weight, {}
    if limits is not None:
        fitness = examine(audio, file_rate, rate_by_dnsmos=limits.dnsmos is not None)
        if unfit := why_unfit(fitness, limits):
            return unfit
        measured = {key: value for key, value in asdict(fitness).items() if value is not None}
        weight = weight_of_floor(fitness.floor_db) if weight is None else weight
        if fitness.bandwidth_hz < FULL_BAND_REACHES_HZ:
            rate = WIDE_RATE
        audio = without_pauses(audio, file_rate)
    rates = RATES if rate >= FULL_BAND_FROM_HZ else (WIDE_RATE,)
    peak = float(np.abs(audio).max())
    samples = {to: as_int16(resample(audio, file_rate, to)[0] * (PEAK / peak)) for to in rates}
    return Packed(samples, 1.0 if weight is None else weight, measured)


def _mono_parts(recording: Recording) -> Iterator[tuple[FloatArray, int]]:
    """Yield the mean of a recording's channels in parts of ten minutes, with its file's rate in Hz."""
    with open_reader(str(recording.path)) as reader:
        rate, blocks, waiting = reader.info.sample_rate, [], 0
        for block in reader.blocks():
            blocks.append(block.mean(axis=0))
            waiting += block.shape[1]
            # Blocks are short; what is left over a part's length does not matter.
            if waiting >= PART_S * rate:
                yield np.concatenate(blocks), rate
                blocks, waiting = [], 0
        if blocks:
            yield np.concatenate(blocks), rate


def as_int16(samples: FloatArray) -> FloatArray:
    """Round samples of -1 to 1 to 16 bits."""
    return np.clip(np.rint(samples * 32_768), -32_768, 32_767).astype(np.int16)
