"""The page: right figures, nothing from outside, nothing taken for markup, and whatever is there or missing."""

from __future__ import annotations

import re
from itertools import combinations

import numpy as np
import pytest
from report_results import Page, made_results
from scipy.stats import wilcoxon

from unmuffle.errors import AudioFileError, InvalidParameterError, MissingExtraError
from unmuffle.measure.assurance.gate import QualityGate
from unmuffle.measure.assurance.rules import Rule, Threshold
from unmuffle.measure.report.html import Section, write_html
from unmuffle.measure.results import ClipResult, Results

pytest.importorskip("jinja2")

GATE = QualityGate((Rule((Threshold("si_sdr_db", "gain", minimum=2.0),)),))
NASTY = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>{{7*7}}"


def page_of(results: Results, folder, **options) -> Page:
    write_html(results, folder / "report.html", **options)
    return Page(folder / "report.html")


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    folder = tmp_path_factory.mktemp("full")
    results = made_results(folder=folder)
    section = Section("Impact", "<p>Words were <b>saved</b>.</p>")
    return results, page_of(results, folder, gate=GATE, sections=[section], title="How it went")


def cell_texts(page: Page, tag: str, kind: str) -> list[str]:
    return re.findall(rf'<{tag} class="{kind}[^"]*">([^<]*)</{tag}>', page.source)


def test_the_page_is_well_formed(full):
    _, page = full
    assert page.mistakes == []
    assert page.source.startswith("<!DOCTYPE html>")
    assert page.all("html", lang="en")
    assert page.all("meta", name="viewport")
    identities = [found["id"] for _, found in page.elements if "id" in found]
    assert len(identities) == len(set(identities))


def test_links_and_labels_point_at_what_is_there(full):
    _, page = full
    identities = {found["id"] for _, found in page.elements if "id" in found}
    targets = [found["href"] for found in page.all("a")]
    assert len(targets) >= 6
    assert all(target[1:] in identities for target in targets)
    assert {found["aria-labelledby"] for found in page.all("section")} <= identities
    assert {found["data-panel"] for found in page.all("button") if "data-panel" in found} <= identities


def test_nothing_comes_from_outside(full):
    _, page = full
    for tag, found in page.elements:
        for name in ("src", "href", "srcset", "poster", "data", "action", "xlink:href"):
            assert not found.get(name) or found[name].startswith(("#", "data:")), (tag, found)
    assert not page.all("link")
    style = "".join(data for tag, data in page.text if tag == "style")
    assert "url(" not in style
    assert "@import" not in style
    script = "".join(data for tag, data in page.text if tag == "script")
    assert not re.search(r"\bfetch\(|XMLHttpRequest|import\(|WebSocket|\.src\s*=\s*['\"]http", script)
    # The one address there is names the kind of an element.
    assert set(re.findall(r"https?://[^\s'\"<)]+", page.source)) == {"http://www.w3.org/2000/svg"}


def test_only_the_own_script_may_run(full):
    import base64
    import hashlib

    _, page = full
    policy = next(found["content"] for found in page.all("meta") if "Content-Security-Policy" in found.values())
    scripts = [found for found in page.all("script") if found.get("type") != "application/json"]
    assert len(scripts) == 1
    source = page.source[page.source.rindex("<script>") + len("<script>") : page.source.rindex("</script>")]
    told = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    assert f"script-src 'sha256-{told}';" in policy
    assert "default-src 'none'" in policy


def test_figures_are_those_of_numpy(full):
    results, page = full
    means = cell_texts(page, "span", "mean")
    for enhancer in results.enhancers:
        for key, decimals in (("si_sdr_db", 2), ("pesq_wideband", 3)):
            mean = np.mean([row.values[key] for row in results.of(enhancer)])
            assert f"{mean:.{decimals}f}".replace("-", "−") in means
    gains = cell_texts(page, "span", "gain")
    gain = np.mean([results.gain(row, "si_sdr_db") for row in results.of("second")])
    assert f"{gain:+.2f}" in gains


def test_the_matrix_is_that_of_scipy_with_the_correction_of_holm(full):
    results, page = full
    values = {name: np.array([row.values["si_sdr_db"] for row in results.of(name)]) for name in results.enhancers}
    pairs = list(combinations(values, 2))
    p_values = np.array([wilcoxon(values[b] - values[a]).pvalue for a, b in pairs])
    order = np.argsort(p_values)
    corrected, highest = {}, 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, p_values[place] * (len(pairs) - rank)))
        corrected[pairs[place]] = highest
    matrix = page.source[page.source.index('<table class="matrix">') :]
    matrix = matrix[: matrix.index("</table>")]
    for (first, second), p_value in corrected.items():
        difference = f"{values[second].mean() - values[first].mean():+.2f}".replace("-", "−")
        shown = "p &lt; 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
        told = rf'title="{second} minus {first} [^"]*">'
        figures = f'<span class="mean">{re.escape(difference)}</span><span class="interval">{shown}<'
        assert re.search(told + figures, matrix), (first, second)


def test_breakdowns_are_means_over_the_clips_at_each_level(full):
    results, page = full
    for snr_db in (-5.0, 0.0, 5.0, 10.0):
        found = [row.values["si_sdr_db"] for row in results.of("first") if row.conditions["snr_db"] == snr_db]
        level = f"{snr_db:g}".replace("-", "−")
        assert f"first, {level}: {np.mean(found):.2f} (" in page.source
    found = [row.values["pesq_wideband"] for row in results.of("noisy") if row.conditions["noise"] == "rain"]
    assert f"noisy, rain: {np.mean(found):.3f} (" in page.source


def test_the_best_are_marked(full):
    _, page = full
    table = page.source[page.source.index('<table class="comparison"') :]
    row = re.search(r'<tr>\s*<th scope="row" data-value="second">.*?</tr>', table, re.DOTALL).group()
    assert row.count("★") == 2
    first = re.search(r'<tr>\s*<th scope="row" data-value="first">.*?</tr>', table, re.DOTALL).group()
    assert "100×" in first


def test_all_rows_are_in_the_table_of_clips(full):
    results, page = full
    table = page.clip_table
    titles = [column["title"] for column in table["columns"]]
    assert titles[:4] == ["Clip", "Enhancer", "SNR, dB", "Noise"]
    place = titles.index("SI-SDR, dB")
    assert len(table["rows"]) == len(results)
    for line, row in zip(table["rows"], results, strict=True):
        assert line[:2] == [row.clip, row.enhancer]
        assert line[place] == pytest.approx(row.values["si_sdr_db"], abs=5.1e-4)


def test_the_worst_are_those_that_gained_least(full):
    results, page = full
    gains = {row.clip: results.gain(row, "si_sdr_db") for row in results.of("first")}
    worst = sorted(gains, key=gains.get)[:10]
    listed = [found["data-clip"] for found in page.all("details") if found.get("data-version") == "first"]
    assert listed == worst


def test_the_gate_is_judged(full):
    results, page = full
    gain = np.mean([results.gain(row, "si_sdr_db") for row in results.of("second")])
    assert gain > 2.0
    assert np.mean([results.gain(row, "si_sdr_db") for row in results.of("first")]) < 2.0
    gate = page.source[page.source.index('<section id="gate"') :]
    gate = gate[: gate.index("</section>")]
    assert re.findall(r'<td class="(passed|failed)"', gate) == ["failed", "passed"]


def test_sections_of_others_are_put_in_as_they_are(full):
    _, page = full
    assert "<p>Words were <b>saved</b>.</p>" in page.source
    assert page.all("h2", id="section-1-title")
    assert "How it went" in page.shown
    assert {"href": "#section-1"} in page.all("a")


def test_names_are_text_whatever_they_hold(tmp_path):
    nasty = [
        ClipResult(
            NASTY, name, 16_000, 1.0, {"si_sdr_db": 1.0, NASTY: 2.0}, {NASTY: NASTY}, {NASTY: level, "noise": NASTY}
        )
        for name, level in (("noisy", NASTY), (NASTY, NASTY))
    ] + [
        ClipResult(f"{NASTY}2", name, 16_000, 1.0, {"si_sdr_db": 2.0}, {}, {NASTY: "other", "noise": "fan"})
        for name in ("noisy", NASTY)
    ]
    page = page_of(Results(nasty, {NASTY: NASTY}), tmp_path, title=NASTY, gate=GATE)
    assert page.mistakes == []
    assert len(page.all("script")) == 2
    assert not page.all("img")
    assert "<script>alert" not in page.source
    assert "onerror=alert(2)>" not in re.sub(r'"[^"]*"', "", page.source.replace("&gt;", ""))
    assert "49" not in page.shown
    assert page.clip_table["rows"][0][0] == NASTY
    assert page.all("details")[0]


def test_without_a_reference_and_without_the_noisy_clip(tmp_path):
    blind = Results(ClipResult(f"c{n}", "mine", 16_000, 1.0, {"dnsmos_ovrl": 2.0 + n / 9}) for n in range(4))
    page = page_of(blind, tmp_path)
    assert page.mistakes == []
    assert f"{2.0 + 1.5 / 9:.2f}" in cell_texts(page, "span", "mean")
    assert "over the clip as it came" not in page.shown
    assert [found["data-clip"] for found in page.all("details") if "data-clip" in found] == ["c0", "c1", "c2", "c3"]


@pytest.mark.parametrize(("clips", "count"), [(1, 1), (1, 12), (3, 12), (40, 2)])
def test_any_number_of_clips_and_enhancers(clips, count, tmp_path):
    names = ("noisy", *(f"method {number}" for number in range(count)))
    page = page_of(made_results(clips, names), tmp_path)
    assert page.mistakes == []
    assert len(page.clip_table["rows"]) == clips * len(names)


def test_only_unknown_measures(tmp_path):
    results = Results(ClipResult(f"c{n}", "mine", 16_000, 1.0, {"homemade": float(n)}) for n in range(3))
    page = page_of(results, tmp_path)
    assert page.mistakes == []
    assert "homemade" in page.shown


def test_failures_are_told_with_their_clips(tmp_path):
    rows = [*made_results(3), ClipResult("dead", "first", 16_000, 0.0, {}, {"clip": "it has no samples"})]
    rows += [ClipResult(f"short{n}", "first", 16_000, 0.1, {"si_sdr_db": 1.0}, {"stoi": "too short"}) for n in range(9)]
    page = page_of(Results(rows), tmp_path)
    assert "it has no samples" in page.shown
    assert "short0, short1, short2, short3, short4 and 4 more" in page.shown


def test_a_run_in_which_everything_failed_can_be_shown(tmp_path):
    page = page_of(Results([ClipResult("dead", "first", 16_000, 0.0, {}, {"clip": "it has no samples"})]), tmp_path)
    assert page.mistakes == []
    assert "it has no samples" in page.shown


def test_values_that_are_not_finite_do_not_spoil_the_means(tmp_path):
    rows = [ClipResult(f"c{n}", "mine", 16_000, 1.0, {"si_sdr_db": v}) for n, v in enumerate([1.0, 2.0, float("inf")])]
    page = page_of(Results(rows), tmp_path)
    assert "1.50" in cell_texts(page, "span", "mean")
    assert page.clip_table["rows"][2][-2] == "inf"


def test_thousands_of_clips_stay_small(tmp_path):
    rng = np.random.default_rng(0)
    names = ("noisy", *(f"method {number}" for number in range(4)))
    keys = ("si_sdr_db", "pesq_wideband", *(f"measure_{number}" for number in range(8)))
    rows = [
        ClipResult(
            f"clip{n:05d}", name, 16_000, 5.0, dict(zip(keys, rng.normal(size=10), strict=True)), {}, {"snr_db": n % 5}
        )
        for n in range(2_000)
        for name in names
    ]
    page = page_of(Results(rows), tmp_path)
    assert len(page.source) < 3_000_000
    assert len(page.elements) < 6_000


def test_no_results_and_wrong_numbers_are_refused(tmp_path):
    with pytest.raises(InvalidParameterError, match="no results"):
        write_html(Results([]), tmp_path / "r.html")
    with pytest.raises(InvalidParameterError, match="max_clips"):
        write_html(made_results(1), tmp_path / "r.html", max_clips=-1)
    assert not list(tmp_path.iterdir())


def test_a_page_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "file").write_text("as it was")
    with pytest.raises(AudioFileError, match="cannot be written"):
        write_html(made_results(1), tmp_path / "file" / "r.html")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]


def test_without_the_extra_the_way_to_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match=r'pip install "unmuffle\[report\]"'):
        write_html(made_results(1), tmp_path / "r.html")
