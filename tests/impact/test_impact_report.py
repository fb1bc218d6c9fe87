"""A report says the same as data, as a table, as a figure, and as a page that asks for nothing and runs nothing."""

from __future__ import annotations

import io
import json
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.impact.figure import impact_figure
from unmuffle.measure.impact.normalizer import TextNormalizer
from unmuffle.measure.impact.page import write_impact_html
from unmuffle.measure.impact.report import ImpactReport
from unmuffle.measure.impact.section import impact_section
from unmuffle.measure.impact.summaries import Judge
from unmuffle.measure.impact.table import impact_table
from unmuffle.measure.impact.transcripts import Utterance
from unmuffle.measure.impact.trials import CLEAN, UNTOUCHED, Trial

pytest.importorskip("jiwer", reason="the extra impact is not installed")

STRENGTHS = (0.0, 0.5, 1.0)
NASTY = '<script>alert("x")</script>'


def made(enhancer: str = "tool", noise: str = "rain", snrs=(0.0, 10.0), similarity: float | None = 0.9) -> ImpactReport:
    """Twelve clips of ten words; two words wrong for each half of the strength that is missing."""
    clips = [Utterance(f"c{i}", "a b c d e f g h i j") for i in range(12)]
    trials = [Trial(one.name, CLEAN, None, CLEAN, 0.0, one.text, 1.0) for one in clips]
    for one in clips:
        for snr_db in snrs:
            for name, strength in (UNTOUCHED, (enhancer, 0.5), (enhancer, 1.0)):
                wrong = round(4 * (1.0 - strength))
                text = " ".join(["x"] * wrong + one.text.split()[wrong:])
                trials.append(Trial(one.name, noise, snr_db, name, strength, text, similarity))
    trials.append(Trial("c0", "lost", 0.0, *UNTOUCHED, error=f"c0: {NASTY}"))
    judge = Judge(TextNormalizer(), 0.95, 0)
    return judge.report(clips, trials, [enhancer], STRENGTHS, [f"left {NASTY}"], {"recogniser": "ears 1"})


def test_data_is_json_and_holds_rates_and_degradation(tmp_path):
    made().write_json(tmp_path / "r.json")
    data = json.loads((tmp_path / "r.json").read_text())
    first = data["conditions"][0]
    assert (first["noise"], first["snr_db"], first["clips"], first["words"]) == ("rain", 0.0, 12, 120)
    assert [step["wer"]["value"] for step in first["sweep"]] == pytest.approx([0.4, 0.2, 0.0])
    assert first["sweep"][0]["errors"] == {"substitutions": 48, "deletions": 0, "insertions": 0, "words": 120}
    assert first["degradation"] == pytest.approx({"noisy": 0.4, "enhanced": 0.0, "advised": 0.0})
    assert first["verdict"]["text"] == "enhance"
    assert first["verdict"]["gain"]["value"] == pytest.approx(0.4)


def test_the_table_shows_every_condition():
    console = Console(width=140, file=io.StringIO())
    console.print(impact_table(made()))
    lines = console.file.getvalue().splitlines()
    assert len(lines) == 1 + 3
    assert re.search(r"rain, 0 dB +tool +12 +0\.0 +40\.0 +0\.0 .*0\.900 +0\.900 +enhance", lines[1])
    assert len(impact_table(made(similarity=None)).columns) == len(impact_table(made()).columns) - 2


def test_the_figure_draws_what_the_report_holds():
    pytest.importorskip("matplotlib", reason="the extra report is not installed")
    figure = impact_figure(made())
    by_snr, by_strength = figure.axes
    noisy, tool = (container.lines[0].get_ydata().tolist() for container in by_snr.containers)
    assert noisy == pytest.approx([40.0, 40.0])
    assert tool == pytest.approx([0.0, 0.0])
    assert by_strength.containers[0].lines[0].get_ydata().tolist() == pytest.approx([40.0, 20.0, 0.0])
    assert by_snr.get_xlabel() == "SNR, dB"
    assert by_snr.get_ylabel() == "word error rate, %"


def test_nothing_to_draw_is_said():
    with pytest.raises(InvalidParameterError, match="nothing to draw"):
        impact_figure(ImpactReport((), 0.95))


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.text = ""
        self.addresses: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href")]
        self.open.append(tag)
        if tag == "meta":
            self.open.pop()

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_the_page_is_whole_and_needs_nothing(tmp_path):
    write_impact_html(made(), tmp_path / "r.html")
    page = Page((tmp_path / "r.html").read_text())
    assert not page.open
    assert "script" not in page.seen
    assert not page.addresses
    assert page.seen.count("svg") >= 2
    assert "+40.0 (+40.0 to +40.0)" in page.text


def test_names_from_outside_are_text_on_the_page():
    section = impact_section(made(enhancer=NASTY, noise=NASTY))
    page = Page(section.html)
    assert "script" not in page.seen
    # Row by row, in the legend, among failures and among those left out.
    assert page.text.count(NASTY) >= 8


def test_a_single_ratio_gives_the_sweep_alone():
    section = impact_section(made(snrs=(5.0,)))
    assert Page(section.html).seen.count("figure") == 1
