"""What is done with one clip: enhanced, measured, judged, and put in its place as a whole file."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal, TypeAlias, TypeVar

from unmuffle.cache.keys import sha256_of_file
from unmuffle.corpus.clip import Clip
from unmuffle.corpus.fetching import audio_at_hand
from unmuffle.corpus.remote import is_url
from unmuffle.enhancer import Enhancer, FileReport
from unmuffle.enhancer.noise_sample import read_span
from unmuffle.errors import AudioFileError, InvalidAudioError, UnmuffleError, one_line
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.models.device import Device
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import open_reader, open_writer
from unmuffle.signal.files.targets import told_as

Result = TypeVar("Result")

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
    cache : bool
        Whether results are taken from the user's cache and kept there.
    device : {"auto", "cpu", "gpu"}
        Where models run.
    strength : float, optional
        Of the denoiser, unless it follows the audio.
    """

    destination: Path
    scratch: Path
    enhancer: Enhancer
    measures: tuple[str, ...] = QUICK_MEASURES
    gate: QualityGate | None = None
    otherwise: Otherwise = "original"
    cache: bool = False
    device: Device = "cpu"
    strength: float | None = None


@dataclass(frozen=True)
class ClipOutcome:
    """What became of a clip: what is to be told of it, or the kind of fault and the message.

    A fault of kind ``"destination"`` is none of the clip's: no other clip would fare better.
    """

    record: dict[str, Any] | None = None
    cause: str = ""
    message: str = ""


@dataclass(frozen=True)
class FetchedClip:
    """A clip whose audio is at hand.

    Attributes
    ----------
    clip : Clip
    source, made : Path
        The audio, and where what is made of it goes before it takes its place.
    closing : ExitStack
        Removes what was copied, and what was made if it has not taken its place.
    """

    clip: Clip
    source: Path
    made: Path
    closing: ExitStack


def guarded(clip: Clip, work: Callable[[], Result]) -> Result | ClipOutcome:
    """Return what work on a clip returns, or what went wrong with it."""
    try:
        return work()
    except (UnmuffleError, OSError, MemoryError) as error:
        copied = clip.member is not None or is_url(clip.source)
        return ClipOutcome(cause=_cause(error, clip), message=f"{clip.key}: " * copied + one_line(error))
    except Exception as error:
        return ClipOutcome(cause="unforeseen", message=f"{clip.source}: {one_line(error)}")


def fetch(settings: ClipSettings, clip: Clip) -> FetchedClip:
    """Have the audio of a clip at hand.

    Raises
    ------
    UnmuffleError
        If it cannot be had, or nothing can be written.
    """
    scratch = settings.scratch / hashlib.sha256(clip.key.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    made = scratch.with_suffix(PurePosixPath(clip.output).suffix)
    with told_as(str(settings.scratch)):
        settings.scratch.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stack.callback(made.unlink, missing_ok=True)
        source = stack.enter_context(audio_at_hand(clip, scratch))
        return FetchedClip(clip, source, made, stack.pop_all())


def enhance_alone(settings: ClipSettings, fetched: FetchedClip) -> FileReport:
    """Enhance one clip, of whatever length, block by block.

    Raises
    ------
    UnmuffleError
        If it cannot be read, enhanced, or written.
    """
    return settings.enhancer.enhance_file(fetched.source, fetched.made, overwrite=True, cache=settings.cache)


def finish(
    settings: ClipSettings, fetched: FetchedClip, report: FileReport, before: FloatArray | None = None
) -> dict[str, Any]:
    """Measure and judge what was made of a clip, put it in its place, and return what is to be told.

    Parameters
    ----------
    settings : ClipSettings
    fetched : FetchedClip
    report : FileReport
        Of the enhancement.
    before : float32 [channels, samples], optional
        What the source holds, if it was read whole.

    Raises
    ------
    UnmuffleError, OSError
        If it has no samples, or cannot take its place.
    """
    if report.seconds == 0.0:
        raise InvalidAudioError(f"{fetched.source} holds no samples")
    source, made = fetched.source, fetched.made
    record = _described(settings, report, source) | _measured(settings, source, made, report, before)
    output = settings.destination / fetched.clip.output
    if record["verdict"] == "rejected":
        output.unlink(missing_ok=True)
        return record
    if record["verdict"] == "original":
        _keep_original(source, made)
    record["output_sha256"] = sha256_of_file(made)
    with told_as(str(output)):
        output.parent.mkdir(parents=True, exist_ok=True)
        made.replace(output)
    return record


def _described(settings: ClipSettings, report: FileReport, source: Path) -> dict[str, Any]:
    strength = report.strength_over_time
    return {
        "duration_s": report.seconds,
        "sample_rate": report.sample_rate,
        "channels": report.channels,
        "source_sha256": sha256_of_file(source),
        "strength": settings.strength if strength is None else strength.mean,
        "elapsed_s": report.elapsed_s,
        "warnings": list(report.warnings),
    }


def _measured(
    settings: ClipSettings, source: Path, made: Path, report: FileReport, before: FloatArray | None
) -> dict[str, Any]:
    """Return measures before and after, and what becomes of the clip by them."""
    if not settings.measures:
        return {"verdict": "enhanced", "reason": ""}
    # Imported here because measures take time to load.
    from unmuffle.measure.assurance.assess import assess_quality

    before, after = _middle(source) if before is None else before, _middle(made)
    shortest = min(before.shape[1], after.shape[1])
    assessment = assess_quality(
        before[:, :shortest],
        after[:, :shortest],
        report.sample_rate,
        measures=settings.measures,
        real_time_factor=report.elapsed_s / report.seconds,
        in_step=True,
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


def _middle(path: Path) -> FloatArray:
    """Read a file, or the middle of one that is long."""
    with open_reader(path) as reader:
        start_s = max(0.0, (reader.info.seconds or 0.0) - MEASURED_S) / 2.0
        return read_span(reader, start_s, start_s + MEASURED_S)


def _keep_original(source: Path, made: Path) -> None:
    """Put the source, byte for byte if the kind of file is the same, in place of what was made of it."""
    if source.suffix.lower() == made.suffix.lower():
        with told_as(str(made)):
            shutil.copyfile(source, made)
        return
    with open_reader(source) as reader, open_writer(made, reader.info, source=source, overwrite=True) as writer:
        for block in reader.blocks():
            writer.write(block)


def _cause(error: BaseException, clip: Clip) -> str:
    """Name the kind of fault."""
    if isinstance(error, MemoryError):
        return "memory"
    reason = error if isinstance(error, OSError) else error.__cause__
    number = reason.errno if isinstance(reason, OSError) else None
    if "cannot be written" in str(error) and number in _NO_CLIPS_FAULT:
        return "destination"
    if not is_url(clip.source) and not os.path.exists(clip.source):  # noqa: PTH110 (a name that is too long is no error here)
        return "missing"
    if isinstance(error, InvalidAudioError):
        return "audio"
    return "unreadable" if isinstance(error, AudioFileError) else "refused"
