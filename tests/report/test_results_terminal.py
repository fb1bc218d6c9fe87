"""The terminal's table: right figures, the best marked, and never wider than 80 columns."""

from __future__ import annotations

import io

import numpy as np
import pytest
from report_results import made_results
from rich.console import Console

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.report.terminal import print_table
from unmuffle.measure.results import ClipResult, Results


def printed(results: Results, **options) -> list[str]:
    out = io.StringIO()
    print_table(results, Console(file=out, width=80), **options)
    return out.getvalue().splitlines()


def line_of(lines: list[str], enhancer: str, measure: str) -> str:
    start = next(place for place, line in enumerate(lines) if line.startswith(measure))
    return next(line for line in lines[start:] if line[2:].startswith(enhancer))


def test_means_and_gains_are_those_of_numpy():
    results = made_results()
    lines = printed(results)
    for enhancer in ("noisy", "first", "second"):
        mean = np.mean([row.values["si_sdr_db"] for row in results.of(enhancer)])
        assert f" {mean:.2f} " in line_of(lines, enhancer, "SI-SDR")
    gain = np.mean([results.gain(row, "si_sdr_db") for row in results.of("second")])
    assert f"{gain:+.2f}" in line_of(lines, "second", "SI-SDR")


def test_the_best_has_a_star_and_less_is_better_where_it_is():
    lines = printed(made_results(), keys=["si_sdr_db", "real_time_factor"])
    assert line_of(lines, "second", "SI-SDR").startswith("* ")
    assert line_of(lines, "first", "real-time factor").startswith("* ")
    assert sum(line.startswith("*") for line in lines) == 2


def test_a_gain_that_may_be_chance_is_in_brackets():
    rng = np.random.default_rng(1)
    rows = []
    for number in range(20):
        value = rng.normal()
        for enhancer, gain in (("noisy", 0.0), ("sure", 1.0 + 0.1 * rng.normal()), ("chance", rng.normal())):
            rows.append(ClipResult(f"c{number}", enhancer, 16_000, 1.0, {"si_sdr_db": value + gain}))
    lines = printed(Results(rows))
    assert "(" not in line_of(lines, "sure", "SI-SDR")
    assert "(" in line_of(lines, "chance", "SI-SDR")


def test_it_fits_80_columns_whatever_the_names():
    names = (
        "noisy",
        *(f"a very long name of an enhancer, number {number}, that nobody can read" for number in range(12)),
    )
    lines = printed(made_results(4, names))
    assert max(map(len, lines)) <= 80


def test_markup_in_names_is_shown_and_failures_are_counted_and_told():
    rows = [
        ClipResult("[red]a", "noisy", 16_000, 1.0, {"si_sdr_db": 1.0}),
        ClipResult("[red]a", "[bold]x", 16_000, 1.0, {"si_sdr_db": float("inf")}),
        ClipResult("b", "[bold]x", 16_000, 1.0, {}, {"clip": "it has no samples [0 s]"}),
    ]
    lines = printed(Results(rows))
    assert line_of(lines, "[bold]x", "SI-SDR").split()[-2:] == ["0", "2"]
    assert "failed: b ([bold]x): it has no samples [0 s]" in lines


def test_unknown_measures_are_shown_by_their_keys():
    results = Results([ClipResult("a", "noisy", 16_000, 1.0, {"homemade": 0.25})])
    assert "0.25" in line_of(printed(results), "noisy", "homemade")


def test_no_results_are_refused():
    with pytest.raises(InvalidParameterError, match="no results"):
        printed(Results([]))
