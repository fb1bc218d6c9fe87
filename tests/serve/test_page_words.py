"""What the page says when something is wrong, and what it offers: in plain words, by a real server and browser."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="the extra serve is not installed")
from live_server import running_server
from page_browser import chromium, clean_file, until, watched

RATE = 16_000
EXAMPLE = Path(__file__).parents[2] / "examples" / "noisy.flac"
FAILED = "() => !document.querySelector('#clean-error').hidden"


@pytest.fixture(scope="module")
def recording(tmp_path_factory, noisy_speech, write_file):
    return write_file(tmp_path_factory.mktemp("words") / "talk.wav", noisy_speech(RATE, 3.0), RATE, "PCM_16")


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


def complaint(page) -> str:
    until(page, FAILED)
    assert page.is_visible("#clean-choose")
    assert page.evaluate("document.activeElement.id") == "clean-choose"
    return page.inner_text("#clean-error")


def test_a_server_that_has_gone_is_told_and_the_file_can_be_given_again(browser, recording):
    with watched(browser, "") as shown:
        with running_server() as first:
            shown.url = first.url
            page = shown.open()
        page.set_input_files("#clean-file", recording)
        assert complaint(page) == "The server cannot be reached. Is it running, and is the network there?"
        with running_server(port=first.port):
            clean_file(page, recording)


def test_a_file_that_is_too_large_is_told_with_the_limit(tmp_path, browser):
    large = tmp_path / "large.wav"
    soundfile.write(large, np.zeros(40 * RATE), RATE, "DOUBLE")
    with running_server(max_upload_bytes=3_000_000) as small, watched(browser, small.url) as shown:
        page = shown.open()
        page.set_input_files("#clean-file", large)
        assert complaint(page) == "This is more than the server takes. The file is larger than 3 MB."


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("NotAllowedError", "does not let this page use a microphone: allow it beside the address"),
        ("NotFoundError", "No microphone was found."),
        ("NotReadableError", "in use by another program"),
    ],
)
def test_a_microphone_that_cannot_be_had_is_told(browser, server, name, words):
    with watched(browser, server.url) as shown:
        shown.context.add_init_script(
            f"""navigator.mediaDevices.getUserMedia =
              () => Promise.reject(new DOMException("Permission denied by system", "{name}"));"""
        )
        page = shown.open()
        page.click("#clean-record")
        until(page, FAILED)
        assert words in page.inner_text("#clean-error")
        assert page.inner_text("#clean-record") == "Record"
        page.click("#tab-live")
        page.click("#live-start")
        until(page, "() => !document.querySelector('#live-error').hidden")
        assert words in page.inner_text("#live-error")
        assert page.inner_text("#live-state") == "Off."
        assert page.is_enabled("#live-start")


def test_what_the_denoiser_leaves_can_be_treated_by_one_click(browser, server):
    with watched(browser, server.url) as shown:
        page = shown.open()
        clean_file(page, EXAMPLE)
        until(page, "() => document.querySelector('#findings .stays')")
        assert "hum" in page.inner_text("#findings").lower()
        page.click("#treat-rest")
        until(
            page, "() => !document.querySelector('#clean-result').hidden && document.querySelector('#findings .gone')"
        )
        assert page.input_value("#result-preset") == "auto"
        assert page.locator("#findings .stays").count() == 0
        assert page.is_hidden("#diagnosis-rest")
        page.click("#result-another")
        page.select_option("#clean-preset", "auto")
        assert "Looks at the recording first" in page.inner_text("#clean-preset-about")
        page.select_option("#clean-preset", "")
        assert "changes nothing else" in page.inner_text("#clean-preset-about")


def test_of_several_files_the_first_is_cleaned_and_that_is_told(browser, server, recording):
    data = list(recording.read_bytes())
    drop = """([bytes, names]) => {
      const dropped = new DataTransfer();
      for (const name of names) dropped.items.add(new File([new Uint8Array(bytes)], name));
      const event = new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true });
      document.querySelector("#panel-clean").dispatchEvent(event);
    }"""
    with watched(browser, server.url) as shown:
        page = shown.open()
        page.evaluate(drop, [data, ["one.wav", "two.wav", "three.wav"]])
        until(page, "() => !document.querySelector('#clean-result').hidden")
        assert page.inner_text("#result-name") == "one.wav"
        assert page.inner_text("#result-first") == "You gave 3 files. This page takes one at a time: here is the first."
        page.evaluate(drop, [data, ["four.wav"]])
        until(page, "() => document.querySelector('#result-name').textContent === 'four.wav'")
        assert page.is_hidden("#result-first")


def test_how_long_it_will_last_is_told_once_it_is_known(browser, server):
    with watched(browser, server.url) as shown:
        told = shown.open().evaluate(
            """async (asked) => {
              const { leftInWords } = await import("/page/dom.js");
              return asked.map(([share, seconds]) => leftInWords(share, seconds));
            }""",
            [[0, 0], [0, 5], [0.5, 1], [0.5, 12], [0.9, 10], [0.1, 30], [0.5, 60]],
        )
    assert told == ["", "", "", "about 15 seconds left", "", "about 5 minutes left", "about 1 minute left"]
