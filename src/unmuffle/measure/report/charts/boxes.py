"""How the values of each enhancer are spread: quartiles, the 5th to the 95th percentile, and the clips themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from unmuffle.measure.report.charts.dots import shortened
from unmuffle.measure.report.charts.svg import Scale, Svg, scale_over, series_class, tick_text
from unmuffle.measure.scores import Measure
from unmuffle.signal.arrays import FloatArray

_WIDTH = 340.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 100.0, 12.0, 30.0, 30.0
_ROW, _BOX = 40.0, 16.0
_LONGEST_NAME = 14
_MOST_DOTS = 120
_OUTERMOST = 12
PERCENTILES = (5.0, 25.0, 50.0, 75.0, 95.0)


def box_plot(values: Mapping[str, Mapping[str, float]], styles: Mapping[str, int], measure: Measure) -> str:
    """Draw a row for each enhancer.

    Parameters
    ----------
    values : mapping of str to mapping of str to float
        By enhancer, by clip; at least one value each. Beyond 120 clips only the outermost are drawn as dots.
    styles : mapping of str to int
        Style of each enhancer.
    measure : Measure
        What is drawn.
    """
    height = _TOP + len(values) * _ROW + _BOTTOM
    svg = Svg(_WIDTH, height, f"spread of {measure.title} by enhancer")
    every = [value for found in values.values() for value in found.values()]
    across = scale_over(min(every), max(every), _LEFT, _WIDTH - _RIGHT)
    for value in across.ticks(5):
        svg.add("line", x1=across(value), x2=across(value), y1=_TOP - 6.0, y2=height - _BOTTOM, kind="grid")
        svg.add("text", tick_text(value), x=across(value), y=height - _BOTTOM + 18.0, kind="tick middle")
    svg.add("text", measure.title, x=_WIDTH - _RIGHT, y=14.0, kind="axis end")
    for row, (name, found) in enumerate(values.items()):
        middle = _TOP + (row + 0.5) * _ROW
        svg.add("text", shortened(name, _LONGEST_NAME), tip=name, x=0.0, y=middle + 4.0, kind="name")
        _draw_box(svg, np.fromiter(found.values(), np.float64), across, middle, name, styles[name], measure)
        _draw_dots(svg, found, across, middle, styles[name], measure)
    return svg.render()


def _draw_box(
    svg: Svg, values: FloatArray, across: Scale, middle: float, name: str, style: int, measure: Measure
) -> None:
    low, first, median, third, high = (float(value) for value in np.percentile(values, PERCENTILES))
    of = series_class(style)
    told = ", ".join(
        f"{title} {measure.format(value)}"
        for title, value in (("5 %", low), ("25 %", first), ("median", median), ("75 %", third), ("95 %", high))
    )
    svg.add("line", x1=across(low), x2=across(high), y1=middle, y2=middle, kind=f"bar {of}")
    svg.add(
        "rect", tip=f"{name}: {told}", x=across(first), width=max(1.0, across(third) - across(first)),
        y=middle - _BOX / 2.0, height=_BOX, rx=3.0, kind=f"box {of}",
    )  # fmt: skip
    svg.add("line", x1=across(median), x2=across(median), y1=middle - _BOX / 2.0, y2=middle + _BOX / 2.0,
            kind=f"median {of}")  # fmt: skip


def _draw_dots(
    svg: Svg, found: Mapping[str, float], across: Scale, middle: float, style: int, measure: Measure
) -> None:
    for place, (clip, value) in enumerate(_shown(found)):
        # A fixed sequence that fills the row evenly: chance would make every page differ.
        away = (place * 0.618034 % 1.0 - 0.5) * (_ROW - 14.0)
        svg.add("circle", tip=f"{clip}: {measure.format(value)}", cx=across(value), cy=middle + away, r=2.2,
                kind=f"dot {series_class(style)}")  # fmt: skip


def _shown(found: Mapping[str, float]) -> Sequence[tuple[str, float]]:
    if len(found) <= _MOST_DOTS:
        return list(found.items())
    ordered = sorted(found.items(), key=lambda item: item[1])
    return ordered[:_OUTERMOST] + ordered[-_OUTERMOST:]
