"""An impact report as a figure: word errors against the ratio and against the strength, with intervals."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.impact.curves import Chart, charts
from unmuffle.measure.impact.report import ImpactReport
from unmuffle.measure.results import UNPROCESSED
from unmuffle.measure.spectra.style import LIGHT, own_style, require_matplotlib

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#a8578a", "#8f6c00", "#56b4e9", "#5b4bb5", "#b84a4a")
_MARKERS = "osD^v*"
_PANEL_IN = (5.2, 3.8)
_MOST_ACROSS = 3


def impact_figure(report: ImpactReport) -> Figure:
    """Draw a report; ``save_figure`` of ``unmuffle.measure.spectra.saving`` writes it.

    Raises
    ------
    InvalidParameterError
        If there is nothing in the report.
    MissingExtraError
        If matplotlib is not installed.
    """
    found = charts(report)
    if not found:
        raise InvalidParameterError("there is nothing to draw: no condition has results")
    require_matplotlib()
    from matplotlib.figure import Figure

    across = min(len(found), _MOST_ACROSS)
    down = -(-len(found) // across)
    with own_style(LIGHT):
        figure = Figure(figsize=(_PANEL_IN[0] * across, _PANEL_IN[1] * down), layout="constrained")
        panels = figure.subplots(down, across, squeeze=False).ravel()
        for panel, chart in zip(panels, found, strict=False):
            _draw(panel, chart, report.enhancers)
        for panel in panels[len(found) :]:
            panel.set_axis_off()
        figure.suptitle(f"Recognition by {report.about.get('recogniser', 'the recogniser')}", fontsize=11)
    return figure


def _draw(panel: Any, chart: Chart, enhancers: list[str]) -> None:
    step = _spacing(chart) * 0.03
    for place, curve in enumerate(chart.curves):
        shift = (place - (len(chart.curves) - 1) / 2) * step
        where = [x + shift for x, _, _ in curve.points]
        values = [found.value for _, found, _ in curve.points]
        reach = [
            [found.value - found.low for _, found, _ in curve.points],
            [found.high - found.value for _, found, _ in curve.points],
        ]
        panel.errorbar(where, values, yerr=reach, label=curve.name, **_look(curve.name, enhancers))
    panel.set_title(chart.title)
    panel.set_xlabel(chart.across)
    panel.set_ylabel("word error rate, %")
    panel.set_ylim(bottom=0.0)
    panel.set_xticks(sorted({x for curve in chart.curves for x, _, _ in curve.points}))
    panel.grid(axis="y")
    panel.legend(fontsize=8)


def _look(name: str, enhancers: list[str]) -> dict[str, Any]:
    shared = {"linewidth": 1.6, "elinewidth": 0.9, "capsize": 2.5, "markersize": 4.5}
    if name == UNPROCESSED:
        return {**shared, "color": LIGHT.muted, "linestyle": "--", "marker": "o"}
    place = enhancers.index(name)
    return {**shared, "color": _COLOURS[place % len(_COLOURS)], "marker": _MARKERS[place % len(_MARKERS)]}


def _spacing(chart: Chart) -> float:
    places = sorted({x for curve in chart.curves for x, _, _ in curve.points})
    return min((two - one for one, two in pairwise(places)), default=1.0)
