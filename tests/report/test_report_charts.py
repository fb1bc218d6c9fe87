"""Charts: places follow values, and text stays text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from unmuffle.measure.assurance.statistics import Summary
from unmuffle.measure.report.breakdown import breakdowns
from unmuffle.measure.report.charts.boxes import box_plot
from unmuffle.measure.report.charts.dots import dot_plot
from unmuffle.measure.report.charts.lines import line_chart
from unmuffle.measure.report.charts.series import Series, styles
from unmuffle.measure.report.charts.svg import legend_marker, scale_over
from unmuffle.measure.results import ClipResult, Results
from unmuffle.measure.scores import Measure

MEASURE = Measure("x", "a <b> & c", "dB")


def summary(mean: float, half: float = 0.5) -> Summary:
    return Summary(3, mean, mean, mean - half, mean - half, mean + half)


def markers(svg: str) -> list[tuple[str, float, float]]:
    """What each marker tells, and where it is."""
    root = ET.fromstring(svg)
    found = []
    for path in root.iter("path"):
        if path.get("class").startswith("mark"):
            numbers = np.array(
                [float(number) for number in re.findall(r"-?\d+\.?\d*", path.get("d").partition("a")[0])]
            )
            points = numbers.reshape(-1, 2)
            found.append((path.findtext("title"), points[:, 0].mean(), points[:, 1].mean()))
    return found


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.2, 17.0), (1e-4, 3e-4), (5.0, 5.0), (0.0, 0.0), (-1e6, 2e6)])
def test_ticks_are_round_few_and_inside(low, high):
    scale = scale_over(low, high, 0.0, 100.0)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 8
    assert all(scale.low <= tick <= scale.high for tick in ticks)
    step = np.diff(ticks)
    assert step == pytest.approx(step[0])
    leading = step[0] / 10.0 ** np.floor(np.log10(step[0] * (1.0 + 1e-9)))
    assert any(leading == pytest.approx(round_number) for round_number in (1.0, 2.0, 2.5, 5.0))


def test_higher_means_are_drawn_higher_and_larger_levels_to_the_right():
    series = [Series("one", 1, {"0": summary(1.0), "5": summary(2.0), "10": summary(4.0)})]
    points = markers(line_chart([("0", 0.0), ("5", 5.0), ("10", 10.0)], series, "SNR", MEASURE))
    (_, x0, y0), (_, x1, y1), (told, x2, y2) = points
    assert x2 - x1 == pytest.approx(x1 - x0, abs=0.2)
    assert y1 - y2 == pytest.approx(2.0 * (y0 - y1), abs=0.2)
    assert told == "one, 10: 4.00 (3.50 to 4.50; 3 clips)"


def test_bars_span_the_interval():
    series = [Series("one", 0, {"a": summary(1.0, 0.25), "b": summary(3.0, 0.5)})]
    root = ET.fromstring(dot_plot(["a", "b"], series, "noise", MEASURE))
    bars = [
        float(line.get("x2")) - float(line.get("x1"))
        for line in root.iter("line")
        if line.get("class").startswith("bar")
    ]
    assert bars[1] == pytest.approx(2.0 * bars[0], rel=0.02)


def test_boxes_are_the_quartiles_of_numpy():
    values = {f"c{n}": float(value) for n, value in enumerate(np.random.default_rng(0).gamma(2.0, size=40))}
    svg = box_plot({"one": values}, {"one": 0}, MEASURE)
    first, third = np.percentile(list(values.values()), [25, 75])
    assert f"25 % {first:.2f}" in svg
    assert f"75 % {third:.2f}" in svg
    root = ET.fromstring(svg)
    (box,) = root.iter("rect")
    dots = {dot.findtext("title"): float(dot.get("cx")) for dot in root.iter("circle")}
    ordered = sorted(values, key=values.get)
    places = [dots[f"{clip}: {values[clip]:.2f}"] for clip in ordered]
    assert places == sorted(places)
    left, right = float(box.get("x")), float(box.get("x")) + float(box.get("width"))
    assert np.interp([first, third], sorted(values.values()), places) == pytest.approx([left, right], abs=0.5)


def test_of_many_clips_only_the_outermost_are_dots():
    values = {f"c{n}": float(n) for n in range(500)}
    root = ET.fromstring(box_plot({"one": values}, {"one": 0}, MEASURE))
    told = [dot.findtext("title") for dot in root.iter("circle")]
    assert len(told) == 24
    assert told[0] == "c0: 0.00"
    assert told[-1] == "c499: 499.00"


def test_names_are_text():
    series = [Series("<script>", 0, {"<i>": summary(1.0), "&": summary(2.0)})]
    for svg in (
        dot_plot(["<i>", "&"], series, "<u>", MEASURE),
        line_chart([("<i>", 0.0), ("&", 1.0)], series, "<u>", MEASURE),
    ):
        assert {element.tag for element in ET.fromstring(svg).iter()} <= {"svg", "text", "title", "line", "path"}


def test_a_dozen_enhancers_have_a_dozen_markers():
    names = ("noisy", *(f"method {number}" for number in range(23)))
    drawn = [legend_marker(style) for style in styles(names).values()]
    assert len(set(drawn)) == len(names)


def rows(conditions: list[dict]) -> Results:
    return Results(
        ClipResult(f"c{n}", "noisy", 16_000, 1.0, {"x": 1.0}, {}, found) for n, found in enumerate(conditions)
    )


def test_conditions_that_do_not_differ_are_left_out_and_the_snr_comes_first():
    found = breakdowns(
        rows(
            [
                {"noise": n, "rate": 16_000.0, "rt60_s": r, "snr_db": s}
                for n, r, s in (("a", 0.1, 5.0), ("b", 0.2, -5.0))
            ]
        )
    )
    assert [one.key for one in found] == ["snr_db", "rt60_s", "noise"]
    assert found[0].levels == ("−5", "5")


def test_many_numbers_are_put_into_ranges_that_hold_every_clip():
    (found,) = breakdowns(rows([{"snr_db": float(value)} for value in np.linspace(-5.0, 20.0, 50)]))
    assert len(found.levels) == 6
    assert set(found.of_clip.values()) == set(found.levels)
    assert found.places == pytest.approx(-5.0 + 25.0 / 6.0 * (np.arange(6) + 0.5))


def test_rare_names_are_counted_and_a_name_for_every_clip_is_no_condition():
    names = [f"noise {number}" for number in range(20)]
    (found,) = breakdowns(rows([{"noise": name} for name in names * 2]))
    assert (len(found.levels), found.left_out) == (12, 8)
    assert breakdowns(rows([{"noise": name} for name in names])) == []
