"""Trials added up: error rates and similarities of each condition after each enhancer, and the verdict on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.impact.bootstrap import ClipBootstrap, Estimate
from unmuffle.measure.impact.report import ALL, ConditionImpact, ImpactReport, StrengthImpact
from unmuffle.measure.impact.transcripts import Utterance
from unmuffle.measure.impact.trials import CLEAN, UNTOUCHED, Key, Trial
from unmuffle.measure.impact.verdict import decide
from unmuffle.measure.impact.word_errors import WordErrors, count_word_errors

Place = tuple[str, "float | None"]


@dataclass(frozen=True)
class Judge:
    """Counts, adds up and decides.

    Attributes
    ----------
    normalizer : callable
        Brings texts to the words that are compared.
    confidence : float
        Of intervals and verdicts.
    seed : int
        Of the bootstrap and the halves.
    """

    normalizer: Callable[[str], str]
    confidence: float
    seed: int

    def __post_init__(self) -> None:
        if not 0.5 <= self.confidence < 1.0:
            raise InvalidParameterError(f"confidence must be from 0.5 to below 1, not {self.confidence!r}")

    def count(self, utterance: Utterance, trial: Trial) -> WordErrors:
        """Count the errors of a trial that has a text."""
        return count_word_errors(self.normalizer(utterance.text), self.normalizer(trial.text or ""))

    def report(
        self,
        utterances: Sequence[Utterance],
        trials: Iterable[Trial],
        enhancers: Sequence[str],
        strengths: tuple[float, ...],
        left_out: Sequence[str] = (),
        about: Mapping[str, str] | None = None,
    ) -> ImpactReport:
        """Return what is found in trials.

        Parameters
        ----------
        utterances : sequence of Utterance
            The clips that are judged.
        trials : iterable of Trial
            Of them; others are passed over.
        enhancers : sequence of str
            Names.
        strengths : tuple of float
            Rising from 0 to 1.
        left_out : sequence of str
            Names of clips that were not judged.
        about : mapping of str to str, optional
            What a reader has to know of the run.
        """
        everything = list(trials)
        by_name = {utterance.name: utterance for utterance in utterances}
        counted = {
            trial.key: (self.count(by_name[trial.clip], trial), trial.similarity)
            for trial in everything
            if trial.clip in by_name and trial.text is not None
        }
        places = list(dict.fromkeys((noise, snr_db) for _, noise, snr_db, _, _ in counted if noise != CLEAN))
        conditions = [
            found
            for name in enhancers
            for place, members in _groups(places)
            if (found := self._condition(list(by_name), counted, place, members, name, strengths)) is not None
        ]
        failures = tuple(dict.fromkeys(trial.error for trial in everything if trial.error))
        return ImpactReport(tuple(conditions), self.confidence, failures, tuple(left_out), dict(about or {}))

    def _condition(
        self,
        clips: Sequence[str],
        counted: Mapping[Key, tuple[WordErrors, float | None]],
        place: Place,
        members: Sequence[Place],
        enhancer: str,
        strengths: tuple[float, ...],
    ) -> ConditionImpact | None:
        rows = [row for clip in clips if (row := _row(counted, clip, members, enhancer, strengths)) is not None]
        if not rows:
            return None
        bootstrap = ClipBootstrap(len(rows), self.confidence, self.seed)
        words = np.array([row.counts[0].words for row in rows])
        errors = np.array([[count.total for count in row.counts] for row in rows])
        alike = np.array([row.similarities for row in rows], np.float64)
        sweep = [
            StrengthImpact(
                strength,
                sum((row.counts[at] for row in rows), WordErrors()),
                bootstrap.ratio(errors[:, at], words),
                self._similarity(alike[:, at]),
            )
            for at, strength in enumerate(strengths)
        ]
        verdict = decide(words, errors, strengths, bootstrap, self.seed)
        return ConditionImpact(*place, enhancer, len(rows), self._clean(counted, rows), tuple(sweep), verdict)

    def _similarity(self, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Estimate | None:
        known = values[np.isfinite(values)]
        if not known.size:
            return None
        return ClipBootstrap(known.size, self.confidence, self.seed).ratio(known, np.ones_like(known))

    def _clean(self, counted: Mapping[Key, tuple[WordErrors, float | None]], rows: Sequence[_Row]) -> Estimate | None:
        """Return the error rate of the same clips without noise, where all of them are known."""
        keys = [(row.clip, CLEAN, None, CLEAN, 0.0) for row in rows]
        if not all(key in counted for key in keys):
            return None
        found = [counted[key][0] for key in keys]
        bootstrap = ClipBootstrap(len(rows), self.confidence, self.seed)
        return bootstrap.ratio([count.total for count in found], [count.words for count in found])


@dataclass(frozen=True)
class _Row:
    """What is known of a clip in a condition, by strength; of several conditions, their sum and mean."""

    clip: str
    counts: list[WordErrors]
    similarities: list[float]


def _row(
    counted: Mapping[Key, tuple[WordErrors, float | None]],
    clip: str,
    members: Sequence[Place],
    enhancer: str,
    strengths: tuple[float, ...],
) -> _Row | None:
    """Return a clip's row; None where a strength is missing, since then nothing can be compared."""
    versions = [UNTOUCHED, *((enhancer, strength) for strength in strengths[1:])]
    keys = [[(clip, noise, snr_db, *version) for version in versions] for noise, snr_db in members]
    whole = [[counted[key] for key in some] for some in keys if all(key in counted for key in some)]
    if not whole:
        return None
    counts = [sum((some[at][0] for some in whole), WordErrors()) for at in range(len(versions))]
    return _Row(clip, counts, [_mean([some[at][1] for some in whole]) for at in range(len(versions))])


def _mean(values: Sequence[float | None]) -> float:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else float("nan")


def _groups(places: Sequence[Place]) -> list[tuple[Place, list[Place]]]:
    """Return each condition, then each ratio over all noises, then everything; only what is not said already."""
    found: list[tuple[Place, list[Place]]] = [(place, [place]) for place in places]
    snrs = list(dict.fromkeys(snr_db for _, snr_db in places))
    if len({noise for noise, _ in places}) > 1 and len(snrs) > 1:
        found += [((ALL, snr_db), [place for place in places if place[1] == snr_db]) for snr_db in snrs]
    if len(places) > 1:
        found.append(((ALL, None), list(places)))
    return found
