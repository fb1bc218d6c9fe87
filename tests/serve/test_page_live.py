"""The live tab: a fake microphone's voice goes through the server and comes back."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="the extra serve is not installed")
from live_server import running_server
from page_browser import chromium, saved, set_strength, until, watched

from unmuffle.serve.keys import make_key

RATE = 48_000
ON = "() => document.querySelector('#live-state').textContent.startsWith('On')"
OFF = "() => document.querySelector('#live-state').textContent === 'Off.'"


@pytest.fixture(scope="module")
def browser(tmp_path_factory, noisy_speech, write_file):
    microphone = tmp_path_factory.mktemp("live") / "microphone.wav"
    write_file(microphone, noisy_speech(RATE, 8.0, speech=0.15), RATE, "PCM_16")
    with chromium(microphone) as running:
        yield running


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture
def page(browser, server):
    """A page on which the live tab is on."""
    with watched(browser, server.url) as shown:
        live = shown.open("/#live")
        live.click("#live-start")
        until(live, ON)
        until(live, "() => /dBFS/.test(document.querySelector('#meter-out-text').textContent)")
        yield live
        if live.inner_text("#live-start") == "Stop":
            live.click("#live-start")
            until(live, OFF)


def number(text: str) -> float:
    return float(text.split(" ")[0].replace("−", "-"))


def sides(page, folder) -> tuple[np.ndarray, np.ndarray]:
    """Both sides of what was recorded, clean and original."""
    paths = [saved(page, f"#live-save-{side}", folder) for side in ("clean", "original")]
    (clean, rate), (original, other) = [soundfile.read(path, dtype="float32") for path in paths]
    assert rate == other
    return clean, original


def record(page, seconds: int) -> None:
    page.click("#live-record")
    # What is left of an earlier recording does not begin so.
    recorded = "(s) => document.querySelector('#live-recorded').textContent.startsWith(`Recording, 0:0${s}.`)"
    until(page, recorded, seconds)
    page.click("#live-record")


def test_voice_comes_back_cleaner_and_aligned(page, tmp_path):
    record(page, 3)
    clean, original = sides(page, tmp_path)
    assert abs(clean.size - original.size) < RATE
    size = min(clean.size, original.size)
    assert size > 2.5 * 44_100
    clean, original = clean[:size], original[:size]
    spectrum = np.fft.rfft(original, 2 * size).conj() * np.fft.rfft(clean, 2 * size)
    lag = int(np.argmax(np.fft.irfft(spectrum)))
    assert min(lag, 2 * size - lag) <= 2
    # The pauses: what is quietest became quieter yet.
    frames = [audio[: size // 960 * 960].reshape(-1, 960) for audio in (original, clean)]
    before, after = (np.sort(np.mean(each**2, axis=1))[: len(each) // 10].mean() for each in frames)
    assert after < 0.25 * before


def test_the_way_there_and_back_is_measured(page):
    until(page, "() => /ms/.test(document.querySelector('#live-round-trip').textContent)")
    look_ahead = number(page.inner_text("#live-latency"))
    assert 20.0 <= look_ahead <= 60.0
    assert look_ahead < number(page.inner_text("#live-round-trip")) < 1500.0
    assert page.inner_text("#live-dropouts").isdigit()
    late = until(page, "() => /of/.test(document.querySelector('#live-late').textContent)")
    assert late


def test_the_meters_tell_levels(page):
    for name in ("in", "out"):
        until(page, f"() => Number(document.querySelector('#meter-{name}').getAttribute('aria-valuenow')) > -45")
        assert page.get_attribute(f"#meter-{name}", "aria-valuetext").endswith("dBFS")
    until(page, "() => Number(document.querySelector('#meter-taken').getAttribute('aria-valuenow')) > 3")


def test_off_and_strength_0_let_the_voice_pass_as_it_is_while_it_runs(page, tmp_path):
    page.uncheck("#live-on", force=True)
    page.wait_for_timeout(700)
    record(page, 1)
    clean, original = sides(page, tmp_path)
    size = min(clean.size, original.size)
    assert np.abs(clean[:size] - original[:size]).max() <= 1.01 / 32768.0
    page.check("#live-on", force=True)
    set_strength(page, 50, "#live-strength")
    assert page.inner_text("#live-strength-value") == "50 %"
    page.wait_for_timeout(700)
    record(page, 1)
    clean, original = sides(page, tmp_path)
    size = min(clean.size, original.size)
    assert np.abs(clean[:size] - original[:size]).max() > 0.005


def test_what_is_heard_can_be_turned_off(browser, server):
    with watched(browser, server.url) as shown:
        shown.context.add_init_script(
            """const connect = AudioNode.prototype.connect;
            AudioNode.prototype.connect = function (target, ...rest) {
              if (target instanceof AudioDestinationNode) {
                window.ear = new AnalyserNode(target.context);
                connect.call(this, window.ear);
              }
              return connect.call(this, target, ...rest);
            };
            window.peak = () => {
              const samples = new Float32Array(2048);
              window.ear.getFloatTimeDomainData(samples);
              return Math.max(...samples.map(Math.abs));
            };"""
        )
        page = shown.open("/#live")
        page.click("#live-start")
        until(page, "() => window.ear && peak() > 0.02")
        page.uncheck("#live-hear", force=True)
        until(page, "() => peak() < 1e-5")
        page.check("#live-hear", force=True)
        until(page, "() => peak() > 0.02")
        page.click("#live-start")
        until(page, OFF)


def test_another_microphone_can_be_chosen_while_it_runs(browser, server):
    with watched(browser, server.url) as shown:
        shown.context.add_init_script(
            """const { mediaDevices } = navigator;
            const open = mediaDevices.getUserMedia.bind(mediaDevices);
            window.opened = [];
            mediaDevices.getUserMedia = async (wanted) => {
              const stream = await open(wanted);
              window.opened.push(stream.getAudioTracks()[0].label);
              return stream;
            };"""
        )
        page = shown.open("/#live")
        assert page.is_hidden("#live-microphones")
        page.click("#live-start")
        until(page, ON)
        until(page, "() => !document.querySelector('#live-microphones').hidden")
        names = page.locator("#live-microphone option").all_inner_texts()
        assert names[0] == "The system's own"
        assert len(names) == len(set(names)) >= 3
        page.select_option("#live-microphone", label=names[-1])
        until(page, "() => window.opened.length === 2")
        until(page, ON)
        assert page.evaluate("window.opened[1]") == names[-1]
        assert page.locator("#live-microphone option:checked").inner_text() == names[-1]
        page.click("#live-start")
        until(page, OFF)


def test_another_tab_turns_the_microphone_off(page, server):
    assert server.state.streams.count >= 1
    page.click("#tab-measure")
    until(page, OFF)
    page.wait_for_timeout(100)
    assert server.state.streams.count == 0


def test_a_server_that_has_no_room_says_so_and_the_page_can_try_again(browser):
    with (
        running_server(capacity=1) as small,
        watched(browser, small.url) as first,
        watched(browser, small.url) as second,
    ):
        for shown in (first, second):
            shown.open("/#live").click("#live-start")
            if shown is first:
                until(shown.page, ON)
        until(second.page, "() => !document.querySelector('#live-error').hidden")
        assert "{" not in second.page.inner_text("#live-error")
        first.page.click("#live-start")
        until(first.page, OFF)
        until(second.page, "() => !document.querySelector('#live-start').disabled")
        second.page.wait_for_timeout(200)
        second.page.click("#live-start")
        until(second.page, ON)


def test_a_server_that_is_stopped_ends_the_stream_in_words_and_what_was_recorded_stays(browser, tmp_path):
    with watched(browser, "") as shown:
        with running_server() as going:
            shown.url = going.url
            page = shown.open("/#live")
            page.click("#live-start")
            until(page, ON)
            page.click("#live-record")
            until(page, "() => document.querySelector('#live-recorded').textContent.startsWith('Recording, 0:01.')")
        until(page, "() => !document.querySelector('#live-error').hidden")
        assert page.inner_text("#live-error") == "The server is being stopped."
        until(page, OFF)
        until(page, "() => !document.querySelector('#live-save-clean').disabled")
        clean, original = sides(page, tmp_path)
        assert min(clean.size, original.size) > 44_100
        assert page.is_enabled("#live-start")


def test_a_stream_brings_the_key_that_was_given(browser):
    key, digest = make_key()
    with running_server(api_keys=(digest,)) as locked, watched(browser, locked.url) as shown:
        page = shown.open("/#live")
        page.wait_for_selector("#key-dialog[open]")
        page.fill("#key", key)
        page.keyboard.press("Enter")
        page.click("#live-start")
        until(page, ON)
