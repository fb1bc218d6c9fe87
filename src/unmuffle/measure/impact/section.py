"""An impact report as a section of the HTML page: verdicts, charts and figures, without scripts."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from unmuffle.measure.assurance.statistics import Summary
from unmuffle.measure.impact.bootstrap import Estimate
from unmuffle.measure.impact.curves import Chart, charts
from unmuffle.measure.impact.report import ConditionImpact, ImpactReport
from unmuffle.measure.impact.table import gain_text, likeness_text, percent_text
from unmuffle.measure.report.charts.lines import line_chart
from unmuffle.measure.report.charts.series import Series, styles
from unmuffle.measure.report.charts.svg import legend_marker
from unmuffle.measure.report.html import Section
from unmuffle.measure.results import UNPROCESSED
from unmuffle.measure.scores import Measure

TITLE = "Recognition and talker"
_WER = Measure("wer", "word error rate", "%", more_is_better=False, decimals=1)
_NUMBERS = ("clips", "clean", "noisy", "enhanced", "gain", "talker noisy", "talker enhanced")
_HEAD = ("condition", "enhancer", *_NUMBERS, "verdict")
_NUMBER = ' class="number"'


def impact_section(report: ImpactReport) -> Section:
    """Return a section for ``write_html``; every text that came from outside is escaped."""
    return Section(TITLE, "\n".join(_parts(report)))


def _parts(report: ImpactReport) -> Iterable[str]:
    share = f"{100.0 * report.confidence:g} %"
    yield (
        f'<p class="lead">Word errors of {_text(report.about.get("recogniser", "the recogniser"))} in per cent of the '
        f"words said, with {share} bootstrap intervals over clips. The gain is that of the strength chosen on one half "
        "of the clips and tried on the other; enhancing is advised only where all of its interval is above 0. Talker: "
        "cosine of the speaker embedding to that of the clean clip.</p>"
    )
    found = charts(report)
    looks = styles([UNPROCESSED, *report.enhancers])
    yield '<ul class="legend">'
    yield from (f'<li class="who">{legend_marker(style)}{_text(name)}</li>' for name, style in looks.items())
    yield "</ul>"
    yield '<div class="charts">'
    yield from (_figure(chart, looks) for chart in found)
    yield "</div>"
    yield from _table(report)
    yield from _notes(report)


def _figure(chart: Chart, looks: dict[str, int]) -> str:
    series = [
        Series(curve.name, looks[curve.name], {f"{x:g}": _summary(value, clips) for x, value, clips in curve.points})
        for curve in chart.curves
    ]
    levels = sorted({x for curve in chart.curves for x, _, _ in curve.points})
    if len(levels) < 2:
        return ""
    drawn = line_chart([(f"{x:g}", x) for x in levels], series, chart.across, _WER)
    return f"<figure><figcaption>{_text(chart.title)}</figcaption>{drawn}</figure>"


def _summary(value: Estimate, clips: int) -> Summary:
    return Summary(clips, value.value, value.value, value.low, value.low, value.high)


def _table(report: ImpactReport) -> Iterable[str]:
    yield '<div class="scroll" tabindex="0" role="region" aria-label="Verdicts" style="margin-top:1rem"><table>'
    head = "".join(f'<th scope="col"{_NUMBER if title in _NUMBERS else ""}>{title}</th>' for title in _HEAD)
    yield f"<thead><tr>{head}</tr></thead><tbody>"
    yield from (_row(one) for one in report.conditions)
    yield "</tbody></table></div>"


def _row(one: ConditionImpact) -> str:
    numbers = [
        str(one.clips),
        *(percent_text(rate) for rate in (one.clean_wer, one.noisy.wer, one.enhanced.wer)),
        gain_text(one.verdict.gain),
        likeness_text(one.noisy.similarity),
        likeness_text(one.enhanced.similarity),
    ]
    cells = "".join(f'<td class="number">{_text(number)}</td>' for number in numbers)
    tone = "soft" if one.verdict.advice == "leave alone" else "good"
    look = f"color:var(--{tone});white-space:nowrap"
    verdict = f'<td style="{look}" title="{_text(one.verdict.reason)}">{_text(one.verdict.text)}</td>'
    return f'<tr><th scope="row">{_text(one.condition)}</th><td>{_text(one.enhancer)}</td>{cells}{verdict}</tr>'


def _notes(report: ImpactReport) -> Iterable[str]:
    if report.left_out:
        names = ", ".join(report.left_out)
        yield f'<p class="note">Left out, not understood when clean ({len(report.left_out)}): {_text(names)}</p>'
    yield from (f'<p class="note">Failed: {_text(failure)}</p>' for failure in report.failures)


def _text(text: str) -> str:
    return escape(text)
