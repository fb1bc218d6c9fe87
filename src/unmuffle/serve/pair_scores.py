"""Scores of an enhanced recording beside the noisy one it was made of, and against a clean one where there is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from unmuffle._version import __version__
from unmuffle.errors import AudioFileError
from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.evaluation.clip_work import ClipTask, measure_clip
from unmuffle.measure.evaluation.clips import ClipPair, read_audio
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.evaluation.selection import BLIND_KEYS, DAMAGE_KEYS, REFERENCE_KEYS
from unmuffle.measure.results import UNPROCESSED, ClipResult, Results
from unmuffle.signal.arrays import FloatArray

ENHANCED = "enhanced"


def measure_pair(files: Mapping[str, Path], names: Mapping[str, str], page: Path | None = None) -> dict[str, Any]:
    """Measure a noisy and an enhanced recording.

    Parameters
    ----------
    files : mapping of str to Path
        By role: ``noisy``, ``enhanced``, and ``clean`` where there is one.
    names : mapping of str to str
        What each is called.
    page : Path, optional
        Write the report there, as HTML.

    Returns
    -------
    dict
        ``seconds``, ``sample_rate``; under ``noisy`` and ``enhanced`` their ``values`` and ``failures`` by measure;
        ``gains`` of the one over the other; ``measures`` tells the unit and the direction of each. ``path`` is that of
        the page.

    Raises
    ------
    AudioFileError
        If a file cannot be read, or they do not belong together.
    """
    audio, rate = read_audio(files[ENHANCED])

    def enhance(_: FloatArray, its_rate: int) -> FloatArray:
        if its_rate != rate:
            raise AudioFileError(f"{names[ENHANCED]} has {rate} Hz and {names['noisy']} {its_rate} Hz: resample one")
        return audio

    keys = DAMAGE_KEYS | BLIND_KEYS | (REFERENCE_KEYS if "clean" in files else frozenset())
    clip = ClipPair(names["noisy"], files["noisy"], files.get("clean"))
    rows: list[ClipResult] = []
    enhancer = ClipEnhancer(ENHANCED, enhance, warms_up=False)
    measure_clip(ClipTask(clip, (enhancer,), untouched=True, keys=frozenset(keys)), rows.append)
    before, after = (next(row for row in rows if row.enhancer == name) for name in (UNPROCESSED, ENHANCED))
    for row in (before, after):
        if row.failed:
            raise AudioFileError(row.failures["clip"])
    after = replace(after, files={**after.files, ENHANCED: str(files[ENHANCED])})
    if page is not None:
        _write_page([before, after], page)
    return _as_data(before, after) | ({} if page is None else {"path": str(page)})


def _write_page(rows: list[ClipResult], page: Path) -> None:
    from unmuffle.measure.report.html import write_html

    about = {
        "data": "uploaded files",
        "unmuffle": __version__,
        "date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    }
    write_html(Results(rows, about), page)


def _as_data(before: ClipResult, after: ClipResult) -> dict[str, Any]:
    both = Results([before, after])
    gains = {key: gain for key in after.values if (gain := both.gain(after, key)) is not None}
    told = {key: measure_of(key) for key in both.keys}
    return {
        "seconds": after.seconds,
        "sample_rate": after.sample_rate,
        UNPROCESSED: {"values": dict(before.values), "failures": dict(before.failures)},
        ENHANCED: {"values": dict(after.values), "failures": dict(after.failures)},
        "gains": gains,
        "measures": {
            key: {"name": one.name, "unit": one.unit, "more_is_better": one.more_is_better} for key, one in told.items()
        },
    }
