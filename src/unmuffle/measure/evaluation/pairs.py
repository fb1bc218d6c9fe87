"""The clips of an evaluation, found in a folder or a manifest."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.measure.evaluation.clips import ClipPair
from unmuffle.measure.evaluation.manifests import Row, conditions_of, read_manifest, read_rows
from unmuffle.signal.files import is_media_name

PAIRS_FILE = "pairs.csv"


def find_pairs(source: str | os.PathLike[str]) -> list[ClipPair]:
    """Return the clips of a folder or a manifest.

    Parameters
    ----------
    source : path
        A folder with the folders ``noisy`` and ``clean`` in it, where what belongs together has the same name (the
        extension may differ), and, if wanted, a ``pairs.csv`` that tells by ``id`` what is known of each; a folder of
        recordings without any reference; or a manifest, CSV or JSON lines, with ``noisy``, ``clean``, ``id`` and
        anything else that is known, paths relative to it.

    Raises
    ------
    AudioFileError
        If there is no such folder or file, no recording in it, or a reference is missing.
    InvalidParameterError
        If a name comes twice, or a manifest is not what it should be.
    """
    path = Path(source)
    if path.is_dir():
        pairs = _in_folder(path)
    elif path.exists():
        pairs = read_manifest(path)
    else:
        raise AudioFileError(f"{path} does not exist: give a folder of clips or a manifest")
    if not pairs:
        raise AudioFileError(f"{path} names no clip: each needs a line of its own under the head line")
    check_names((pair.name for pair in pairs), str(path))
    return pairs


def check_names(names: Iterable[str], source: str) -> None:
    """Raise ``InvalidParameterError`` if a name comes twice."""
    twice = [name for name, times in Counter(names).items() if times > 1]
    if twice:
        raise InvalidParameterError(f"{source}: {len(twice)} name(s) come more than once, the first {twice[0]!r}")


def _in_folder(folder: Path) -> list[ClipPair]:
    if not (folder / "noisy").is_dir():
        if (folder / "clean").is_dir():
            raise AudioFileError(f"{folder} has a folder 'clean' but no folder 'noisy' in it")
        return [ClipPair(name, path) for name, path in _recordings(folder).items()]
    noisy = _recordings(folder / "noisy")
    clean = _recordings(folder / "clean") if (folder / "clean").is_dir() else {}
    alone = [name for name in noisy if name not in clean]
    if clean and alone:
        raise AudioFileError(
            f"{len(alone)} of {len(noisy)} clips have no reference, the first {noisy[alone[0]]}: "
            f"there is nothing of that name in {folder / 'clean'}"
        )
    known = _known(folder / PAIRS_FILE, noisy)
    return [ClipPair(name, path, clean.get(name), known.get(name, {})) for name, path in noisy.items()]


def _recordings(folder: Path) -> dict[str, Path]:
    """Return the recordings in a folder, by their path in it without extension."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if not (is_media_name(path) and path.is_file()):
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise InvalidParameterError(f"{found[name]} and {path} have the same name: keep one of them")
        found[name] = path
    if not found:
        raise AudioFileError(f"{folder} is empty: there is no audio file in it")
    return found


def _known(path: Path, noisy: dict[str, Path]) -> dict[str, Row]:
    if not path.exists():
        return {}
    rows = read_rows(path)
    for number, row in enumerate(rows, start=1):
        if str(row.get("id")) not in noisy:
            raise AudioFileError(f"{path}: entry {number} is of {row.get('id')!r}, and there is no such noisy clip")
    check_names((str(row["id"]) for row in rows), str(path))
    return {str(row["id"]): conditions_of(row) for row in rows}
