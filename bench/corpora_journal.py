"""What the journal of a corpus costs: bytes and seconds for each clip of a large one."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bench.corpora import RATE_HZ, SECONDS

WORDS = ("the", "of", "and", "to", "in", "is", "you", "that", "it", "he", "was", "for", "on", "are", "with", "they")


def measure(rows: int) -> dict[str, Any]:
    """Return what a journal of so many clips weighs, and how long it takes to plan, to resume, and to note a clip."""
    from unmuffle.corpus.clip import Clip
    from unmuffle.corpus.journal import Journal

    texts = [" ".join(random.Random(seed).choices(WORDS, k=14)) for seed in range(1000)]

    def clips() -> Iterator[Clip]:
        for number in range(rows):
            name = f"speaker-{number % 5000:04d}/utterance-{number:08d}.flac"
            fields = {"audio_filepath": name, "duration": 6.0, "text": texts[number % len(texts)]}
            yield Clip(name, f"/data/corpus/{name}", name, fields, stamp="192044 1700000000000000000")

    with tempfile.TemporaryDirectory() as folder, Journal(Path(folder) / ".unmuffle" / "journal.sqlite") as journal:
        plan_s = _seconds(lambda: journal.plan(clips()))
        note_s = _seconds(lambda: _note_all(journal))
        resume_s = _seconds(lambda: journal.plan(clips()))
        status_s = _seconds(journal.counts)
        size = sum(file.stat().st_size for file in (Path(folder) / ".unmuffle").iterdir())
    return {
        "rows": rows,
        "bytes": size,
        "plan_s": plan_s,
        "note_s": note_s,
        "resume_s": resume_s,
        "status_s": status_s,
    }


def _note_all(journal: Any) -> None:
    records = [_record(number) for number in range(1000)]
    for number, clip in enumerate(journal.todo()):
        journal.finish(clip.key, records[number % len(records)], 6.0)


def _record(number: int) -> dict[str, Any]:
    """Return what may be told of a clip: none like another, or a journal could make much of what they share."""
    chance = random.Random(number)
    before = ("estimated_snr_db", "loudness_lufs", "clipping_share")
    after = (*before, "artefact_score", "onset_loss_db", "high_band_loss_db", "speech_level_change_db")
    return {
        "duration_s": 6.0,
        "sample_rate": RATE_HZ,
        "channels": 1,
        "source_sha256": chance.randbytes(32).hex(),
        "strength": 1.0,
        "elapsed_s": chance.random(),
        "warnings": [],
        "verdict": "enhanced",
        "reason": "",
        "before": {name: chance.gauss(0.0, 20.0) for name in before},
        "after": {name: chance.gauss(0.0, 20.0) for name in after},
        "not_measured": {},
        "output_sha256": chance.randbytes(32).hex(),
    }


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def section(figures: dict[str, Any]) -> str:
    """Return the section of the page."""
    rows, clips = figures["rows"], 1e6 * 3600.0 / SECONDS
    weight = clips * figures["bytes"] / rows / 1e9
    return f"""The journal of {rows:,} clips, with 14 words of text and ten measures each, weighs
{figures["bytes"] / 1e9:.2f} GB, {figures["bytes"] / rows:.0f} bytes a clip; it was planned in {figures["plan_s"]:.0f} s
and taken up again in {figures["resume_s"]:.0f} s; to note a clip takes {1e6 * figures["note_s"] / rows:.0f} us, the
status {figures["status_s"]:.1f} s. That of a million hours in {clips / 1e6:,.0f} million clips of {SECONDS:.0f} s would
weigh {weight:,.0f} GB: runs of some ten million clips are handier."""
