"""What is done with one clip: enhanced, measured, judged, and put in its place as a whole file."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from unmuffle.corpus.clip import Clip
from unmuffle.enhancer import Enhancer, FileReport
from unmuffle.enhancer.noise_sample import read_span
from unmuffle.errors import AudioFileError, InvalidAudioError, UnmuffleError, one_line
from unmuffle.jobs.workers import Report
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import open_reader, open_writer
from unmuffle.signal.files.targets import told_as

Otherwise: TypeAlias = Literal["original", "reject", "enhanced"]
"""What becomes of a clip that the gate does not pass."""

QUICK_MEASURES = (
    "estimated_snr_db",
    "loudness_lufs",
    "clipping_share",
    "artefact_score",
    "onset_loss_db",
    "high_band_loss_db",
    "speech_level_change_db",
)
"""What is measured of each clip unless something else is asked for: blind, and a few hundredths of real time."""

MEASURED_S = 60.0
"""Of a longer clip, so much from its middle is measured."""

_COPY_BYTES = 1 << 20
_NO_CLIPS_FAULT = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EEXIST, errno.ENOTDIR}
)


@dataclass(frozen=True)
class ClipSettings:
    """What is the same for all clips of a run.

    Attributes
    ----------
    destination : Path
    scratch : Path
        A folder on the same file system.
    enhancer : Enhancer
    measures : tuple of str
        Keys; none for a run that measures nothing.
    gate : QualityGate or None
        Without one every enhanced clip is kept.
    otherwise : {"original", "reject", "enhanced"}
    """

    destination: Path
    scratch: Path
    enhancer: Enhancer
    measures: tuple[str, ...] = QUICK_MEASURES
    gate: QualityGate | None = None
    otherwise: Otherwise = "original"


@dataclass(frozen=True)
class ClipOutcome:
    """What became of a clip: what is to be told of it, or the kind of fault and the message.

    A fault of kind ``"destination"`` is none of the clip's: no other clip would fare better.
    """

    record: dict[str, Any] | None = None
    cause: str = ""
    message: str = ""


def do_clip(settings: ClipSettings, clip: Clip, _: Report | None = None) -> ClipOutcome:
    """Do one clip; whatever goes wrong with it is told, not raised."""
    try:
        return ClipOutcome(_done(settings, clip))
    except (UnmuffleError, OSError, MemoryError) as error:
        return ClipOutcome(cause=_cause(error, clip), message=one_line(error))
    except Exception as error:
        return ClipOutcome(cause="unforeseen", message=f"{clip.source}: {one_line(error)}")


def sha256_of(path: Path) -> str:
    """Return the checksum of a file of any length, in hexadecimal."""
    with path.open("rb") as file:
        found = hashlib.sha256()
        while block := file.read(_COPY_BYTES):
            found.update(block)
    return found.hexdigest()


def _done(settings: ClipSettings, clip: Clip) -> dict[str, Any]:
    output = settings.destination / clip.output
    with _scratch_names(settings.scratch, clip, output.suffix) as (cut, made):
        source = clip.source if clip.span_s is None else _cut_out(clip, clip.span_s, cut)
        report = settings.enhancer.enhance_file(source, made, overwrite=True)
        if report.seconds == 0.0:
            raise InvalidAudioError(f"{clip.source} holds no samples")
        record = _described(report, clip) | _measured(settings, source, made, report)
        verdict = record["verdict"]
        if verdict == "original":
            _keep_original(source, made)
        if verdict == "rejected":
            output.unlink(missing_ok=True)
        else:
            record["output_sha256"] = sha256_of(made)
            with told_as(str(output)):
                output.parent.mkdir(parents=True, exist_ok=True)
                made.replace(output)
    return record


def _described(report: FileReport, clip: Clip) -> dict[str, Any]:
    strength = report.strength_over_time
    return {
        "duration_s": report.seconds,
        "sample_rate": report.sample_rate,
        "channels": report.channels,
        "source_sha256": sha256_of(Path(clip.source)),
        "strength": None if strength is None else strength.mean,
        "elapsed_s": report.elapsed_s,
        "warnings": list(report.warnings),
    }


def _measured(settings: ClipSettings, source: str, made: Path, report: FileReport) -> dict[str, Any]:
    """Return measures before and after, and what becomes of the clip by them."""
    if not settings.measures:
        return {"verdict": "enhanced", "reason": ""}
    # Imported here because measures take time to load.
    from unmuffle.measure.assurance.assess import assess_quality

    before, after = (_middle(path) for path in (source, str(made)))
    shortest = min(before.shape[1], after.shape[1])
    assessment = assess_quality(
        before[:, :shortest],
        after[:, :shortest],
        report.sample_rate,
        measures=settings.measures,
        real_time_factor=report.elapsed_s / report.seconds,
    )
    told: dict[str, Any] = {
        "before": {} if assessment.before is None else dict(assessment.before.values),
        "after": dict(assessment.after.values),
        "not_measured": dict(assessment.failures),
    }
    if settings.gate is None:
        return {"verdict": "enhanced", "reason": ""} | told
    judged = settings.gate.judge(assessment)
    if judged.passed:
        return {"verdict": "enhanced", "reason": ""} | told
    verdict = {"original": "original", "reject": "rejected", "enhanced": "enhanced"}[settings.otherwise]
    return {"verdict": verdict, "reason": judged.reason} | told


def _middle(path: str) -> FloatArray:
    """Read a file, or the middle of one that is long."""
    with open_reader(path) as reader:
        start_s = max(0.0, (reader.info.seconds or 0.0) - MEASURED_S) / 2.0
        return read_span(reader, start_s, start_s + MEASURED_S)


def _cut_out(clip: Clip, span_s: tuple[float, float], cut: Path) -> str:
    """Write the span of a recording that a clip is."""
    start_s, end_s = span_s
    with open_reader(clip.source) as reader:
        audio = read_span(reader, start_s, end_s)
        if audio.shape[1] == 0:
            raise InvalidAudioError(f"{clip.source} ends before {start_s:g} s, where the clip {clip.key} begins")
        with open_writer(cut, reader.info, overwrite=True) as writer:
            writer.write(audio)
    return str(cut)


def _keep_original(source: str, made: Path) -> None:
    """Put the source, byte for byte if the kind of file is the same, in place of what was made of it."""
    if Path(source).suffix.lower() == made.suffix.lower():
        with told_as(str(made)):
            shutil.copyfile(source, made)
        return
    with open_reader(source) as reader, open_writer(made, reader.info, source=source, overwrite=True) as writer:
        for block in reader.blocks():
            writer.write(block)


@contextmanager
def _scratch_names(scratch: Path, clip: Clip, suffix: str) -> Iterator[tuple[Path, Path]]:
    """Give names for the span and for the result, of which nothing is left behind."""
    mark = hashlib.sha256(clip.key.encode()).hexdigest()[:24]
    names = scratch / f"{mark}.cut.wav", scratch / f"{mark}{suffix}"
    with told_as(str(scratch)):
        scratch.mkdir(parents=True, exist_ok=True)
    try:
        yield names
    finally:
        for name in names:
            name.unlink(missing_ok=True)


def _cause(error: BaseException, clip: Clip) -> str:
    """Name the kind of fault."""
    if isinstance(error, MemoryError):
        return "memory"
    reason = error if isinstance(error, OSError) else error.__cause__
    number = reason.errno if isinstance(reason, OSError) else None
    if "cannot be written" in str(error) and number in _NO_CLIPS_FAULT:
        return "destination"
    if not os.path.exists(clip.source):  # noqa: PTH110 (a name that is too long is no error here)
        return "missing"
    if isinstance(error, InvalidAudioError):
        return "audio"
    return "unreadable" if isinstance(error, AudioFileError) else "refused"
