"""Means against a condition that is a number, such as the SNR, with the interval of each."""

from __future__ import annotations

from collections.abc import Sequence

from unmuffle.measure.report.charts.series import Series, spread, tip
from unmuffle.measure.report.charts.svg import Scale, Svg, scale_over, series_class, tick_text
from unmuffle.measure.scores import Measure

_WIDTH, _HEIGHT = 340.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 44.0, 12.0, 30.0, 46.0
_DODGE = 14.0


def line_chart(levels: Sequence[tuple[str, float]], series: Sequence[Series], title: str, measure: Measure) -> str:
    """Draw a line for each series over the levels of a condition.

    Parameters
    ----------
    levels : sequence of (str, float)
        Names of the levels and where they lie.
    series : sequence of Series
        With at least one value.
    title : str
        Of the condition.
    measure : Measure
        What is drawn.
    """
    svg = Svg(_WIDTH, _HEIGHT, f"{measure.title} by {title}; the figures are in the table below")
    across = scale_over(levels[0][1], levels[-1][1], _LEFT, _WIDTH - _RIGHT)
    up = scale_over(*spread(series), _HEIGHT - _BOTTOM, _TOP)
    _axes(svg, across, up, levels, title, measure)
    step = min(_DODGE / max(1, len(series) - 1), 4.0)
    for place, one in enumerate(series):
        _draw(svg, one, levels, across, up, (place - (len(series) - 1) / 2.0) * step, measure)
    return svg.render()


def _axes(
    svg: Svg, across: Scale, up: Scale, levels: Sequence[tuple[str, float]], title: str, measure: Measure
) -> None:
    for value in up.ticks():
        svg.add("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=up(value), y2=up(value), kind="grid")
        svg.add("text", tick_text(value), x=_LEFT - 8.0, y=up(value) + 4.0, kind="tick end")
    last = -1e9
    for name, value in levels:
        # Names that would run into each other are left out; the table has them.
        if across(value) - last < 7.0 * len(name) + 6.0:
            continue
        last = across(value)
        svg.add("text", name, x=last, y=_HEIGHT - _BOTTOM + 20.0, kind="tick middle")
    svg.add("text", measure.title, x=0.0, y=14.0, kind="axis")
    svg.add("text", title, x=_WIDTH - _RIGHT, y=_HEIGHT - 6.0, kind="axis end")


def _draw(
    svg: Svg, one: Series, levels: Sequence[tuple[str, float]], across: Scale, up: Scale, shift: float, measure: Measure
) -> None:
    found = [(across(x) + shift, name, one.summaries[name]) for name, x in levels if name in one.summaries]
    path = "M" + "L".join(f"{x:.1f} {up(summary.mean):.1f}" for x, _, summary in found)
    svg.add("path", d=path, kind=f"line {series_class(one.style)}")
    for x, _, summary in found:
        svg.add("line", x1=x, x2=x, y1=up(summary.low), y2=up(summary.high), kind=f"bar {series_class(one.style)}")
    for x, name, summary in found:
        svg.marker(x, up(summary.mean), one.style, tip(one.name, name, summary, measure))
