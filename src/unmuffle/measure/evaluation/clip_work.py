"""What is done with one clip: read once, measured as it came, and after each enhancer."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from unmuffle.errors import one_line
from unmuffle.jobs.workers import Report
from unmuffle.measure.damage.scores import score_damage
from unmuffle.measure.damage.transparency import score_transparency
from unmuffle.measure.evaluation.audio_files import write_flac
from unmuffle.measure.evaluation.clips import Clip, ClipAudio
from unmuffle.measure.evaluation.cpu_time import with_cpu_s
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.evaluation.in_step import bring_in_step, in_step_pair
from unmuffle.measure.evaluation.selection import BLIND_KEYS, DAMAGE_KEYS, REFERENCE_KEYS, TRANSPARENCY_KEYS
from unmuffle.measure.reference.scorecard import score
from unmuffle.measure.results import UNPROCESSED, ClipResult
from unmuffle.measure.scores import Score
from unmuffle.measure.single.blind_scores import score_blind
from unmuffle.signal.arrays import FloatArray, check_finite

NO_REFERENCE = "there is no clean reference"
WARM_UP_S = 1.0

_warm: set[tuple[str, str, int, int]] = set()


@dataclass(frozen=True)
class ClipTask:
    """What is to be done with a clip.

    Attributes
    ----------
    clip : Clip
        It.
    enhancers : tuple of ClipEnhancer
        Those after which it is measured.
    untouched : bool
        Whether it is measured as it came.
    keys : frozenset of str
        Of the measures.
    with_transparency : bool
        Whether its reference is enhanced too.
    save_to : Path or None
        Folder for enhanced audio.
    """

    clip: Clip
    enhancers: tuple[ClipEnhancer, ...]
    untouched: bool
    keys: frozenset[str]
    with_transparency: bool = False
    save_to: Path | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Of the rows that come of it."""
        return (*((UNPROCESSED,) if self.untouched else ()), *(enhancer.name for enhancer in self.enhancers))

    def only(self, names: Collection[str]) -> ClipTask:
        """Return what these rows of it need."""
        enhancers = tuple(enhancer for enhancer in self.enhancers if enhancer.name in names)
        return replace(self, enhancers=enhancers, untouched=UNPROCESSED in names)

    def failed_row(self, name: str, reason: str) -> ClipResult:
        """Return a row that tells why there is nothing."""
        return ClipResult(self.clip.name, name, 0, 0.0, failures={"clip": reason}, conditions=self.clip.conditions)


def measure_clip(task: ClipTask, report: Report) -> None:
    """Report a ``ClipResult`` as the clip came and after each enhancer; whatever fails becomes one that tells why."""
    try:
        audio = task.clip.read()
        checked = _checked(audio)
    except Exception as error:
        for name in task.names:
            report(task.failed_row(name, one_line(error)))
        return
    if task.untouched:
        report(_untouched_row(task, checked))
    for enhancer in task.enhancers:
        try:
            report(_enhanced_row(task, checked, enhancer))
        except Exception as error:
            # Whatever it is, it is the trouble of one enhancer on one clip; the others go on.
            failed = _row(task, checked, enhancer.name, {}, {"clip": one_line(error)}, {})
            report(failed)


@dataclass(frozen=True)
class _Checked:
    """A clip in step with its reference."""

    audio: ClipAudio
    clean: FloatArray | None
    noisy: FloatArray
    delay_ms: float | None

    @property
    def rate(self) -> int:
        return self.audio.sample_rate

    @property
    def seconds(self) -> float:
        return self.noisy.shape[1] / self.rate


def _checked(audio: ClipAudio) -> _Checked:
    check_finite("the noisy clip", audio.noisy)
    if audio.clean is None:
        return _Checked(audio, None, audio.noisy, None)
    # The reference is moved, so that enhancers are given what is in the file.
    pair = in_step_pair(audio.noisy, audio.clean, audio.sample_rate)
    late_ms = None if pair.delay_ms is None else -pair.delay_ms
    return _Checked(audio, pair.other, pair.given, late_ms)


def _untouched_row(task: ClipTask, checked: _Checked) -> ClipResult:
    scores = [*_against_reference(task.keys, checked.clean, checked.noisy, checked.rate)]
    scores += _blind(task.keys, checked.noisy, checked.rate)
    values, failures = _split(scores)
    if checked.delay_ms is not None:
        values["delay_ms"] = checked.delay_ms
    if checked.clean is None:
        failures |= dict.fromkeys(sorted(task.keys & REFERENCE_KEYS), NO_REFERENCE)
    return _row(task, checked, UNPROCESSED, values, failures, _kept_files(task, checked))


def _enhanced_row(task: ClipTask, checked: _Checked, enhancer: ClipEnhancer) -> ClipResult:
    _warm_up(enhancer, checked)
    enhanced, cpu_s = with_cpu_s(lambda: enhancer.enhance(checked.noisy.copy(), checked.rate))
    pair = bring_in_step(checked.noisy, enhanced, checked.rate)
    clean = None if checked.clean is None else pair.cut(checked.clean)
    scores = _against_reference(task.keys, clean, pair.other, checked.rate)
    if task.keys & DAMAGE_KEYS:
        scores += score_damage(pair.given, pair.other, checked.rate, clean, task.keys & DAMAGE_KEYS)
    scores += _blind(task.keys, pair.other, checked.rate)
    values, failures = _split(scores)
    if checked.clean is None:
        failures |= dict.fromkeys(sorted(task.keys & REFERENCE_KEYS), NO_REFERENCE)
    elif task.with_transparency:
        found, missing = _transparency(task.keys, checked.clean, checked.rate, enhancer)
        values, failures = values | found, failures | missing
    values |= _cost(task.keys, enhancer, checked, cpu_s)
    if pair.delay_ms is not None:
        values["delay_ms"] = pair.delay_ms
    files = _kept_files(task, checked)
    if task.save_to is not None:
        path = task.save_to / enhancer.name / f"{task.clip.name}.flac"
        write_flac(path, pair.padded, checked.rate)
        files["enhanced"] = str(path)
    return _row(task, checked, enhancer.name, values, failures, files)


def _warm_up(enhancer: ClipEnhancer, checked: _Checked) -> None:
    """Let an enhancer load what it needs, once in a process for each rate and number of channels."""
    mark = (enhancer.name, enhancer.version, checked.rate, len(checked.noisy))
    if enhancer.warms_up and mark not in _warm:
        _warm.add(mark)
        enhancer.enhance(checked.noisy[:, : round(WARM_UP_S * checked.rate)].copy(), checked.rate)


def _against_reference(keys: frozenset[str], clean: FloatArray | None, estimate: FloatArray, rate: int) -> list[Score]:
    wanted = keys & REFERENCE_KEYS
    return score(clean, estimate, rate, wanted) if wanted and clean is not None else []


def _blind(keys: frozenset[str], audio: FloatArray, rate: int) -> list[Score]:
    wanted = keys & BLIND_KEYS
    return score_blind(audio, rate, wanted) if wanted else []


def _transparency(
    keys: frozenset[str], clean: FloatArray, rate: int, enhancer: ClipEnhancer
) -> tuple[dict[str, float], dict[str, str]]:
    wanted = keys & TRANSPARENCY_KEYS
    if not wanted:
        return {}, {}

    def enhance(audio: FloatArray, sample_rate: int) -> FloatArray:
        return bring_in_step(audio, enhancer.enhance(audio.copy(), sample_rate), sample_rate).padded

    try:
        return _split(score_transparency(enhance, clean, rate, wanted))
    except Exception as error:
        return {}, dict.fromkeys(sorted(wanted), one_line(error))


def _cost(keys: frozenset[str], enhancer: ClipEnhancer, checked: _Checked, cpu_s: float) -> dict[str, float]:
    costs: dict[str, float | None] = {
        "real_time_factor": cpu_s / checked.seconds,
        "latency_ms": enhancer.latency_ms(checked.rate),
    }
    return {key: value for key, value in costs.items() if key in keys and value is not None}


def _split(scores: Iterable[Score]) -> tuple[dict[str, float], dict[str, str]]:
    values: dict[str, float] = {}
    failures: dict[str, str] = {}
    for item in scores:
        if item.value is None:
            failures[item.measure.key] = item.why_not or "it has no value"
        else:
            values[item.measure.key] = float(item.value)
    return values, failures


def _kept_files(task: ClipTask, checked: _Checked) -> dict[str, str]:
    """Return where the clip lies; one that lies nowhere is written, where audio is to be kept."""
    files = dict(checked.audio.files)
    if task.save_to is None:
        return files
    for role, audio in (("noisy", checked.audio.noisy), ("clean", checked.audio.clean)):
        if role not in files and audio is not None:
            path = task.save_to / role / f"{task.clip.name}.flac"
            if not path.exists():
                write_flac(path, audio, checked.rate)
            files[role] = str(path)
    return files


def _row(
    task: ClipTask,
    checked: _Checked,
    name: str,
    values: Mapping[str, float],
    failures: Mapping[str, str],
    files: Mapping[str, str],
) -> ClipResult:
    conditions = checked.audio.conditions
    return ClipResult(task.clip.name, name, checked.rate, checked.seconds, values, failures, conditions, files)
