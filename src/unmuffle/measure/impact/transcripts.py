"""Recordings whose text is known, and lists of them: CSV with a head line, or JSON lines as NVIDIA NeMo writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.evaluation.manifests import read_rows
from unmuffle.measure.results import Condition

_AUDIO = ("file", "audio_filepath", "audio", "path", "clean")
_TEXT = ("text", "transcript", "sentence")
_TALKER = ("talker", "speaker", "speaker_id")
_AS_RECORDED = "as recorded"


@dataclass(frozen=True)
class Utterance:
    """A recording and what is said in it.

    Attributes
    ----------
    name : str
        Unique within a run.
    text : str
        What is said.
    clean : Path or None
        The clean recording.
    noisy : Path or None
        A recording that is noisy already.
    talker : str, default ""
        Who speaks.
    noise : str, default "as recorded"
        What the noise of ``noisy`` is.
    snr_db : float or None
        Its ratio, where it is known.
    """

    name: str
    text: str
    clean: Path | None = None
    noisy: Path | None = None
    talker: str = ""
    noise: str = _AS_RECORDED
    snr_db: float | None = None


def read_transcripts(path: str | Path) -> list[Utterance]:
    """Return the recordings of a list, in its order.

    Columns: ``file`` (or ``audio_filepath``, ``audio``, ``path``, ``clean``), ``text`` (or ``transcript``,
    ``sentence``), and where there are such: ``talker`` (or ``speaker``), ``id``, ``noisy`` (the same, noisy already),
    ``noise`` and ``snr_db`` (what that noise is). Paths are relative to the list.

    Raises
    ------
    AudioFileError
        If it cannot be read.
    InvalidParameterError
        If there is nothing in it, a line has no file or no text, or two have the same name; the message names it.
    """
    source = Path(path)
    found = [_utterance(source, number, row) for number, row in enumerate(read_rows(source), start=1)]
    if not found:
        raise InvalidParameterError(f"{source} is empty: it must list recordings and their texts")
    taken: set[str] = set()
    for utterance in found:
        if utterance.name in taken:
            raise InvalidParameterError(
                f"{source}: two recordings are called {utterance.name!r}: give each an id of its own"
            )
        taken.add(utterance.name)
    return found


def _utterance(source: Path, number: int, row: Mapping[str, Condition]) -> Utterance:
    audio, text = _cell(row, _AUDIO), _cell(row, _TEXT)
    noisy = _cell(row, ("noisy",))
    if not audio and not noisy:
        raise InvalidParameterError(f"{source}: entry {number} has no recording: it belongs under 'file'")
    if not text:
        raise InvalidParameterError(f"{source}: entry {number} ({audio or noisy}) has no text")
    try:
        snr_db = None if "snr_db" not in row else float(row["snr_db"])
    except ValueError as error:
        raise InvalidParameterError(f"{source}: entry {number} has snr_db {row['snr_db']!r}: give a number") from error
    return Utterance(
        name=_cell(row, ("id",)) or Path(noisy or audio).stem,
        text=text,
        clean=source.parent / audio if audio else None,
        noisy=source.parent / noisy if noisy else None,
        talker=_cell(row, _TALKER),
        noise=_cell(row, ("noise",)) or _AS_RECORDED,
        snr_db=snr_db,
    )


def _cell(row: Mapping[str, Condition], names: tuple[str, ...]) -> str:
    """Return the first of these cells that there is, as text."""
    return str(next((row[name] for name in names if name in row), "")).strip()
