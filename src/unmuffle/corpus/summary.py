"""A run over a corpus as one page: totals, what was gained and damaged, and clips to listen to."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.journal import Journal
from unmuffle.corpus.running import journal_of
from unmuffle.errors import InvalidParameterError
from unmuffle.measure.report.html import Section, write_html
from unmuffle.measure.results import UNPROCESSED, ClipResult, Results
from unmuffle.measure.single.wording import clock

MOST_CLIPS = 1000
"""Of which the figures are, spread evenly over the corpus; totals are of all."""

ENHANCED = "enhanced"
_VERDICTS = {"enhanced": "enhanced", "original": "kept as they came", "rejected": "left out"}


def write_summary(destination: str | os.PathLike[str], path: str | os.PathLike[str], *, max_clips: int = 20) -> None:
    """Write the page of a run, whole or not at all; a file that is there already is replaced.

    Parameters
    ----------
    destination : path
        Where the run wrote to.
    path : path
        Of the ``.html`` file.
    max_clips : int, default 20
        How many clips may be listened to: those with the least gain.

    Raises
    ------
    AudioFileError
        If no run wrote there, or the page cannot be written.
    InvalidParameterError
        If nothing was measured.
    MissingExtraError
        Without the extra ``report``.
    """
    with Journal(journal_of(destination), writes=False) as journal:
        counts = journal.counts()
        every = max(1, -(-counts.get("done", 0) // MOST_CLIPS))
        verdicts: Counter[str] = Counter()
        rows: list[ClipResult] = []
        for number, (clip, record) in enumerate(journal.done()):
            verdicts[record["verdict"]] += 1
            if number % every == 0:
                rows += _rows(Path(destination), clip, record)
        if not any(row.values for row in rows):
            raise InvalidParameterError(
                f"nothing was measured in {destination}: run it with measures, as is done without --measure none"
            )
        about = {name: str(journal.settings[name]) for name in ("version", "preset", "method", "model", "strength")}
        about["clips in the figures"] = f"{-(-counts.get('done', 0) // every)} of {counts.get('done', 0)}"
        section = Section("What became of the clips", _totals(journal, counts, verdicts))
        write_html(Results(rows, about), path, title="Corpus", max_clips=max_clips, sections=[section])


def _rows(folder: Path, clip: Clip, record: dict[str, Any]) -> Iterator[ClipResult]:
    """Yield the clip as it came, and as it was enhanced whether or not that was kept."""
    files = {"noisy": str(Path(clip.source).absolute())} if clip.member is None and clip.span_s is None else {}
    if record["verdict"] == "enhanced":
        files["enhanced"] = str((folder / clip.output).absolute())
    for name, side in ((UNPROCESSED, "before"), (ENHANCED, "after")):
        yield ClipResult(
            clip.key,
            name,
            record["sample_rate"],
            record["duration_s"],
            record.get(side, {}),
            conditions={"verdict": _VERDICTS[record["verdict"]]},
            files=files,
        )


def _totals(journal: Journal, counts: Any, verdicts: Counter[str]) -> str:
    lines = [(f"{count:,}", _VERDICTS[verdict]) for verdict, count in verdicts.most_common()]
    lines += [(f"{count:,}", f"failed: {cause}") for cause, count in sorted(journal.failures().items())]
    lines += [(f"{counts['todo']:,}", "not come to yet")] if counts.get("todo") else []
    lines.append((clock(journal.seconds()), "of audio"))
    cells = "".join(f"<tr><td>{escape(value)}</td><th scope='row'>{escape(name)}</th></tr>" for value, name in lines)
    return f"<table><tbody>{cells}</tbody></table>"
