"""Means for each level of a condition that is a name, such as the kind of noise, with the interval of each."""

from __future__ import annotations

from collections.abc import Sequence

from unmuffle.measure.report.charts.series import Series, spread, tip
from unmuffle.measure.report.charts.svg import Svg, scale_over, series_class, tick_text
from unmuffle.measure.scores import Measure

_WIDTH = 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 100.0, 12.0, 30.0, 30.0
_LINE, _GAP = 8.0, 12.0
_LONGEST_NAME = 14


def dot_plot(levels: Sequence[str], series: Sequence[Series], title: str, measure: Measure) -> str:
    """Draw a group of rows for each level, and in it a dot for each series.

    Parameters
    ----------
    levels : sequence of str
        From the top.
    series : sequence of Series
        With at least one value.
    title : str
        Of the condition.
    measure : Measure
        What is drawn.
    """
    group = max(_LINE * len(series), 18.0)
    height = _TOP + len(levels) * (group + _GAP) + _BOTTOM
    svg = Svg(_WIDTH, height, f"{measure.title} by {title}; the figures are in the table below")
    across = scale_over(*spread(series), _LEFT, _WIDTH - _RIGHT)
    for value in across.ticks(5):
        svg.add("line", x1=across(value), x2=across(value), y1=_TOP - 6.0, y2=height - _BOTTOM, kind="grid")
        svg.add("text", tick_text(value), x=across(value), y=height - _BOTTOM + 18.0, kind="tick middle")
    svg.add("text", measure.title, x=_WIDTH - _RIGHT, y=14.0, kind="axis end")
    for row, level in enumerate(levels):
        top = _TOP + row * (group + _GAP)
        svg.add("text", shortened(level, _LONGEST_NAME), tip=level, x=0.0, y=top + group / 2.0 + 4.0, kind="name")
        for place, one in enumerate(series):
            summary = one.summaries.get(level)
            if summary is None:
                continue
            y = top + group * (place + 0.5) / len(series)
            svg.add(
                "line", x1=across(summary.low), x2=across(summary.high), y1=y, y2=y,
                kind=f"bar {series_class(one.style)}",
            )  # fmt: skip
            svg.marker(across(summary.mean), y, one.style, tip(one.name, level, summary, measure))
    return svg.render()


def shortened(name: str, longest: int) -> str:
    """Return a name with its middle left out where it is too long."""
    if len(name) <= longest:
        return name
    head = (longest - 1) // 2
    return f"{name[:head]}…{name[-(longest - 1 - head) :]}"
