"""Which files are to be enhanced, and where each result goes."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
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
        If an input does not exist, or a folder or pattern holds no audio.
    InvalidParameterError
        If two results would have one name, or a file is the output of several.
    """
    if not inputs:
        raise InvalidParameterError("name at least one file or folder to enhance")
    if STREAM in inputs:
        return [_stream_task(inputs, output, save_removed)]
    found = [item for name in inputs for item in _expand(name)]
    into_folder = output is not None and (len(found) > 1 or _is_folder_name(output) or Path(inputs[0]).is_dir())
    if into_folder and output is not None and Path(output).is_file():
        raise InvalidParameterError(f"{output} is a file, but {len(found)} results need a folder: name another output")
    many_roots = len({root for _, root in found if root is not None}) > 1
    tasks = []
    for path, root in found:
        if output is None:
            destination = path.with_name(f"{path.stem}.{CLEAR}{path.suffix}")
        elif into_folder:
            destination = Path(output) / _relative(path, root, keep_root=many_roots)
        else:
            destination = Path(output)
        if suffix is not None:
            destination = destination.with_suffix("." + suffix.lstrip("."))
        removed = destination.with_name(f"{destination.stem}.{REMOVED}{destination.suffix}") if save_removed else None
        tasks.append(Task(str(path), str(destination), None if removed is None else str(removed), path.stat().st_size))
    _refuse_collisions(tasks)
    return tasks


def _stream_task(inputs: Sequence[str], output: str | None, save_removed: bool) -> Task:
    if len(inputs) > 1:
        raise InvalidParameterError("standard input (-) is enhanced alone: name no other input beside it")
    if save_removed and output in (None, STREAM):
        raise InvalidParameterError("what was removed needs a file to go beside: name an output file with -o")
    removed = str(Path(output).with_suffix(f".{REMOVED}{Path(output).suffix}")) if save_removed and output else None
    return Task(STREAM, output or STREAM, removed)


def _expand(name: str) -> Iterator[tuple[Path, Path | None]]:
    """Yield each file behind a name, and the folder it was found through."""
    path = Path(name)
    if path.is_dir():
        files = sorted(item for item in _walk(path) if is_media_name(item))
        if not files:
            raise AudioFileError(f"the folder {name} holds no audio or video file")
        yield from ((file, path) for file in files)
    elif path.exists() or not glob.has_magic(name):
        if not path.exists():
            raise AudioFileError(f"there is no file or folder {name}: check the spelling")
        yield path, None
    else:
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 (Path.glob takes no absolute pattern)
        if not matches:
            raise AudioFileError(f"nothing matches the pattern {name}")
        for match in matches:
            if Path(match).is_file():
                yield Path(match), None


def _walk(folder: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(place) / name for name in files)


def _relative(path: Path, root: Path | None, *, keep_root: bool) -> Path:
    if root is None:
        return Path(path.name)
    inside = path.relative_to(root)
    return Path(root.resolve().name) / inside if keep_root else inside


def _is_folder_name(output: str) -> bool:
    return output.endswith(("/", os.sep)) or Path(output).is_dir()


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
