"""Which files are to be enhanced, and where each result goes."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.signal.files import is_media_name

CLEAR = "clear"
REMOVED = "removed"
STREAM = "-"


@dataclass(frozen=True)
class Task:
    """One file to be enhanced.

    Attributes
    ----------
    source, destination : str
        Paths; ``"-"`` is standard input or output.
    removed : str or None
        Where what was removed goes, if it is wanted.
    size : int
        Of the source in bytes, for the progress; 0 if not known.
    """

    source: str
    destination: str
    removed: str | None = None
    size: int = 0


def plan_tasks(
    inputs: Sequence[str],
    output: str | None = None,
    *,
    save_removed: bool = False,
    suffix: str | None = None,
) -> list[Task]:
    """Turn what a user names into tasks.

    Parameters
    ----------
    inputs : sequence of str
        Files, folders (searched for audio and video through all levels), patterns such as ``talks/*.wav``, or ``-``.
    output : str, optional
        One file, or a folder under which a folder's tree is mirrored. Without it, the result lies beside its source:
        ``talk.wav`` becomes ``talk.clear.wav``.
    save_removed : bool, default False
        Also write what was removed, beside the result: ``talk.clear.removed.wav``.
    suffix : str, optional
        Extension, and so format, of the results, for instance ``"flac"``; the source's own unless given.

    Raises
    ------
    AudioFileError
        If a folder or pattern holds no audio. A file that does not exist is told when its turn comes.
    InvalidParameterError
        If two results would have one name, or a file is the output of several.
    """
    if not inputs:
        raise InvalidParameterError("name at least one file or folder to enhance")
    if STREAM in inputs:
        if len(inputs) > 1:
            raise InvalidParameterError("standard input (-) is enhanced alone: name no other input beside it")
        return [_stream_task(inputs, output, save_removed, suffix)]
    found = _without_repeats(item for name in inputs for item in _expand(name, output))
    if output == STREAM:
        _refuse_for_stream([path for path, _ in found], save_removed, suffix)
        return [Task(str(path), STREAM, None, _size(path)) for path, _ in found]
    into_folder = output is not None and (len(found) > 1 or _is_folder_name(output) or Path(inputs[0]).is_dir())
    if into_folder and output is not None and _is_file_name(output):
        raise InvalidParameterError(f"{output} is one file, but {len(found)} result(s) need a folder: name a folder")
    many_roots = len({root for _, root in found if root is not None}) > 1
    tasks = []
    for path, root in found:
        if output is None:
            destination = path.with_name(f"{path.stem}.{CLEAR}{path.suffix}")
        elif into_folder:
            destination = Path(output) / _relative(path, root, keep_root=many_roots)
        else:
            destination = Path(output)
        destination = _with_suffix(destination, suffix)
        removed = _removed_beside(destination) if save_removed else None
        tasks.append(Task(str(path), str(destination), removed, _size(path)))
    _refuse_collisions(tasks)
    return tasks


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _stream_task(inputs: Sequence[str], output: str | None, save_removed: bool, suffix: str | None) -> Task:
    if output is None or output == STREAM:
        _refuse_for_stream(inputs, save_removed, suffix)
        return Task(STREAM, STREAM)
    destination = _with_suffix(Path(output), suffix)
    return Task(STREAM, str(destination), _removed_beside(destination) if save_removed else None)


def _refuse_for_stream(inputs: Sequence[object], save_removed: bool, suffix: str | None) -> None:
    if len(inputs) > 1:
        raise InvalidParameterError(f"standard output (-) takes one result, not {len(inputs)}: name a folder with -o")
    if save_removed:
        raise InvalidParameterError("what was removed needs a file to go beside: name an output file with -o")
    if suffix is not None:
        raise InvalidParameterError(f"standard output (-) gets WAV, not {suffix}: name an output file with -o")


def _with_suffix(path: Path, suffix: str | None) -> Path:
    return path if suffix is None else path.with_suffix("." + suffix.lstrip("."))


def _removed_beside(destination: Path) -> str:
    return str(destination.with_name(f"{destination.stem}.{REMOVED}{destination.suffix}"))


def _without_repeats(found: Iterable[tuple[Path, Path | None]]) -> list[tuple[Path, Path | None]]:
    """Name each file once, though it may be reached through a folder and by its own name as well."""
    return list({path.absolute(): (path, root) for path, root in found}.values())


def _expand(name: str, output: str | None) -> Iterator[tuple[Path, Path | None]]:
    """Yield each file behind a name, and the folder it was found through."""
    path = Path(name)
    if path.is_dir():
        files = _without_results(sorted(walk_media(path, output)))
        if not files:
            raise AudioFileError(f"the folder {name} holds no audio or video file")
        yield from ((file, path) for file in files)
    elif path.exists() or not glob.has_magic(name):
        # One that does not exist is that task's error; the others go on.
        yield path, None
    else:
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
        if not matches:
            raise AudioFileError(f"nothing matches the pattern {name}")
        for match in matches:
            if Path(match).is_file():
                yield Path(match), None


def walk_media(folder: Path, output: str | None) -> Iterator[Path]:
    """Yield audio and video in a folder, but neither in hidden folders nor in an output folder inside it."""
    results = None if output is None else Path(output).resolve()
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and (Path(place) / name).resolve() != results
        )
        yield from (Path(place) / name for name in sorted(files) if is_media_name(Path(name)))


def _without_results(files: list[Path]) -> list[Path]:
    """Leave out what an earlier run made of a file beside it: it is not to be enhanced once more."""
    stems = {file.with_suffix("") for file in files}

    def is_result(file: Path) -> bool:
        source, _, mark = file.stem.removesuffix(f".{REMOVED}").rpartition(".")
        return mark == CLEAR and bool(source) and file.with_name(source) in stems

    return [file for file in files if not is_result(file)]


def _relative(path: Path, root: Path | None, *, keep_root: bool) -> Path:
    if root is None:
        return Path(path.name)
    inside = path.relative_to(root)
    return Path(root.resolve().name) / inside if keep_root else inside


def _is_folder_name(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


def _is_file_name(output: str) -> bool:
    return Path(output).is_file() or (is_media_name(output) and not _is_folder_name(output))


def _refuse_collisions(tasks: Sequence[Task]) -> None:
    owners: dict[str, str] = {}
    for task in tasks:
        # Upper and lower case are one name on some file systems.
        key = str(Path(task.destination).absolute()).casefold()
        if key in owners:
            raise InvalidParameterError(
                f"{owners[key]} and {task.source} would both be written to {task.destination}: "
                "run them apart, or give folders as inputs"
            )
        owners[key] = task.source
