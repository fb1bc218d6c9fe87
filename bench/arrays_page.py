"""The section of the page on microphone arrays."""

from __future__ import annotations

from typing import Any

from bench.tables import table

HEAD = """\
A voice at 0 dB over a point source and diffuse noise in simulated rooms, medians of {scenes} scenes each. SI-SDR is
against the voice at the reference microphone with the first 50 ms of the room, and so counts late reverberation as
noise; SINR tells the voice from the rest by their sources. Wanted of 4 microphones at 0.3 s: delay-and-sum 2 dB, MVDR
6 dB, `mask-mvdr` within 2 dB of its oracle, `mask-mvdr` with the denoiser 0.3 PESQ above the denoiser alone, directions
within 3 degrees."""

SPEEDS = """\
Real-time factors, live, 4 microphones, 16 kHz, one thread: {speeds} (wanted: 0.02 for delay-and-sum, 0.15 for
`mask-mvdr` with the denoiser)."""

_COLUMNS = {
    "si_sdr_gain_db": ("SI-SDR gain dB", ".1f"),
    "sinr_gain_db": ("SINR gain dB", ".1f"),
    "pesq": ("PESQ", ".2f"),
    "estoi": ("ESTOI", ".3f"),
    "direction_error_deg": ("direction off by, degrees", ".1f"),
}


def arrays_section(figures: dict[str, Any]) -> str:
    """Return the section."""
    rows = [
        (
            f"{row['array']}, {row['rt60_s']} s, {row['method']}",
            *(format(row[key], form) if key in row else "" for key, (_, form) in _COLUMNS.items()),
        )
        for row in figures["table"]
    ]
    speeds = "; ".join(f"{name} {factor:.4f}" for name, factor in figures["rtf"].items())
    return "\n\n".join(
        [
            HEAD.format(**figures),
            table(("array, RT60, method", *(title for title, _ in _COLUMNS.values())), rows),
            SPEEDS.format(speeds=speeds),
        ]
    )
