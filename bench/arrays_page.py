"""The section of the page on microphone arrays."""

from __future__ import annotations

from typing import Any

from bench.tables import table

HEAD = """\
A voice at 0 dB over a point source and diffuse noise in simulated rooms, medians of {scenes} scenes each. SI-SDR is
against the voice at the reference microphone with the first 50 ms of the room, and so counts late reverberation as
noise; SINR tells the voice from the rest by their sources. Wanted of 4 microphones at 0.3 s: delay-and-sum 2 dB, MVDR
6 dB, `mask-mvdr` within 2 dB of its oracle, `mask-mvdr` with the denoiser 0.3 PESQ above the denoiser alone."""

DIRECTIONS = """\
Directions of the voice in {direction_scenes} such scenes each, by `unmuffle locate`: median error, and in brackets what
nine of ten errors are within, in degrees (wanted of 4 microphones at 0.3 s: a median of 3). The last method
is of answers over time, from a memory of 0.5 s. A line hears a cone, whose angle it tells ever less finely towards its
ends: "in front" is the error in cosine, as degrees straight in front."""

SPEEDS = """\
Real-time factors, live, 4 microphones, 16 kHz, one thread: {speeds} (wanted: 0.02 for delay-and-sum, 0.15 for
`mask-mvdr` with the denoiser)."""

FULL = ("linear4", "respeaker4"), 0.3
"""Arrays and reverberation time that are shown with all columns."""

_COLUMNS = {
    "si_sdr_gain_db": ("SI-SDR gain dB", ".1f"),
    "sinr_gain_db": ("SINR gain dB", ".1f"),
    "pesq": ("PESQ", ".2f"),
    "estoi": ("ESTOI", ".3f"),
}

Row = dict[str, Any]


def arrays_section(figures: dict[str, Any]) -> str:
    """Return the section."""
    shown = [row for row in figures["table"] if row["array"] in FULL[0] and row["rt60_s"] == FULL[1]]
    rows = [
        (
            f"{row['array']}, {row['rt60_s']} s, {row['method']}",
            *(format(row[key], form) if key in row else "" for key, (_, form) in _COLUMNS.items()),
        )
        for row in shown
    ]
    speeds = "; ".join(f"{name} {factor:.4f}" for name, factor in figures["rtf"].items())
    return "\n\n".join(
        [
            HEAD.format(**figures),
            table(("array, RT60, method", *(title for title, _ in _COLUMNS.values())), rows),
            "SI-SDR gain in dB of all arrays, at reverberation times in s:",
            _over_conditions(figures["table"], "si_sdr_gain_db", ".1f"),
            "PESQ of the same:",
            _over_conditions(figures["table"], "pesq", ".2f"),
            DIRECTIONS.format(**figures),
            _directions(figures["directions"]),
            SPEEDS.format(speeds=speeds),
        ]
    )


def _over_conditions(rows: list[Row], key: str, form: str) -> str:
    conditions = list(dict.fromkeys((row["array"], row["rt60_s"]) for row in rows))
    values = {(row["array"], row["rt60_s"], row["method"]): format(row[key], form) for row in rows}
    methods = dict.fromkeys(row["method"] for row in rows)
    lines = [(method, *(values[(*condition, method)] for condition in conditions)) for method in methods]
    return table(("method", *(f"{array} {rt60_s}" for array, rt60_s in conditions)), lines)


def _directions(rows: list[Row]) -> str:
    methods = list(dict.fromkeys(row["method"] for row in rows))
    lines = []
    for array, rt60_s in dict.fromkeys((row["array"], row["rt60_s"]) for row in rows):
        of_condition = {row["method"]: row for row in rows if (row["array"], row["rt60_s"]) == (array, rt60_s)}
        cells = [f"{row['median_deg']:.1f} ({row['nine_of_ten_deg']:.1f})" for row in of_condition.values()]
        best = of_condition[methods[0]]
        in_front = f"{best['in_front_median_deg']:.1f}" if best["on_a_line"] else ""
        lines.append((f"{array}, {rt60_s} s", *cells, in_front))
    return table(("array, RT60", *methods, f"{methods[0]}, in front"), lines)
