"""The sections of the page on the server."""

from __future__ import annotations

from typing import Any

from bench.tables import table

HEAD = """\
`unmuffle serve` on one core, its clients on the others: each sends {frame_ms:.0f} ms frames of recorded speech in real
time over a WebSocket of its own. Late: answer time less due time, which is when the frame was due that completed what
was answered; it holds the clients' own lateness, too. Streams were added until the 99th percentile passed
{limit_ms:.0f} ms: by {step}, then, from the last that was carried, by {fine}. Wanted: 100 streams of 16 kHz a core, all
included, and less than 20 ms at 80 % of what it carries."""

SOAK = """\
{streams} streams of {rate} Hz, 70 % of what the core carries, for {minutes:g} minutes: {misses:.0f} frames missed
their deadline of 20 ms, {lost} streams were lost; the 99th percentile of an answer's lateness was {best:.1f} to
{worst:.1f} ms a minute, and the server held {first:.0f} MB at first and {last:.0f} MB at last. Wanted: no growth, and
no frame missed."""


def serve_section(figures: dict[str, Any]) -> str:
    """Return the capacity table."""
    head = ("rate", "streams a core", "late at 80 %, p50 ms", "p99 ms", "most ms", "core busy at 80 %", "MB")
    rows = [
        (
            f"{int(rate) // 1000} kHz",
            str(part["streams"]),
            f"{part['at_ease']['p50_ms']:.1f}",
            f"{part['at_ease']['p99_ms']:.1f}",
            f"{part['at_ease']['most_ms']:.1f}",
            f"{100 * part['at_ease']['cpu']:.0f} %",
            f"{part['rss_mb']:.0f}",
        )
        for rate, part in figures["rates"].items()
    ]
    return f"{HEAD.format(**figures)}\n\n{table(head, rows)}"


def soak_section(figures: dict[str, Any]) -> str:
    """Return what became of the server in a long run."""
    rows = figures["rows"]
    late_ms = [row["p99_ms"] for row in rows]
    return SOAK.format(
        streams=figures["streams"],
        rate=figures["rate_hz"],
        minutes=figures["minutes"],
        misses=rows[-1]["misses"],
        lost=sum(row["lost"] for row in rows),
        best=min(late_ms),
        worst=max(late_ms),
        first=rows[0]["rss_mb"],
        last=rows[-1]["rss_mb"],
    )
