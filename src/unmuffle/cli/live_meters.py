"""What is to be seen of a live loop in a terminal: levels, delay, load, and what was lost."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from unmuffle.enhancer import LoadReport
from unmuffle.live import LiveReport, Recorder
from unmuffle.measure.single.wording import clock

LOWEST_DBFS, CELLS = -60.0, 40
LOUD_DBFS, TOO_LOUD_DBFS = -12.0, -3.0


def meters(report: LiveReport, recorder: Recorder | None) -> Group:
    """Return the meters of a moment."""
    lines = [
        _level("in", report.level_in_dbfs, report.peak_in_dbfs),
        _level("out", report.level_out_dbfs, report.peak_out_dbfs),
        Text(
            f"taken off {max(0.0, report.attenuation_db):4.1f} dB   behind {report.latency_ms:.0f} ms   "
            f"CPU {report.cpu_share:4.1%}   dropouts {report.dropouts + report.device_xruns}"
        ),
        Text(f"{clock(report.seconds)}  {report.load.rung}   Ctrl-C ends", style="dim"),
    ]
    if recorder is not None:
        state = recorder.error or f"{clock(recorder.seconds)} recorded to {recorder.paths[1]}"
        lines.append(Text(state, style="red"))
    return Group(*lines)


def summary(report: LiveReport) -> list[str]:
    """Return what is to be said of a loop that has ended."""
    taken = f"{report.mean_block_ms:.2f} ms, at worst {report.worst_block_ms:.2f} ms"
    lines = [
        f"{clock(report.seconds)} enhanced, {report.latency_ms:.0f} ms behind",
        f"a block of {report.block_ms:.0f} ms took {taken}",
    ]
    if report.dropouts:
        lines.append(f"{report.dropouts} dropouts: {report.missing_s:.2f} s of silence were played")
    if report.grown_ms > 0.0:
        lines.append(f"sound was late again and again: {report.grown_ms:.0f} ms of the delay are a reserve for that")
    if report.lost_s > 0.0:
        lines.append(f"{report.lost_s:.2f} s of the microphone were lost: this machine is too busy")
    if report.device_xruns:
        lines.append(f"the sound device lost {report.device_xruns} blocks: try longer ones with --block-ms")
    if told := stepped_down(report.load):
        lines.append(told)
    return lines


def stepped_down(load: LoadReport) -> str:
    """Return what is to be said of a stream that went on with less for want of time; nothing if none did."""
    if not load.steps_down:
        return ""
    best, *others = load.seconds
    less_s = sum(load.seconds[rung] for rung in others)
    times = "once" if load.steps_down == 1 else f"{load.steps_down} times"
    return f"this machine is too slow for {best}: stepped down {times}, for {less_s:.1f} s in all"


def _level(name: str, rms_dbfs: float, peak_dbfs: float) -> Text:
    line = Text(f"{name:<4}")
    filled = _cell(rms_dbfs)
    for cell in range(CELLS):
        cell_dbfs = LOWEST_DBFS * (1.0 - (cell + 1) / CELLS)
        colour = "red" if cell_dbfs > TOO_LOUD_DBFS else "yellow" if cell_dbfs > LOUD_DBFS else "green"
        mark = "█" if cell < filled else "▏" if cell == _cell(peak_dbfs) else " "
        line.append(mark, style=colour)
    line.append(f" {rms_dbfs:6.1f} dBFS  peak {peak_dbfs:6.1f}")
    return line


def _cell(dbfs: float) -> int:
    return min(CELLS, max(0, round((1.0 - dbfs / LOWEST_DBFS) * CELLS)))
