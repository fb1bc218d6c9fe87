"""The section of ``docs/benchmarks.md`` on the stream pool."""

from __future__ import annotations

from typing import Any

from bench.tables import table

_RATES_HEAD = ("rate", "pool: streams a core", "loop: streams a core", "us a frame", "tick ms, p50", "p99")
_PRESETS_HEAD = ("preset", "rate", "pool: streams a core", "loop: streams a core", "tick ms, p99")
_PRESETS_EXPLAINED = (
    "Streams with a preset, of the recording in `examples/`: 128 of `meeting` and `hearing`, whose stages the pool "
    "runs for many streams together, and 32 of the others, most of whose time goes into what is done for each alone; "
    "in the loop 16. Wanted: 120 of 16 kHz with `meeting`."
)
_BATCHES_HEAD = ("streams of 16 kHz", "channels a call", "us a frame", "streams a core", "tick ms, p50", "p99")


def pool_section(figures: dict[str, Any]) -> str:
    """Return the section."""
    explained = (
        f"`StreamPool` with {figures['streams']} streams (with an automatic strength {figures['lone_streams']}) that "
        f"send 20 ms blocks, each at its own time, ticked every 5 ms, beside {figures['lone_streams']} "
        "`unmuffle.open_stream` objects in a loop. Processor time of writing, ticking and reading on one thread, "
        f"best of {figures['rounds']}; lengths of ticks in real time. Streams a core: how many would take all of its "
        "time. Wanted: 250 of 16 kHz."
    )
    rates = [
        (
            f"{int(rate) / 1000:g} kHz",
            f"{row['pool']['streams_a_core']:.0f}",
            f"{row['lone']['streams_a_core']:.0f}",
            f"{row['pool']['us_a_frame']:.0f}",
            f"{row['pool']['tick_p50_ms']:.1f}",
            f"{row['pool']['tick_p99_ms']:.1f}",
        )
        for rate, row in figures["rates"].items()
    ]
    batches = [
        (
            streams,
            f"{row['batch']:.0f}",
            f"{row['us_a_frame']:.0f}",
            f"{row['streams_a_core']:.0f}",
            f"{row['tick_p50_ms']:.1f}",
            f"{row['tick_p99_ms']:.1f}",
        )
        for streams, row in figures["batches"].items()
    ]
    settings = [
        (name, f"{row['pool']['streams_a_core']:.0f}", f"{row['lone']['streams_a_core']:.0f}")
        for name, row in figures["settings"].items()
    ]
    presets = [
        (
            row["preset"],
            f"{row['rate_hz'] / 1000:g} kHz",
            f"{row['pool']['streams_a_core']:.0f}",
            f"{row['lone']['streams_a_core']:.0f}",
            f"{row['pool']['tick_p99_ms']:.1f}",
        )
        for row in figures["presets"]
    ]
    soak = figures["soak"]
    long_run = (
        f"{soak['streams']} streams in real time for {soak['seconds']:g} s, {soak['opened']:,} opened in "
        f"all: {soak['frames']:,} frames, {soak['lost_samples']} samples missing, {soak['deadline_misses']} frames "
        f"more than 20 ms late, {soak['steps_down']} steps down; memory {soak['early_mb']:.1f} MB early, "
        f"{soak['late_mb']:.1f} MB at the end."
    )
    return "\n\n".join(
        [
            explained,
            table(_RATES_HEAD, rates),
            table(_BATCHES_HEAD, batches),
            table(("streams of 16 kHz that are", "pool: streams a core", "loop: streams a core"), settings),
            _PRESETS_EXPLAINED,
            table(_PRESETS_HEAD, presets),
            long_run,
        ]
    )
