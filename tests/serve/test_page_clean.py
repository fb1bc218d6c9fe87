"""The tab that cleans a file, from end to end: a real server, a real browser."""

from __future__ import annotations

import subprocess

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="the extra serve is not installed")
from live_server import running_server
from page_browser import chromium, clean_file, saved, set_strength, until, watched

import unmuffle
from unmuffle.level import LoudnessMeter
from unmuffle.serve.keys import make_key

RATE = 16_000
SECONDS = 4.0

HEARING = """
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (target, ...rest) {
  if (target instanceof AudioDestinationNode) {
    if (window.ear?.context !== target.context) window.ear = new AnalyserNode(target.context, { fftSize: 2048 });
    connect.call(this, window.ear);
  }
  return connect.call(this, target, ...rest);
};
window.heard = () => {
  const samples = new Float32Array(2048);
  window.ear.getFloatTimeDomainData(samples);
  const rms = Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / 2048);
  return { rms, time: document.querySelector("#time").textContent };
};
"""
"""Listens in on whatever the page sends to the loudspeakers."""


@pytest.fixture(scope="module")
def recordings(tmp_path_factory, noisy_speech, write_file):
    """Noisy speech as WAV and FLAC, what the package makes of it, and a microphone."""
    folder = tmp_path_factory.mktemp("page")
    noisy = noisy_speech(RATE, SECONDS, 2, speech=0.25)
    write_file(folder / "noisy.wav", noisy, RATE, "PCM_16")
    write_file(folder / "noisy.flac", noisy, RATE, "PCM_16")
    write_file(folder / "microphone.wav", np.tile(noisy[:1], 3), RATE, "PCM_16")
    return folder


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


@pytest.fixture(scope="module")
def browser(recordings):
    with chromium(recordings / "microphone.wav") as running:
        yield running


@pytest.fixture(scope="module")
def shown(browser, server, recordings):
    """A page on which a file has been cleaned."""
    with watched(browser, server.url) as page:
        page.context.add_init_script(HEARING)
        clean_file(page.open(), recordings / "noisy.flac")
        yield page


@pytest.fixture
def page(shown):
    """That page, as it was when the result came."""
    set_strength(shown.page, 100)
    shown.page.keyboard.press("Escape")
    shown.page.check("#listen input[value=enhanced]", force=True)
    yield shown.page
    if shown.page.get_attribute("#play", "aria-label") == "Pause":
        shown.page.click("#play")
    assert shown.faults == []


def samples_of(path) -> np.ndarray:
    return soundfile.read(path, dtype="float64", always_2d=True)[0]


def loudness_of(audio: np.ndarray) -> float:
    meter = LoudnessMeter(RATE, audio.shape[1])
    meter.process(np.ascontiguousarray(audio.T, np.float32))
    return meter.integrated_lufs


def number(text: str) -> float:
    return float(text.replace("−", "-").replace("≈", ""))


def test_a_file_comes_out_as_the_package_makes_it(page, recordings, tmp_path):
    path = saved(page, "#download-wav", tmp_path)
    assert path.name == "noisy.clear.wav"
    noisy = soundfile.read(recordings / "noisy.flac", dtype="int16")[0].T
    wanted = unmuffle.enhance(noisy, RATE).T / 32768.0
    assert soundfile.info(path).subtype == "PCM_16"
    assert np.abs(samples_of(path) - wanted).max() <= 1.01 / 32768.0


@pytest.mark.parametrize("per_cent", [0, 40])
def test_the_file_is_the_mix_of_the_strength_that_is_heard(page, recordings, tmp_path, per_cent):
    set_strength(page, per_cent)
    found = samples_of(saved(page, "#download-wav", tmp_path))
    noisy = soundfile.read(recordings / "noisy.flac", dtype="int16")[0].T
    wanted = unmuffle.enhance(noisy, RATE, strength=per_cent / 100).T / 32768.0
    assert np.abs(found - wanted).max() <= (0.0 if per_cent == 0 else 2.0 / 32768.0)


def test_the_figures_are_those_of_the_files(page, recordings, tmp_path):
    for per_cent in (100, 30):
        set_strength(page, per_cent)
        kept = samples_of(saved(page, "#download-wav", tmp_path))
        until(page, "(wanted) => document.querySelector('#peak-after').textContent === wanted", told(peak_of(kept)))
        assert number(page.inner_text("#loudness-after")) == pytest.approx(loudness_of(kept), abs=0.06)
    noisy = samples_of(recordings / "noisy.flac")
    assert number(page.inner_text("#loudness-before")) == pytest.approx(loudness_of(noisy), abs=0.06)
    assert page.inner_text("#peak-before") == told(peak_of(noisy))


def peak_of(audio: np.ndarray) -> float:
    return 20.0 * np.log10(np.abs(audio).max())


def told(value: float) -> str:
    return f"{value:.1f}".replace("-", "−")


def test_the_diagnosis_is_shown_in_words(page):
    until(page, "() => document.querySelector('#snr-after').textContent !== '–'")
    assert page.get_attribute("#diagnosis", "aria-busy") == "false"
    assert "noise" in page.inner_text("#findings").lower()
    assert number(page.inner_text("#snr-after")) > number(page.inner_text("#snr-before")) + 3.0
    assert "≈" not in page.inner_text("#snr-after")
    set_strength(page, 50)
    assert page.inner_text("#snr-after").startswith("≈")
    set_strength(page, 0)
    assert page.inner_text("#snr-after") == page.inner_text("#snr-before")


def test_switching_while_it_plays_changes_what_is_heard_and_not_where(page):
    page.uncheck("#match", force=True)
    page.focus("#timeline")
    page.keyboard.press("Home")
    page.click("#play")
    until(page, "() => window.ear && heard().rms > 0")
    levels = {}
    before_s = -1.0
    for key, listen in [("1", "original"), ("3", "removed"), ("2", "enhanced")] * 2:
        page.keyboard.press(key)
        assert page.is_checked(f"#listen input[value={listen}]")
        page.wait_for_timeout(120)
        heard = [page.evaluate("heard()") for _ in range(12)]
        levels.setdefault(listen, []).append(np.mean([one["rms"] ** 2 for one in heard]))
        now_s = number(heard[-1]["time"].split(" ")[0].split(":")[1])
        assert before_s < now_s < SECONDS
        before_s = now_s
    assert page.get_attribute("#play", "aria-label") == "Pause"
    assert page.locator("#heard-name").inner_text() == "Clean"
    page.check("#match", force=True)
    assert np.mean(levels["removed"]) < np.mean(levels["original"])


def test_what_is_heard_of_silence_between_words_is_less_noise(page):
    """The recording's last pause: noise alone, which the clean side has next to nothing of."""
    page.uncheck("#match", force=True)
    levels = {}
    for key, listen in [("1", "original"), ("2", "enhanced")]:
        page.focus("#timeline")
        page.keyboard.press(key)
        page.keyboard.press("Home")
        for _ in range(3):
            page.keyboard.press("ArrowRight")
        page.click("#play")
        until(page, "() => heard().rms > 0")
        heard = [page.evaluate("heard().rms") for _ in range(25) if page.wait_for_timeout(20) is None]
        levels[listen] = min(level for level in heard if level > 0.0)
        page.click("#play")
    page.check("#match", force=True)
    assert levels["enhanced"] < 0.5 * levels["original"]


PICTURE = """() => {
  const shown = document.querySelector("#spectrogram-heard");
  const copy = Object.assign(document.createElement("canvas"), { width: shown.width, height: shown.height });
  const context = copy.getContext("2d", { willReadFrequently: true });
  context.drawImage(shown, 0, 0);
  const { data } = context.getImageData(0, 0, copy.width, copy.height);
  let sum = 0;
  for (let i = 0; i < data.length; i += 4) sum += data[i] + data[i + 1] + data[i + 2];
  return sum / data.length;
}"""


def brightness(page) -> float:
    page.wait_for_timeout(120)
    return page.evaluate(PICTURE)


def test_the_picture_follows_the_strength(page):
    levels = []
    for per_cent in (0, 50, 90, 100):
        set_strength(page, per_cent)
        levels.append(brightness(page))
    assert levels == sorted(levels, reverse=True)
    assert levels[-1] < 0.7 * levels[0]


def test_removed_is_drawn_while_it_is_listened_to(page):
    clean = brightness(page)
    page.keyboard.press("3")
    assert page.inner_text("#heard-name") == "Removed"
    assert brightness(page) > clean
    page.keyboard.press("2")
    assert page.inner_text("#heard-name") == "Clean"


def drawn(page) -> int:
    return int(page.get_attribute("#timeline", "data-drawn"))


def test_wheel_keys_and_buttons_zoom_all_pictures(page):
    page.click("#zoom-fit")
    box = page.locator("#timeline").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 100)
    ruler = "() => { const c = document.querySelector('#ruler'); return c.toDataURL(); }"
    seen = {page.evaluate(ruler)}
    before = drawn(page)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -300)
    page.keyboard.up("Control")
    until(page, "(n) => Number(document.querySelector('#timeline').dataset.drawn) > n", before)
    seen.add(page.evaluate(ruler))
    line = page.locator("#timeline")
    for act in (lambda: line.press("+"), lambda: page.click("#zoom-in"), lambda: line.press("PageDown")):
        before = drawn(page)
        act()
        until(page, "(n) => Number(document.querySelector('#timeline').dataset.drawn) > n", before)
        seen.add(page.evaluate(ruler))
    assert len(seen) == 5
    before = drawn(page)
    line.press("0")
    until(page, "(n) => Number(document.querySelector('#timeline').dataset.drawn) > n", before)
    assert page.evaluate(ruler) in seen


def test_two_fingers_zoom_and_one_moves(browser, server, recordings):
    with watched(browser, server.url, has_touch=True, viewport={"width": 360, "height": 740}) as shown:
        page = shown.open()
        clean_file(page, recordings / "noisy.wav")
        page.locator("#timeline").scroll_into_view_if_needed()
        box = page.locator("#spectrogram-original").bounding_box()
        middle, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        fingers = page.context.new_cdp_session(page)

        def touch(kind: str, *places: float) -> None:
            points = [{"x": x, "y": y, "id": number} for number, x in enumerate(places)]
            fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        def moved(*steps: tuple[float, ...]) -> str:
            before = drawn(page)
            touch("touchStart", *steps[0])
            for step in steps[1:]:
                touch("touchMove", *step)
            touch("touchEnd")
            until(page, "(n) => Number(document.querySelector('#timeline').dataset.drawn) > n", before)
            return page.evaluate("document.querySelector('#ruler').toDataURL()")

        whole = page.evaluate("document.querySelector('#ruler').toDataURL()")
        near = moved((middle - 30, middle + 30), (middle - 60, middle + 60), (middle - 120, middle + 120))
        aside = moved((middle,), (middle - 20,), (middle - 80,))
        assert len({whole, near, aside}) == 3
        # Neither was taken for a click.
        assert page.inner_text("#time").startswith("0:00.0")


def test_a_click_goes_there(page):
    box = page.locator("#timeline").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 120)
    assert number(page.inner_text("#time").split(" ")[0].split(":")[1]) == pytest.approx(SECONDS / 2, abs=0.11)
    assert page.get_attribute("#timeline", "aria-valuetext") == "2 seconds of 4 seconds"


def test_other_formats_are_made_by_the_server_at_that_strength(page, recordings, tmp_path):
    set_strength(page, 0)
    kept = saved(page, "#download-original", tmp_path)
    assert kept.suffix == ".flac"
    assert np.array_equal(samples_of(kept), samples_of(recordings / "noisy.flac"))
    set_strength(page, 60)
    kept = saved(page, "#download-mp3", tmp_path)
    assert kept.name == "noisy.clear.mp3"
    until(page, "() => !document.querySelector('#download-mp3').disabled")
    mixed = samples_of(saved(page, "#download-wav", tmp_path))
    assert loudness_of(samples_of(kept)) == pytest.approx(loudness_of(mixed), abs=0.5)


def test_another_purpose_cleans_it_anew_and_its_mix_can_be_kept_as_mp3(browser, server, recordings, tmp_path):
    with watched(browser, server.url) as shown:
        page = shown.open()
        clean_file(page, recordings / "noisy.wav")
        plain = page.inner_text("#loudness-after")
        page.select_option("#result-preset", "podcast")
        until(page, "(before) => document.querySelector('#loudness-after').textContent !== before", plain)
        assert number(page.inner_text("#loudness-after")) == pytest.approx(-16.0, abs=0.5)
        set_strength(page, 50)
        wav, mp3 = saved(page, "#download-wav", tmp_path), saved(page, "#download-mp3", tmp_path)
        assert loudness_of(samples_of(mp3)) == pytest.approx(loudness_of(samples_of(wav)), abs=0.5)
        page.click("#result-another")
        assert page.is_visible("#clean-choose")


def test_a_file_that_is_dropped_is_cleaned(browser, server, recordings):
    with watched(browser, server.url) as shown:
        page = shown.open()
        data = (recordings / "noisy.wav").read_bytes()
        page.evaluate(
            """(bytes) => {
              const dropped = new DataTransfer();
              dropped.items.add(new File([new Uint8Array(bytes)], "dropped.wav"));
              const drop = new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true });
              document.querySelector("#clean-drop").dispatchEvent(drop);
            }""",
            list(data[: RATE * 4]),
        )
        until(page, "() => !document.querySelector('#clean-result').hidden")
        assert page.inner_text("#result-name") == "dropped.wav"


def test_a_recording_of_the_microphone_is_cleaned(browser, server):
    with watched(browser, server.url) as shown:
        page = shown.open()
        page.click("#clean-record")
        until(page, "() => document.querySelector('#clean-recording').textContent.includes('0:01')")
        page.click("#clean-record")
        until(page, "() => !document.querySelector('#clean-result').hidden")
        assert page.inner_text("#result-name") == "recording.wav"
        assert number(page.inner_text("#loudness-before")) > -50.0


def test_what_is_no_audio_is_refused_in_plain_words(browser, server, tmp_path):
    bad = tmp_path / "letter.txt"
    bad.write_text("Dear Sir or Madam, " * 100)
    with watched(browser, server.url) as shown:
        page = shown.open()
        page.set_input_files("#clean-file", bad)
        until(page, "() => !document.querySelector('#clean-error').hidden")
        words = page.inner_text("#clean-error")
        assert "audio" in words
        assert "Traceback" not in words
        assert "{" not in words
        assert page.is_visible("#clean-choose")


def test_work_can_be_cancelled(browser, server, recordings):
    with watched(browser, server.url) as shown:
        page = shown.open()
        # The upload never ends, so that there is time to change one's mind.
        page.route("**/v1/jobs**", lambda _route: None)
        page.set_input_files("#clean-file", recordings / "noisy.wav")
        page.click("#busy-cancel")
        until(page, "() => !document.querySelector('#clean-start').hidden")
        assert page.inner_text("#announcer") == "Cancelled."


def test_where_events_break_off_the_work_goes_on(browser, server, recordings):
    with watched(browser, server.url) as shown:
        page = shown.open()
        page.route("**/v1/jobs/*/events", lambda route: route.abort("connectionreset"))
        clean_file(page, recordings / "noisy.wav")


def test_the_server_keeps_nothing_that_nobody_wants(browser, server, recordings):
    with watched(browser, server.url) as shown:
        page = shown.open()
        clean_file(page, recordings / "noisy.wav")
        made = next(url for url in shown.requests if url.endswith("/result"))
        assert page.evaluate("async (url) => (await fetch(url)).status", made) == 200
        with page.expect_response(lambda answer: answer.request.method == "DELETE"):
            page.click("#result-another")
        assert page.evaluate("async (url) => (await fetch(url)).status", made) == 404


def test_where_a_key_is_needed_it_is_asked_for_until_it_is_right(browser, recordings):
    key, digest = make_key()
    with running_server(api_keys=(digest,)) as locked, watched(browser, locked.url) as shown:
        page = shown.open()
        page.wait_for_selector("#key-dialog[open]")
        for tried in ("wrong", key):
            page.wait_for_selector("#key-dialog[open]")
            page.fill("#key", tried)
            page.keyboard.press("Enter")
        until(page, "() => document.querySelectorAll('#clean-preset option').length > 3")
        clean_file(page, recordings / "noisy.wav")
        assert page.is_visible("#download-wav")


def test_a_video_keeps_its_picture(browser, server, recordings, tmp_path):
    import shutil

    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    video = tmp_path / "talk.mkv"
    command = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=64x64:rate=10:duration=4"]
    subprocess.run([*command, "-i", recordings / "noisy.wav", "-c:v", "mpeg4", "-c:a", "flac", video], check=True)
    with watched(browser, server.url) as shown:
        page = shown.open()
        clean_file(page, video)
        kept = saved(page, "#download-original", tmp_path)
        told = subprocess.run(["ffmpeg", "-i", kept], capture_output=True, text=True, check=False).stderr
        assert kept.suffix == ".mkv"
        assert "Video: mpeg4" in told
        assert "Audio: " in told
