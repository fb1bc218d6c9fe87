"""Files and folders assessed clip by clip, on one or more processes; a clip that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from unmuffle.errors import AudioFileError, InvalidParameterError, one_line
from unmuffle.jobs.one_thread import one_thread_each
from unmuffle.jobs.workers import Report, run_in_workers
from unmuffle.measure.assurance.assess import assess_quality
from unmuffle.measure.assurance.assessment import QualityAssessment
from unmuffle.measure.evaluation.clips import read_audio
from unmuffle.measure.results import ClipResult
from unmuffle.signal.arrays import FloatArray
from unmuffle.signal.files import is_media_name

MOST_LENGTH_DIFFERENCE_S = 0.1
"""Codecs leave some samples more or less at the end; beyond this audio was lost, or another clip was named."""


@dataclass(frozen=True)
class ClipFiles:
    """The files of one clip.

    Attributes
    ----------
    clip : str
        What it is called.
    original, enhanced : str
        Paths.
    clean, enhanced_clean : str or None
        Paths of the clean reference, and of what the enhancer made of it.
    """

    clip: str
    original: str
    enhanced: str
    clean: str | None = None
    enhanced_clean: str | None = None

    @property
    def by_role(self) -> dict[str, str]:
        """Absolute paths as ``ClipResult.files`` has them."""
        roles = {"noisy": self.original, "enhanced": self.enhanced, "clean": self.clean}
        return {role: str(Path(path).absolute()) for role, path in roles.items() if path is not None}


def plan_clips(
    original: str, enhanced: str, clean: str | None = None, enhanced_clean: str | None = None
) -> list[ClipFiles]:
    """Find which files belong together.

    Parameters
    ----------
    original, enhanced, clean, enhanced_clean : str
        All files, or all folders; files of folders belong together where their paths inside are equal, or are so but
        for the extension.

    Raises
    ------
    AudioFileError
        If a folder holds no audio, or none of the names of the originals.
    InvalidParameterError
        If some are files and some are folders.
    """
    others = {"enhanced": enhanced, "clean": clean, "enhanced_clean": enhanced_clean}
    given = {role: name for role, name in others.items() if name is not None}
    if not Path(original).is_dir():
        folders = [name for name in given.values() if Path(name).is_dir()]
        if folders:
            raise InvalidParameterError(
                f"{original} is one file and {folders[0]} a folder: name all files or all folders"
            )
        return [ClipFiles(Path(original).stem, original, **given)]
    for name in given.values():
        if not Path(name).is_dir():
            raise InvalidParameterError(f"{original} is a folder and {name} is none: name all files or all folders")
    clips = _audio_in(original)
    found = {role: _audio_in(name) for role, name in given.items()}
    for role, partners in found.items():
        if not clips.keys() & partners.keys():
            missing = f"{given[role]} holds no file of the name of one in {original}, such as {next(iter(clips))}"
            raise AudioFileError(missing)
    return [
        ClipFiles(
            clip,
            path,
            # One that is not there is this clip's failure; the others go on.
            found["enhanced"].get(clip, str(Path(enhanced, clip).with_suffix(Path(path).suffix))),
            **{role: partners.get(clip) for role, partners in found.items() if role != "enhanced"},
        )
        for clip, path in clips.items()
    ]


def assess_clips(
    clips: Sequence[ClipFiles],
    *,
    enhancer: str = "enhanced",
    measures: Collection[str] | None = None,
    real_time_factor: float | None = None,
    latency_ms: float | None = None,
    jobs: int = 1,
) -> Iterator[QualityAssessment]:
    """Assess clips and yield each as it is done; of one that fails, the assessment tells why.

    Parameters
    ----------
    clips : sequence of ClipFiles
        From ``plan_clips``.
    enhancer : str
        What the enhancer is called.
    measures, real_time_factor, latency_ms
        As in ``assess_quality``, for all clips.
    jobs : int, default 1
        How many processes. With more than one, a script has to guard its start by ``if __name__ == "__main__":``.
    """
    options = {"measures": measures, "real_time_factor": real_time_factor, "latency_ms": latency_ms}
    work = partial(_assess, enhancer, options)
    tasks = list(clips)
    if jobs == 1 or len(tasks) == 1:
        yield from map(work, tasks)
        return
    with one_thread_each(), closing(_crew(tasks, work, jobs)) as crew:
        for index, kind, value in crew:
            if kind == "done":
                yield value
            elif kind == "died":
                yield _failed(tasks[index], enhancer, f"{value}; out of memory, perhaps")


def _crew(tasks: list[ClipFiles], work: Callable[[ClipFiles, Report], QualityAssessment], jobs: int) -> Any:
    return run_in_workers(tasks, work, jobs)


def _assess(enhancer: str, options: Mapping[str, Any], files: ClipFiles, _: Report | None = None) -> QualityAssessment:
    try:
        audio, rate = _read_all(files)
        return assess_quality(
            audio["original"],
            audio["enhanced"],
            rate,
            audio.get("clean"),
            enhanced_reference=audio.get("enhanced_clean"),
            clip=files.clip,
            enhancer=enhancer,
            files=files.by_role,
            **options,
        )
    except Exception as error:
        # Whatever it is, it is one clip's trouble; the others go on.
        return _failed(files, enhancer, one_line(error))


def _failed(files: ClipFiles, enhancer: str, reason: str) -> QualityAssessment:
    return QualityAssessment(ClipResult(files.clip, enhancer, 0, 0.0, failures={"clip": reason}, files=files.by_role))


def _read_all(files: ClipFiles) -> tuple[dict[str, FloatArray], int]:
    """Return the audio by role, cut to a common length, and its rate."""
    paths = {role: getattr(files, role) for role in ("original", "enhanced", "clean", "enhanced_clean")}
    audio: dict[str, FloatArray] = {}
    rate = 0
    for role, path in paths.items():
        if path is None:
            continue
        audio[role], its_rate = read_audio(Path(path))
        rate = rate or its_rate
        if its_rate != rate:
            raise AudioFileError(f"{path} has {its_rate} Hz and {files.original} {rate} Hz: resample one of them first")
        _refuse_other_shape(path, audio[role], files.original, audio["original"], rate)
    common = min(samples.shape[1] for samples in audio.values())
    return {role: samples[:, :common] for role, samples in audio.items()}, rate


def _refuse_other_shape(path: str, audio: FloatArray, original: str, first: FloatArray, rate: int) -> None:
    if len(audio) != len(first):
        raise AudioFileError(f"{path} has {len(audio)} channel(s) and {original} {len(first)}")
    if abs(audio.shape[1] - first.shape[1]) > MOST_LENGTH_DIFFERENCE_S * rate:
        seconds = audio.shape[1] / rate, first.shape[1] / rate
        raise AudioFileError(
            f"{path} is {seconds[0]:.2f} s long and {original} {seconds[1]:.2f} s: is it of this clip?"
        )


def _audio_in(folder: str) -> dict[str, str]:
    """Return the audio files in a folder, by their path in it without extension."""
    found: dict[str, str] = {}
    for path in sorted(Path(folder).rglob("*")):
        inside = path.relative_to(folder)
        if not is_media_name(path) or any(part.startswith(".") for part in inside.parts):
            continue
        name = inside.with_suffix("").as_posix()
        if name in found:
            raise InvalidParameterError(f"{found[name]} and {path} have the same name: keep one of them")
        found[name] = str(path)
    if not found:
        raise AudioFileError(f"the folder {folder} holds no audio or video file")
    return found
