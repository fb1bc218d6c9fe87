"""A run over a corpus as one page: totals, what was gained and damaged, and clips to listen to."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from unmuffle.corpus.clip import Clip
from unmuffle.corpus.journal import Journal, State
from unmuffle.corpus.running import journal_of
from unmuffle.errors import InvalidParameterError
from unmuffle.measure.report.html import Section, write_html
from unmuffle.measure.results import UNPROCESSED, ClipResult, Results
from unmuffle.measure.single.wording import clock

MOST_CLIPS = 1000
"""Of which the figures are, spread evenly over the corpus; totals are of all."""

ENHANCED = "enhanced"
_HEADING = "<h3 style='margin: 2rem 0 0.75rem'>"
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
        How many clips may be listened to: those that came out worst of those that were enhanced.

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
        tally = _Tally()
        rows: list[ClipResult] = []
        for number, (clip, record) in enumerate(journal.done()):
            tally.add(record)
            if number % every == 0:
                rows += _rows(Path(destination), clip, record)
        if not any(row.values for row in rows):
            raise InvalidParameterError(
                f"nothing was measured in {destination}: run it with measures, as is done without --measure none"
            )
        section = Section("What became of the clips", _became(journal, counts, tally), first=True)
        about = _about(journal.settings, -(-counts.get("done", 0) // every), counts.get("done", 0))
        write_html(Results(rows, about), path, title="Corpus", max_clips=max_clips, sections=[section])


class _Tally:
    """Clips and seconds by verdict, and clips by what the gate had against them."""

    def __init__(self) -> None:
        self.clips: Counter[str] = Counter()
        self.seconds: Counter[str] = Counter()
        self.against: dict[str, Counter[str]] = {}

    def add(self, record: dict[str, Any]) -> None:
        verdict = record["verdict"]
        self.clips[verdict] += 1
        self.seconds[verdict] += record["duration_s"]
        for reason in record["reason"].split("; "):
            rule, colon, _ = reason.partition(":")
            if colon:
                self.against.setdefault(verdict, Counter())[rule] += 1


def _about(settings: dict[str, Any], shown: int, done: int) -> dict[str, str]:
    told = {"version": "version", "preset": "preset", "method": "method", "model": "model_name", "strength": "strength"}
    about = {name: str(settings[key]) for name, key in told.items() if settings.get(key) is not None}
    return about | {"clips in the figures": f"{shown:,} of {done:,}"}


def _rows(folder: Path, clip: Clip, record: dict[str, Any]) -> Iterator[ClipResult]:
    """Yield the clip as it came, and as it is now if it was enhanced."""
    files = {"noisy": str(Path(clip.source).absolute())} if clip.member is None and clip.span_s is None else {}
    sides = [(UNPROCESSED, "before")]
    if record["verdict"] == "enhanced":
        files["enhanced"] = str((folder / clip.output).absolute())
        sides.append((ENHANCED, "after"))
    for name, side in sides:
        yield ClipResult(
            clip.key,
            name,
            record["sample_rate"],
            record["duration_s"],
            record.get(side, {}),
            conditions={"verdict": _VERDICTS[record["verdict"]]},
            files=files,
        )


def _became(journal: Journal, counts: Mapping[State, int], tally: _Tally) -> str:
    """Return totals, what the gate had against clips, and what failed with an example of each kind."""
    total = sum(counts.get(state, 0) for state in ("done", "failed", "todo"))
    became = [
        (_VERDICTS[verdict], f"{count:,}", f"{100.0 * count / total:.1f} %", clock(tally.seconds[verdict]))
        for verdict, count in tally.clips.most_common()
    ]
    for name, state in (("failed", "failed"), ("not come to yet", "todo")):
        count = counts.get(state, 0)  # type: ignore[call-overload]  # both are states
        became += [(name, f"{count:,}", f"{100.0 * count / total:.1f} %", "")] if count else []
    became.append(("in all", f"{total:,}", "", clock(journal.seconds())))
    parts = [_table(("", "clips", "share", "audio"), became)]
    against = [
        (f"{_VERDICTS[verdict]}: {rule}", f"{count:,}")
        for verdict, rules in tally.against.items()
        for rule, count in rules.most_common()
    ]
    if against:
        parts.append(f"{_HEADING}What the gate had against them</h3>" + _table(("", "clips"), against))
    faults = [(cause, f"{count:,}", message) for cause, count, message in journal.faults()]
    if faults:
        head = ("cause", "clips", "for one (all are in quarantine.jsonl)")
        parts.append(f"{_HEADING}What failed</h3>" + _table(head, faults))
    return "".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    top = "".join(f"<th scope='col'>{escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr><th scope='row'>{escape(name)}</th>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for name, *cells in rows
    )
    return f"<div class='scroll fitted'><table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table></div>"
