"""What is told of a run over a corpus, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator

from unmuffle.corpus import CorpusStatus, Outlook, PackReport
from unmuffle.measure.single.wording import clock


def status_lines(found: CorpusStatus) -> Iterator[str]:
    """Say how far a run is, how fast it goes, and what failed, with an example of each kind."""
    total = found.done + found.failed + found.left
    if found.at_work and found.planning:
        yield f"at work: it lists what the corpus holds, {found.planning:,} clips by now"
    head = "at work" if found.at_work else "not at work"
    if total:
        share = 100.0 * (found.done + found.failed) / total
        part = f"{share:.0f} %" if share in (0.0, 100.0) else f"{share:.1f} %"
        yield f"{head}: {part} of {total:,} clips: {found.done:,} done, {found.failed:,} failed, {found.left:,} left"
        audio = f"{clock(found.seconds)} of audio"
        yield (
            f"{audio}, at {found.clips_per_s:.1f} clips a second, {found.speed:.0f} x real time"
            if found.speed
            else audio
        )
    if found.left and found.eta_s is not None:
        yield f"{clock(found.eta_s)} to go at this pace" + ("" if found.at_work else ", once it is run again")
    if found.gone:
        yield f"{found.gone:,} were in the corpus once and are gone"
    for cause, count in found.failures.items():
        yield f"{count:,} failed: {cause}; for one, {shown(found.examples[cause])}"


def outlook_line(found: Outlook) -> str:
    """Say how many clips would be done and why, and what of the others."""
    todo, done, failed = sum(found.todo.values()), found.rest["done"], found.rest["failed"]
    reasons = ", ".join(f"{count:,} {why}" for why, count in sorted(found.todo.items()))
    parts = [f"{todo:,} would be done" + (f" ({reasons})" if reasons else "")]
    parts += [f"{done:,} are done"] * bool(done)
    parts += [f"{failed:,} failed before and are left, unless with --retry-failed"] * bool(failed)
    return "; ".join(parts)


def packed_lines(report: PackReport) -> Iterator[str]:
    """Say what is in shards, and what is not."""
    there = report.shards - report.written
    yield f"{report.clips:,} clips in {report.shards:,} shards" + (
        f", {there:,} of them there already" if there else ""
    )
    if report.left_out:
        yield f"{report.left_out:,} clips left out: rejected, failed, or in one sample with such a clip"
    if report.removed:
        yield f"{report.removed:,} shards of an earlier packing removed"


def shown(name: str) -> str:
    r"""Return a name as it can be shown in one line.

    >>> print(shown("new\nline \udcff é"))
    new\nline \udcff é
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in name)
