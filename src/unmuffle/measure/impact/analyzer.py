"""What noise, and what each enhancer at each strength, does to recognition and to the identity of the talker.

That adding back a part of the observation takes away much of the harm which enhancement does to recognisers: K. Iwamoto
et al., "How bad are artifacts?: Analyzing the impact of speech enhancement errors on ASR", Interspeech 2022. How it is
judged is said in ``verdict``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.evaluation.enhancers.registry import find_enhancers
from unmuffle.measure.impact.checks import (
    Noises,
    PathLike,
    check_names,
    checked_noises,
    checked_snrs,
    checked_strengths,
    size_of,
)
from unmuffle.measure.impact.embedders.base import SpeakerEmbedder
from unmuffle.measure.impact.embedders.registry import Embed, find_embedder
from unmuffle.measure.impact.journal import TrialStore, open_journal
from unmuffle.measure.impact.normalizer import TextNormalizer
from unmuffle.measure.impact.packages import Lazy
from unmuffle.measure.impact.recognizers.base import Recognizer
from unmuffle.measure.impact.recognizers.python_callable import Transcribe
from unmuffle.measure.impact.recognizers.registry import find_recognizer
from unmuffle.measure.impact.report import ImpactReport
from unmuffle.measure.impact.running import make_trials
from unmuffle.measure.impact.summaries import Judge
from unmuffle.measure.impact.transcripts import Utterance, read_transcripts
from unmuffle.measure.impact.trials import CLEAN, UNTOUCHED, Instruments, Key, Task, Trial, Version
from unmuffle.measure.impact.word_errors import require_jiwer
from unmuffle.signal.grid import check_sample_rate

SNRS_DB = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0)
STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0)

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the trials done and the trials in all."""


class ImpactAnalyzer:
    """Counts word errors clean, noisy and enhanced, and says where enhancing helps a recogniser.

    Parameters
    ----------
    recognizer : str, Recognizer or callable, default "pocketsphinx"
        See ``find_recognizer``.
    enhancers : sequence of str or ClipEnhancer, default ("auto",)
        See ``find_enhancers`` of the evaluation: our methods, peers, commands.
    noises : path, several, or mapping of str to paths, optional
        Recordings of noise; see ``find_noises``. Without it the transcribed clips have to be noisy already.
    snrs_db : sequence of float, default (-5, 0, 5, 10, 15, 20)
        Active level of the speech (ITU-T P.56) to RMS of the noise.
    embedder : str, SpeakerEmbedder, callable or None, default None
        See ``find_embedder``; ``"resemblyzer"`` where its extra is installed.
    strengths : sequence of float, default (0, 0.25, 0.5, 0.75, 1)
        How much of the effect is heard, 0 to 1; the rest is what was observed. 0 and 1 are always among them.
    normalizer : callable, default ``TextNormalizer()``
        Brings texts to the words that are compared.
    sample_rate : int, optional
        In Hz; clips are mixed and enhanced at it. That of the recogniser unless given, so that the ratio is that of
        the band which is listened to.
    max_clean_wer : float, optional
        Clips of which the recogniser gets more words wrong without any noise, 1 for all, are left out, and said: they
        tell nothing of what noise does.
    confidence : float, default 0.95
        Of all intervals, and of the verdicts.
    jobs : int, default 1
        How many processes. With more than one, a script has to guard its start by ``if __name__ == "__main__":``.
    seed : int, default 0
        Of the noises that are drawn, the halves, and the bootstrap.

    Raises
    ------
    AudioFileError
        If a noise or a model is missing.
    InvalidParameterError
        If a name does not exist or a number is outside its range.
    MissingExtraError
        If the package of an enhancer is not installed.
    """

    def __init__(
        self,
        recognizer: str | Recognizer | Transcribe = "pocketsphinx",
        enhancers: Sequence[str | ClipEnhancer] = ("auto",),
        noises: Noises | None = None,
        *,
        snrs_db: Sequence[float] = SNRS_DB,
        embedder: str | SpeakerEmbedder | Embed | None = None,
        strengths: Sequence[float] = STRENGTHS,
        normalizer: Callable[[str], str] | None = None,
        sample_rate: int | None = None,
        max_clean_wer: float | None = None,
        confidence: float = 0.95,
        jobs: int = 1,
        seed: int = 0,
    ) -> None:
        self.recognizer = find_recognizer(recognizer)
        self.embedder = find_embedder(embedder)
        self.enhancers = tuple(find_enhancers(enhancers))
        if not self.enhancers:
            raise InvalidParameterError("there is no enhancer: give one or more, such as auto")
        self.noises = checked_noises(noises)
        self.snrs_db = checked_snrs(snrs_db)
        self.strengths = checked_strengths(strengths)
        self.sample_rate = check_sample_rate(sample_rate or self.recognizer.sample_rate)
        if max_clean_wer is not None and not max_clean_wer >= 0.0:
            raise InvalidParameterError(f"max_clean_wer must be 0 or more, not {max_clean_wer!r}")
        self.max_clean_wer = max_clean_wer
        self.judge = Judge(normalizer or TextNormalizer(), confidence, seed)
        if jobs < 1 or seed < 0:
            raise InvalidParameterError(f"jobs must be at least 1 and seed at least 0, not {jobs!r} and {seed!r}")
        self.jobs, self.seed = jobs, seed

    def run(
        self,
        transcripts: PathLike | Sequence[Utterance],
        *,
        journal: PathLike | None = None,
        limit: int | None = None,
        progress: Progress | None = None,
    ) -> ImpactReport:
        """Make all trials and judge them.

        Parameters
        ----------
        transcripts : path or sequence of Utterance
            See ``read_transcripts``.
        journal : path, optional
            Where trials are written as they are made. With one that is there already, only what is missing, or has
            failed, is made; more ratios, enhancers or strengths can be added so.
        limit : int, optional
            Only the first so many clips.
        progress : callable, optional
            Told how far it is.

        Returns
        -------
        ImpactReport
            Failed clips are named in it; they do not end the run.

        Raises
        ------
        AudioFileError
            If the list cannot be read.
        InvalidParameterError
            If the list holds nothing of use, or the journal is of another run.
        MissingExtraError
            If a package is missing; before anything is done.
        """
        utterances = self._utterances(transcripts, limit)
        self._require()
        with open_journal(journal, self._settings(utterances)) as store:
            self._make(self._clean_tasks(utterances), store, progress)
            kept = self._understood(utterances, store.trials)
            self._make(self._noisy_tasks(kept), store, progress)
        tasks = [*self._clean_tasks(utterances), *self._noisy_tasks(kept)]
        keys = [task.trial(version).key for task in tasks for version in task.versions]
        trials = [store.trials[key] for key in keys]
        names = [enhancer.name for enhancer in self.enhancers]
        understood = {one.name for one in kept}
        # One that could not be read is among the failures.
        left_out = [t.clip for t in trials if t.noise == CLEAN and t.text is not None and t.clip not in understood]
        return self.judge.report(kept, trials, names, self.strengths, left_out, self._about(utterances))

    def _require(self) -> None:
        require_jiwer()
        instruments: tuple[object, ...] = (self.recognizer, self.embedder)
        for instrument in instruments:
            if isinstance(instrument, Lazy):
                instrument.require()

    def _utterances(self, transcripts: PathLike | Sequence[Utterance], limit: int | None) -> list[Utterance]:
        if limit is not None and limit < 1:
            raise InvalidParameterError(f"limit must be at least 1, not {limit!r}")
        if isinstance(transcripts, (str, os.PathLike)):
            found = read_transcripts(Path(transcripts))
        else:
            found = list(transcripts)
        if not found:
            raise InvalidParameterError("there are no transcribed clips")
        for utterance in found:
            if not self.judge.normalizer(utterance.text):
                raise InvalidParameterError(f"{utterance.name} has no words in its text {utterance.text!r}")
        if self.noises and not any(one.clean for one in found):
            raise InvalidParameterError("no clip has a clean recording that noise could be added to: give no noise")
        check_names([one.noise for one in found])
        if not self.noises:
            # Where nothing is added, a recording that is alone is the noisy one.
            found = [replace(one, clean=None, noisy=one.clean) if one.noisy is None else one for one in found]
        return found[:limit]

    def _clean_tasks(self, utterances: Sequence[Utterance]) -> list[Task]:
        known = [one for one in utterances if one.clean is not None]
        return [Task(utterance, None, CLEAN, None, ((CLEAN, 0.0),)) for utterance in known]

    def _noisy_tasks(self, utterances: Sequence[Utterance]) -> list[Task]:
        versions: list[Version] = [UNTOUCHED]
        versions += [(one.name, strength) for one in self.enhancers for strength in self.strengths if strength]
        if not self.noises:
            return [Task(one, None, one.noise, one.snr_db, tuple(versions)) for one in utterances]
        return [
            Task(utterance, noise, noise.name, snr_db, tuple(versions))
            for utterance in utterances
            for noise in self.noises
            for snr_db in self.snrs_db
        ]

    def _understood(self, utterances: list[Utterance], trials: Mapping[Key, Trial]) -> list[Utterance]:
        """Return the clips that the recogniser understands well enough when they are clean."""
        if self.max_clean_wer is None:
            return utterances
        if not any(one.clean for one in utterances):
            raise InvalidParameterError("max_clean_wer is given, and no clip has a clean recording: leave it out")
        kept = []
        for utterance in utterances:
            found = trials.get((utterance.name, CLEAN, None, CLEAN, 0.0))
            if found is None or found.text is None:
                continue
            if self.judge.count(utterance, found).rate <= self.max_clean_wer:
                kept.append(utterance)
        if not kept:
            raise InvalidParameterError(
                f"of no clip does {self.recognizer.name} get {self.max_clean_wer:g} of the words wrong or less when "
                "it is clean: allow more, or take another recogniser"
            )
        return kept

    def _make(self, tasks: Sequence[Task], store: TrialStore, progress: Progress | None) -> None:
        total = sum(len(task.versions) for task in tasks)
        missing = [
            task.with_versions([version for version in task.versions if not store.done(task.trial(version).key)])
            for task in tasks
        ]
        missing = [task for task in missing if task.versions]
        done = total - sum(len(task.versions) for task in missing)
        instruments = Instruments(self.recognizer, self.embedder, self.enhancers, self.sample_rate, self.seed)
        for trial in make_trials(instruments, missing, self.jobs):
            store.add(trial)
            done += 1
            if progress is not None:
                progress(done, total)

    def _settings(self, utterances: Sequence[Utterance]) -> dict[str, object]:
        """Return what each trial hangs on, and so must not change within a journal."""
        embedder = None if self.embedder is None else f"{self.embedder.name} {self.embedder.version}"
        return {
            "recognizer": f"{self.recognizer.name} {self.recognizer.version}",
            "embedder": embedder,
            "sample_rate": self.sample_rate,
            "seed": self.seed,
            "noises": {noise.name: [path.name for path in noise.files] for noise in self.noises},
            "enhancers": {one.name: one.version for one in self.enhancers},
            "clips": {one.name: [size_of(one.clean), size_of(one.noisy)] for one in utterances},
        }

    def _about(self, utterances: Sequence[Utterance]) -> dict[str, str]:
        about = {
            "recogniser": f"{self.recognizer.name} {self.recognizer.version}",
            "speaker embedder": f"{self.embedder.name} {self.embedder.version}" if self.embedder else "none",
            "clips": str(len(utterances)),
            "noise": ", ".join(f"{noise.name} ({len(noise.files)})" for noise in self.noises) or "as recorded",
            "mixed and enhanced at": f"{self.sample_rate} Hz",
            "seed": str(self.seed),
        }
        if self.max_clean_wer is not None:
            about["clips kept"] = f"those with a clean WER of at most {self.max_clean_wer:g}"
        return about
