"""The page in a real browser: its script runs under its own policy, and sorts, filters, and changes versions."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
from report_results import made_results

from unmuffle.measure.report.html import write_html

pytest.importorskip("jinja2")
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="there is no Chromium on the PATH")

TRY_OUT = """
const told = {};
const press = (key, place) => {
  place.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }));
};
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
(async () => {
  const table = document.querySelector('.comparison');
  const head = table.tHead.rows[0].cells[1];
  const names = () => [...table.tBodies[0].rows].map((row) => row.cells[0].dataset.value);
  const order = () => [head.getAttribute('aria-sort'), ...names()];
  head.querySelector('button').click();
  told.down = order();
  head.querySelector('button').click();
  told.up = order();

  const tabs = [...document.querySelectorAll('[data-tabs=measures] button')];
  tabs[0].focus();
  press('ArrowRight', tabs[0]);
  told.tab = [document.activeElement === tabs[1], tabs[1].getAttribute('aria-selected')];
  told.hidden = document.getElementById('measure-1').hidden;

  const search = document.querySelector('.clip-table input[type=search]');
  search.value = 'clip03 second';
  search.dispatchEvent(new Event('input'));
  const found = [...document.querySelectorAll('.clip-table tbody tr')];
  told.found = found.map((row) => [row.cells[0].textContent, row.cells[1].textContent]);

  const clip = document.querySelector('details.clip');
  clip.open = true;
  await wait(500);
  const chosen = () => clip.querySelector('[role=radio][aria-checked=true] .version-name').textContent;
  const player = clip.querySelector('.player');
  told.first = chosen();
  press('1', player);
  told.one = chosen();
  press('ArrowLeft', clip.querySelector('[role=radio][aria-checked=true]'));
  told.around = chosen();
  told.focused = document.activeElement.getAttribute('aria-checked');
  press(' ', player);
  told.playing = clip.querySelector('.play').getAttribute('aria-label');
  await clip.player.buffers;
  await wait(200);
  told.sources = clip.player.sources.length;
  told.gains = clip.player.sources.map((source, index) => clip.player.gainOf(index));
  press(' ', player);
  told.paused = clip.querySelector('.play').getAttribute('aria-label');
  told.overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  const shown = document.createElement('pre');
  shown.id = 'told';
  shown.textContent = JSON.stringify(told);
  document.body.append(shown);
})();
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("browser")
    write_html(made_results(8, folder=folder), folder / "report.html")
    return folder / "report.html"


def browse(page: Path, *options: str, budget_s: int = 20) -> tuple[str, list[str]]:
    """Return the document as it is in the end, and what the console was told."""
    command = [
        BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--enable-logging=stderr",
        f"--virtual-time-budget={1000 * budget_s}", "--autoplay-policy=no-user-gesture-required",
        f"--user-data-dir={page.parent / 'profile'}", *options, "--dump-dom", page.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    return done.stdout.decode(), re.findall(r"CONSOLE.*", done.stderr.decode(errors="replace"))


def test_its_script_runs_under_its_own_policy_without_a_complaint(page):
    document, complaints = browse(page)
    assert complaints == []
    assert '<html lang="en" class="scripted">' in document
    table = document[document.index('<div class="clip-table"') :]
    assert table[: table.index("</table>")].count("<tr>") == 1 + 24
    assert "1 to 24 of 24" in document


@pytest.fixture(scope="module")
def told(page):
    """What becomes of the page when it is used; the policy has to go for that, as it would not let the trial in."""
    source = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    trial = page.with_name("trial.html")
    trial.write_text(source.replace("</body>", f"<script>{TRY_OUT}</script></body>"), "utf-8")
    # Audio is decoded in real time while the virtual one runs on: a busy machine needs more of that.
    for budget_s in (20, 100, 500):
        document, complaints = browse(trial, "--window-size=500,900", budget_s=budget_s)
        assert complaints == []
        found = re.search(r'<pre id="told">(.*?)</pre>', document)
        if found:
            return json.loads(unescape(found.group(1)))
    raise AssertionError("the trial of the page did not come to its end")


def test_columns_sort_both_ways(told):
    assert told["down"] == ["descending", "second", "first", "noisy"]
    assert told["up"] == ["ascending", "noisy", "first", "second"]


def test_tabs_follow_the_arrow_keys(told):
    assert told["tab"] == [True, "true"]
    assert told["hidden"]


def test_the_search_finds_rows(told):
    assert told["found"] == [["clip03", "second"]]


def test_keys_change_the_version_and_play(told):
    assert (told["first"], told["one"], told["around"]) == ("first", "noisy", "reference")
    assert told["focused"] == "true"
    assert (told["playing"], told["paused"]) == ("Pause", "Play")


def test_all_versions_run_and_one_is_heard(told):
    assert told["sources"] == 4
    assert told["gains"] == [0, 0, 0, 1]


def test_a_narrow_page_does_not_scroll_sideways(told):
    assert told["overflow"] <= 0
