"""Enhancing many short clips of one channel in one call: each is a channel that knows nothing of the others."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from unmuffle.enhancer.files import BLOCK_S, FileJob, FileReport
from unmuffle.process import DryWet
from unmuffle.signal.arrays import FloatArray, find_nonfinite
from unmuffle.signal.files import open_reader, open_writer
from unmuffle.signal.files.info import AudioInfo

LONGEST_S = 30.0
"""Longer audio is not read whole."""

_MOST_SAMPLES = 4_000_000
_MOST_CLIPS = 8
_MOST_PADDING = 1.2
"""Of the shortest clip of a batch, the length of its longest: the shorter are filled up with silence."""


@dataclass(frozen=True)
class HeldClip:
    """A clip that was read whole, float32 [1, samples], and what is known of it."""

    job: FileJob
    info: AudioInfo
    audio: FloatArray
    warnings: tuple[str, ...]
    reading_s: float


def hold_clip(job: FileJob) -> HeldClip | None:
    """Read a clip whole, or return None where it has to be done on its own.

    That is audio of several channels, of more than 30 s or of a length that its file does not tell, in a video, or with
    samples that are not finite.

    Raises
    ------
    AudioFileError
        If it cannot be read.
    """
    started = time.perf_counter()
    with open_reader(job.source) as reader:
        info = reader.info
        if info.channels != 1 or info.has_video or not (info.seconds is not None and info.seconds <= LONGEST_S):
            return None
        # A header may tell less than there is.
        most = round(LONGEST_S * info.sample_rate) + 1
        audio = reader.read(most)
        if audio.shape[1] in (0, most) or find_nonfinite(audio) is not None:
            return None
        return HeldClip(job, info, audio, tuple(reader.warnings), time.perf_counter() - started)


def batches_of(clips: Sequence[HeldClip]) -> Iterator[list[HeldClip]]:
    """Put clips together of which one call makes less work: of one rate, and of nearly one length."""
    batch: list[HeldClip] = []
    for clip in sorted(clips, key=lambda clip: (clip.info.sample_rate, clip.audio.shape[1])):
        if batch and not _goes_with(clip, batch):
            yield batch
            batch = []
        batch.append(clip)
    if batch:
        yield batch


def _goes_with(clip: HeldClip, batch: list[HeldClip]) -> bool:
    samples = clip.audio.shape[1]
    return (
        len(batch) < _MOST_CLIPS
        and clip.info.sample_rate == batch[0].info.sample_rate
        and samples <= _MOST_PADDING * batch[0].audio.shape[1]
        and samples * (len(batch) + 1) <= _MOST_SAMPLES
    )


def enhance_side_by_side(batch: Sequence[HeldClip], processor: DryWet) -> list[FloatArray]:
    """Return what becomes of each clip of a batch, float32 [1, samples]: bit for bit what it would alone.

    Parameters
    ----------
    batch : sequence of HeldClip
        From ``batches_of``.
    processor : DryWet
        New, with a channel a clip, not linked.
    """
    longest = max(clip.audio.shape[1] for clip in batch)
    together = np.zeros((len(batch), longest), np.float32)
    for row, clip in zip(together, batch, strict=True):
        row[: clip.audio.shape[1]] = clip.audio[0]
    step = round(BLOCK_S * processor.sample_rate)
    pieces = [processor.process(together[:, start : start + step]) for start in range(0, longest, step)]
    made = np.concatenate((*pieces, processor.flush()), axis=1)
    return [made[row : row + 1, : clip.audio.shape[1]] for row, clip in enumerate(batch)]


def write_clip(clip: HeldClip, made: FloatArray, enhancing_s: float, warnings: tuple[str, ...]) -> FileReport:
    """Write what was made of a clip, and return what ``Enhancer.enhance_file`` would tell.

    Raises
    ------
    AudioFileError
        If it cannot be written; nothing is then left behind.
    """
    started = time.perf_counter()
    job = clip.job
    with open_writer(job.destination, clip.info, source=job.source, overwrite=job.overwrite) as writer:
        writer.write(made)
    told = [*warnings, *clip.warnings, *writer.warnings]
    if writer.clipped_samples:
        told.append(f"{job.destination_name} has {writer.clipped_samples} samples that were clipped at full scale")
    return FileReport(
        source=job.source_name,
        destination=job.destination_name,
        seconds=clip.audio.shape[1] / clip.info.sample_rate,
        elapsed_s=clip.reading_s + enhancing_s + time.perf_counter() - started,
        sample_rate=clip.info.sample_rate,
        channels=1,
        warnings=tuple(dict.fromkeys(told)),
    )
