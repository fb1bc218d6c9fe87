"""The section of the page on repair and level."""

from __future__ import annotations

from typing import Any, NamedTuple

from bench.tables import table


class Column(NamedTuple):
    """A figure of a row: its name, what it is called, how it is written, what is wanted of ours, and its factor."""

    key: str
    title: str
    form: str
    wanted: str = ""
    factor: float = 1.0


HEAD = """\
{clips} clean clips of the folder of the table above, joined to programmes of 12 s and more ({seconds:.0f} s in all) and
spoilt in known ways; means over programmes, ours beside peers as they ship ({peers}), in the same run. RTF: CPU seconds
of one thread for a second of one channel, the best of two runs, of the slowest programme; with ffmpeg it holds the
reading and writing of a file."""

_EXPLAINED = {
    "clipped": """\
**Clipped speech.** Clipped to an SDR of 10 dB; the gain is that of the whole programme.""",
    "clicked": """\
**Clicks and lost packets.** Clicks of 0.1 to 2 ms; packets that are zero. Repaired: share of those whose error fell by
6 dB. Changed: share of the other samples that are off by half a step of 16 bits or more.""",
    "hummed": """\
**Hum.** Twenty lines, 10 dB below the speech in all, that swing by 0.2 Hz to both sides. Off a line: by how much what
is in step with it fell, from 3 s on. Error: what differs from the clean speech within 3 Hz of a line, hum or voice,
below the line. Voice elsewhere: the largest change of a third octave, 10 Hz and more from all lines.""",
    "reverberant": """\
**Rooms.** 0.9 m away in simulated rooms of 25 to 50 m³, at 16 kHz; SI-SDR against the direct sound and the first 50 ms;
noise of -80 dBFS. Dry: what becomes of speech without a room. nara_wpe has the frames and taps of its own examples.""",
    "quiet": """\
**Quiet speech.** From -45 LUFS to -16 LUFS under -1 dBTP; peaks are found at eight times the rate.""",
    "uneven": """\
**Uneven speech.** Each clip is said again 20 dB softer, over noise of -75 dBFS, live. Back: seconds of speech until
within 3 dB of the level before. Off at last: median of the second half. Noise: by how much it rises in a pause of
5 s. The constants of the speech detector were chosen with these clips in view.""",
}

_RTF = Column("most_rtf", "RTF", ".4f")
_COLUMNS = {
    "clipped": (
        Column("gain_db", "SDR gain dB", ".1f", "6 at least"),
        Column("least_gain_db", "least", ".1f"),
        _RTF._replace(wanted="0.5 at most"),
    ),
    "clicked": (
        Column("gain_db", "SDR gain dB", ".1f"),
        Column("recall", "repaired %", ".0f", factor=100.0),
        Column("changed", "changed %", ".3f", "0", 100.0),
        _RTF,
    ),
    "hummed": (
        Column("reduction_db", "off a line, dB", ".0f"),
        Column("least_reduction_db", "least", ".0f", "25 at least"),
        Column("error_below_db", "error, dB below", ".0f"),
        Column("most_change_db", "voice elsewhere, dB", ".2f", "0.5 at most"),
        _RTF,
    ),
    "reverberant": (
        Column("srmr_gain", "SRMR gain %", "+.0f", "20 at least", 100.0),
        Column("si_sdr_gain_db", "SI-SDR gain dB", "+.1f"),
        Column("dry_si_sdr_db", "dry: SI-SDR dB", ".0f"),
        _RTF._replace(wanted="0.15 at most"),
    ),
    "quiet": (
        Column("error_lu", "off by LU", ".2f"),
        Column("most_error_lu", "most", ".2f", "0.3 at most"),
        Column("most_true_peak_dbtp", "highest dBTP", ".2f", "-1 at most"),
        _RTF,
    ),
    "uneven": (
        Column("recovery_s", "back after s", ".2f"),
        Column("most_recovery_s", "most", ".2f", "1.5 at most"),
        Column("missing_db", "off at last dB", ".1f"),
        Column("most_rise_db", "noise dB", "+.1f", "3 at most"),
        _RTF,
    ),
}


def repair_section(figures: dict[str, Any]) -> str:
    """Return the tables of all kinds of damage."""
    parts = [_joined(HEAD).format(**figures)]
    for kind, columns in _COLUMNS.items():
        parts += [_joined(_EXPLAINED[kind]), _of_damage(figures[kind], columns)]
    return "\n\n".join(parts)


def _joined(text: str) -> str:
    return text.replace("\n", " ")


def _of_damage(rows: list[dict[str, Any]], columns: tuple[Column, ...]) -> str:
    dry = {row["method"]: row["si_sdr_db"] for row in rows if row["damage"] == "dry"}
    shown = [row | {"dry_si_sdr_db": dry.get(row["method"])} for row in rows if row["damage"] != "dry"]
    many = len({row["damage"] for row in shown}) > 1
    lines = [
        (f"{row['damage']}: {row['method']}" if many else row["method"], *(_written(row, column) for column in columns))
        for row in shown
    ]
    lines.append(("*wanted of ours*", *(column.wanted for column in columns)))
    return table(("", *(column.title for column in columns)), lines)


def _written(row: dict[str, Any], column: Column) -> str:
    if column.key.endswith("recovery_s") and row["back"] == 0.0:
        return "never"
    return format(row[column.key] * column.factor, column.form)
