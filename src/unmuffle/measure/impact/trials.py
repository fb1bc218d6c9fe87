"""A trial: one clip, in one noise, after one enhancer at one strength, given to the recogniser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from unmuffle.errors import InvalidAudioError, one_line
from unmuffle.jobs.workers import Report
from unmuffle.measure.evaluation.clips import read_audio
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.evaluation.in_step import bring_in_step
from unmuffle.measure.evaluation.mixing import mix_at_snr
from unmuffle.measure.evaluation.mixture import HIGHEST_PEAK
from unmuffle.measure.impact.embedders.base import SpeakerEmbedder, cosine
from unmuffle.measure.impact.noises import NoiseType, draw_noise
from unmuffle.measure.impact.recognizers.base import Recognizer
from unmuffle.measure.impact.transcripts import Utterance
from unmuffle.measure.results import UNPROCESSED
from unmuffle.signal.arrays import FloatArray, check_finite
from unmuffle.signal.resample import resample

CLEAN = "clean"
"""The noise of a clip without noise, and who worked on it."""

Key: TypeAlias = "tuple[str, str, float | None, str, float]"
"""Clip, noise, snr_db, enhancer, strength."""

Version: TypeAlias = "tuple[str, float]"
"""An enhancer and its strength."""

UNTOUCHED: Version = (UNPROCESSED, 0.0)


@dataclass(frozen=True)
class Trial:
    """What came of it.

    Attributes
    ----------
    clip, noise : str
        Which clip, and in which type of noise; ``"clean"`` in none.
    snr_db : float or None
        The ratio, where there is one.
    enhancer : str
        Who worked on it; ``UNPROCESSED`` for nobody.
    strength : float
        How much of the effect was heard, 0 to 1.
    text : str or None
        What the recogniser understood.
    similarity : float or None
        Cosine of the speaker embedding to that of the clean clip, where both could be had.
    error : str or None
        Why there is no text.
    """

    clip: str
    noise: str
    snr_db: float | None
    enhancer: str
    strength: float
    text: str | None = None
    similarity: float | None = None
    error: str | None = None

    @property
    def key(self) -> Key:
        """What tells it from all others of a run."""
        return self.clip, self.noise, self.snr_db, self.enhancer, self.strength


@dataclass(frozen=True)
class Task:
    """A clip in a noise at a ratio, and the versions of it that are to be recognised.

    Attributes
    ----------
    utterance : Utterance
        The clip.
    noise : NoiseType or None
        What is added to the clean recording; None takes the noisy recording as it is, or the clean one for ``CLEAN``.
    noise_name : str
        What that is called.
    snr_db : float or None
        The ratio.
    versions : tuple of (str, float)
        Enhancers and strengths.
    """

    utterance: Utterance
    noise: NoiseType | None
    noise_name: str
    snr_db: float | None
    versions: tuple[Version, ...]

    def trial(self, version: Version, error: str | None = None) -> Trial:
        """Return a trial of this task, so far without a text."""
        return Trial(self.utterance.name, self.noise_name, self.snr_db, *version, error=error)

    def with_versions(self, versions: Sequence[Version]) -> Task:
        """Return the same for other versions."""
        return Task(self.utterance, self.noise, self.noise_name, self.snr_db, tuple(versions))


@dataclass(frozen=True)
class Instruments:
    """What trials are made with; sent to every worker once.

    Attributes
    ----------
    recognizer : Recognizer
        Understands.
    embedder : SpeakerEmbedder or None
        Tells talkers.
    enhancers : tuple of ClipEnhancer
        Those that versions name.
    sample_rate : int
        In Hz; at which clips are mixed and enhanced.
    seed : int
        Which noises are drawn.
    """

    recognizer: Recognizer
    embedder: SpeakerEmbedder | None
    enhancers: tuple[ClipEnhancer, ...]
    sample_rate: int
    seed: int


def run_task(instruments: Instruments, task: Task, report: Report) -> None:
    """Report a ``Trial`` for each version; whatever fails becomes one that tells why."""
    try:
        clean, noisy = _read(instruments, task)
    except Exception as error:
        for version in task.versions:
            report(task.trial(version, f"{task.utterance.name}: {one_line(error)}"))
        return
    listener = _Listener(instruments, clean)
    for name in dict.fromkeys(name for name, _ in task.versions):
        strengths = [strength for other, strength in task.versions if other == name]
        for trial in _trials(instruments, task, listener, noisy, name, strengths):
            report(trial)


def mixed(noisy: FloatArray, enhanced: FloatArray, strength: float) -> FloatArray:
    """Return enhanced audio to which a part of what was observed is added back; 0 is all of that, 1 nothing."""
    if strength in (0.0, 1.0):
        return enhanced if strength else noisy
    return (np.float32(strength) * enhanced + np.float32(1.0 - strength) * noisy).astype(np.float32)


class _Listener:
    """Recogniser and embedder, for one clip."""

    def __init__(self, instruments: Instruments, clean: FloatArray | None) -> None:
        self._instruments = instruments
        self._clean = clean
        self._its_vector: FloatArray | None = None

    def text(self, audio: FloatArray) -> str:
        recognizer = self._instruments.recognizer
        return recognizer.transcribe(self._at(audio, recognizer.sample_rate), recognizer.sample_rate)

    def similarity(self, audio: FloatArray) -> float | None:
        """Return the cosine to the clean clip; None where one of the two has no talker."""
        embedder = self._instruments.embedder
        if embedder is None or self._clean is None:
            return None
        rate = embedder.sample_rate
        try:
            if self._its_vector is None:
                self._its_vector = embedder.embed(self._at(self._clean, rate), rate)
            return cosine(self._its_vector, embedder.embed(self._at(audio, rate), rate))
        except InvalidAudioError:
            return None

    def _at(self, audio: FloatArray, rate: int) -> FloatArray:
        return np.ascontiguousarray(resample(audio, self._instruments.sample_rate, rate)[0])


def _trials(
    instruments: Instruments, task: Task, listener: _Listener, noisy: FloatArray, name: str, strengths: Sequence[float]
) -> Iterator[Trial]:
    try:
        enhanced = _enhanced(instruments, noisy, name)
    except Exception as error:
        for strength in strengths:
            yield task.trial((name, strength), f"{task.utterance.name} after {name}: {one_line(error)}")
        return
    for strength in strengths:
        version = (name, strength)
        try:
            audio = mixed(noisy, enhanced, strength)
            said, alike = listener.text(audio), listener.similarity(audio)
        except Exception as error:
            # Whatever it is, it is the trouble of one trial; the others go on.
            yield task.trial(version, f"{task.utterance.name} after {name}: {one_line(error)}")
            continue
        yield Trial(task.utterance.name, task.noise_name, task.snr_db, *version, text=said, similarity=alike)


def _enhanced(instruments: Instruments, noisy: FloatArray, name: str) -> FloatArray:
    if name in (UNPROCESSED, CLEAN):
        return noisy
    enhancer = next(one for one in instruments.enhancers if one.name == name)
    enhanced = enhancer.enhance(noisy.copy(), instruments.sample_rate)
    return bring_in_step(noisy, enhanced, instruments.sample_rate).padded


def _read(instruments: Instruments, task: Task) -> tuple[FloatArray | None, FloatArray]:
    """Return the clean clip, where there is one, and the noisy one, float32 [1, samples]."""
    utterance, rate = task.utterance, instruments.sample_rate
    clean = None if utterance.clean is None else _read_mono(utterance.clean, rate)
    if task.noise_name == CLEAN and clean is not None:
        return clean, clean
    if task.noise is None:
        if utterance.noisy is None:
            raise InvalidAudioError("it has no noisy recording, and no noise to add was given")
        return clean, _read_mono(utterance.noisy, rate)
    if clean is None or task.snr_db is None:
        raise InvalidAudioError("it has no clean recording that noise could be added to")
    noise = draw_noise(task.noise, utterance.name, clean.shape[1], rate, instruments.seed)
    noisy = mix_at_snr(clean, noise[None], task.snr_db, rate)
    # Recognisers take 16 bit, and clipping would be one more damage.
    held = np.float32(min(1.0, HIGHEST_PEAK / max(float(np.abs(noisy).max()), 1e-9)))
    return clean, held * noisy


def _read_mono(path: Path, sample_rate: int) -> FloatArray:
    audio, rate = read_audio(path)
    check_finite(str(path), audio)
    return resample(audio.mean(axis=0), rate, sample_rate)
