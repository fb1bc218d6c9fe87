"""Results as one page that needs nothing else: figures, charts, and players for the clips worth listening to.

The page asks for nothing from outside, and its policy forbids it to: styles, script, images and audio are part of it,
and only its own script, known by its hash, may run.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.catalogue import measure_of
from unmuffle.measure.extras import REPORT, load_package
from unmuffle.measure.report.breakdown import condition_text
from unmuffle.measure.report.cards import cards, speed
from unmuffle.measure.report.charts.series import styles
from unmuffle.measure.report.charts.svg import legend_marker
from unmuffle.measure.report.clip_table import clip_table
from unmuffle.measure.report.comparison import COST_KEYS, main_comparison, other_comparison, plain, sentence, signed
from unmuffle.measure.report.depth import panels
from unmuffle.measure.report.failures import failures
from unmuffle.measure.report.players import Players, make_players
from unmuffle.measure.report.standings import headline_keys, refuse_empty
from unmuffle.measure.report.worst import WORST_CLIPS, Ranking, clips_with_players, ranked_text, rankings, version_table
from unmuffle.measure.results import UNPROCESSED, Results
from unmuffle.signal.files.new_file import encoded, new_file

if TYPE_CHECKING:
    from unmuffle.measure.assurance.gate import QualityGate
    from unmuffle.measure.assurance.rules import Finding

_SCRIPTS = ("tabs.js", "sort.js", "clips.js", "player.js")
_SHORT_FACT = 90
"""Longer facts of the run are folded away."""


@dataclass(frozen=True)
class Section:
    """A section that something else adds to the page.

    Attributes
    ----------
    title : str
        Its heading.
    html : str
        What is in it, put in as it is: whoever makes it escapes what came from outside. Scripts in it do not run.
    first : bool
        Whether it comes before all others.
    """

    title: str
    html: str
    first: bool = False


def write_html(
    results: Results,
    path: str | os.PathLike[str],
    *,
    gate: QualityGate | None = None,
    title: str = "Speech enhancement report",
    max_clips: int = 40,
    sections: Sequence[Section] = (),
) -> None:
    """Write results as a page, whole or not at all; a file that is there already is replaced.

    Parameters
    ----------
    results : Results
        Of a run; any measures, any number of enhancers and clips.
    path : str or path
        Of the ``.html`` file.
    gate : QualityGate, optional
        Adds a section on what passes it.
    title : str, default "Speech enhancement report"
        Heading of the page.
    max_clips : int, default 40
        How many clips may have a player: the worst of each enhancer first. There are fewer where their audio would
        take more than 16 MB; the page tells.
    sections : sequence of Section
        What else to show.

    Raises
    ------
    InvalidParameterError
        If there are no results, or ``max_clips`` is negative.
    MissingExtraError
        Without ``jinja2`` or ``matplotlib``, which are in the extra ``report``.
    AudioFileError
        When it cannot be written. A recording that cannot be read is told on the page.
    """
    refuse_empty(results)
    if max_clips < 0:
        raise InvalidParameterError(f"max_clips must be at least 0, not {max_clips}")
    template = _template()
    found = rankings(results)
    players = make_players(results, clips_with_players(found, max_clips))
    comparison = main_comparison(results)
    context = {
        "title": title,
        "results": results,
        "short_about": {name: text for name, text in results.about.items() if len(text) <= _SHORT_FACT},
        "long_about": {name: text for name, text in results.about.items() if len(text) > _SHORT_FACT},
        "cards": cards(results, comparison),
        "gate": gate.judge_all(results) if gate is not None else None,
        "comparison": comparison,
        "others": other_comparison(results, comparison),
        "panels": panels(results, comparison, headline_keys(results)),
        "failures": failures(results),
        "table": clip_table(results),
        "sections": sections,
        "unprocessed": UNPROCESSED,
        "legend": {name: legend_marker(style) for name, style in styles(results.enhancers).items()},
        **_listening(results, found, players),
    }
    html = template.render(context)
    with new_file(path) as file:
        file.write(encoded(html))


def _listening(results: Results, found: list[Ranking], players: Players) -> dict[str, Any]:
    keys = list(dict.fromkeys([*headline_keys(results), *(ranking.measure.key for ranking in found)]))
    clips = dict.fromkeys(row.clip for ranking in found for row, _ in ranking.rows)
    return {
        "rankings": found,
        "most_ranked": WORST_CLIPS,
        "players": players,
        "versions": {clip: version_table(results, clip, keys) for clip in clips},
    }


def _template() -> Any:
    jinja = load_package("jinja2", REPORT, "this report")
    environment = jinja.Environment(
        loader=jinja.PackageLoader("unmuffle.measure.report"),
        autoescape=True,
        undefined=jinja.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = "".join(f"(() => {{\n'use strict';\n{_source(name)}}})();\n" for name in _SCRIPTS)
    environment.globals |= {
        "style": _source("report.css"),
        "script": script,
        "script_hash": base64.b64encode(hashlib.sha256(f"\n{script}".encode()).digest()).decode(),
        "condition_text": condition_text,
        "ranked_text": ranked_text,
        "speed": speed,
        "finding_text": _finding_text,
        "cost_keys": COST_KEYS,
    }
    environment.filters["sentence"] = sentence
    return environment.get_template("report.html.j2")


def _finding_text(finding: Finding) -> str:
    if finding.measured is None:
        return ""
    measure = measure_of(finding.threshold.measure)
    return (signed if finding.threshold.of == "gain" else plain)(finding.measured, measure)


def _source(name: str) -> str:
    return (files("unmuffle.measure.report") / "templates" / name).read_text("utf-8")
