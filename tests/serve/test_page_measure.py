"""The tab that measures."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("starlette", reason="the extra serve is not installed")
from live_server import running_server
from page_browser import chromium, until, watched

from unmuffle.level import LoudnessMeter

RATE = 16_000


@pytest.fixture(scope="module")
def files(tmp_path_factory, noisy_speech, write_file):
    folder = tmp_path_factory.mktemp("measure")
    noisy = noisy_speech(RATE, 4.0)
    clean = noisy - 0.02 * np.random.default_rng(0).standard_normal(noisy.shape)
    return {
        "noisy": write_file(folder / "noisy.wav", noisy, RATE),
        "enhanced": write_file(folder / "enhanced.wav", 0.8 * clean + 0.2 * noisy, RATE),
        "clean": write_file(folder / "clean.wav", clean, RATE),
        "other": write_file(folder / "other.wav", clean, 8000),
    }


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture
def page(browser, server):
    with watched(browser, server.url) as shown:
        yield shown.open("/#measure")


def measured(page) -> dict[str, list[str]]:
    """Click, wait, and return the rows of both tables."""
    page.click("#measure-go")
    until(
        page,
        "() => !document.querySelector('#measure-result').hidden || !document.querySelector('#measure-error').hidden",
    )
    assert page.inner_text("#measure-error") == ""
    script = """(rows) => rows.map((row) => [...row.cells].map((cell) => cell.firstChild?.textContent ?? ""))"""
    rows = page.eval_on_selector_all(".scores tbody tr", script)
    return {name: values for name, *values in rows}


def value(text: str) -> float:
    return float(text.replace("−", "-"))


def test_scores_are_right_and_what_is_better_is_told_in_words(page, files, noisy_speech):
    for name in ("noisy", "enhanced", "clean"):
        page.set_input_files(f"#measure-{name}", files[name])
    scores = measured(page)
    # The noise was divided by five: 14 dB.
    assert value(scores["SI-SDR"][2]) == pytest.approx(20 * np.log10(5.0), abs=0.3)
    row = page.locator(".scores tr", has_text="SI-SDR").first
    assert row.locator(".better").inner_text() == "better"
    before, after, change = map(value, scores["Estimated SNR"])
    assert after > before
    assert change == pytest.approx(after - before, abs=0.02)
    meter = LoudnessMeter(RATE)
    meter.process(noisy_speech(RATE, 4.0).astype(np.float32))
    assert value(scores["Loudness"][0]) == pytest.approx(meter.integrated_lufs, abs=0.05)
    assert page.evaluate("document.activeElement.id") == "measure-title"


def test_the_report_is_a_page_by_itself_and_needs_no_reference(page, files):
    page.set_input_files("#measure-noisy", files["noisy"])
    page.set_input_files("#measure-enhanced", files["enhanced"])
    answers = []
    page.context.on("response", lambda answer: answers.append(answer))
    page.click("#measure-report")
    end = 400
    while not any("format=html" in answer.url for answer in answers) and end:
        page.wait_for_timeout(50)
        end -= 1
    report = next(answer for answer in answers if "format=html" in answer.url)
    assert report.status == 200
    assert report.headers["content-type"].startswith("text/html")


def test_files_that_do_not_belong_together_are_refused_in_words(page, files):
    page.set_input_files("#measure-noisy", files["noisy"])
    page.set_input_files("#measure-enhanced", files["other"])
    page.click("#measure-go")
    until(page, "() => !document.querySelector('#measure-error').hidden")
    assert "Hz" in page.inner_text("#measure-error")
    assert page.is_hidden("#measure-result")


def test_what_is_missing_is_asked_for(page, files):
    page.set_input_files("#measure-noisy", files["noisy"])
    page.click("#measure-go")
    assert page.evaluate("document.activeElement.id") == "measure-enhanced"
    assert page.is_hidden("#measure-progress")
