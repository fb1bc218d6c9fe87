"""What the page computes and plays by itself, beside other libraries and the package's own measures."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
import soundfile

pytest.importorskip("starlette", reason="the extra serve is not installed")
from live_server import running_server
from page_browser import chromium, watched

from unmuffle.level import LoudnessMeter

RATE = 16_000

TOOLS = """
window.unpack = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;
window.floats = (text) => new Float32Array(unpack(text));
window.pack = async (data) => {
  const bytes = new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data.buffer);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
};
window.bufferOf = (text, rate) => {
  const samples = floats(text);
  const buffer = new AudioBuffer({ length: samples.length, numberOfChannels: 1, sampleRate: rate });
  buffer.getChannelData(0).set(samples);
  return buffer;
};
window.page = (name) => import(`/page/${name}`);
"""


@pytest.fixture(scope="module")
def page():
    with running_server() as server, chromium() as browser, watched(browser, server.url) as shown:
        shown.context.add_init_script(TOOLS)
        yield shown.open()


def packed(samples: np.ndarray | bytes) -> str:
    data = samples if isinstance(samples, bytes) else np.ascontiguousarray(samples, np.float32).tobytes()
    return base64.b64encode(data).decode()


def unpacked(text: str) -> np.ndarray:
    return np.frombuffer(base64.b64decode(text), np.float32)


def wave_file(audio: np.ndarray, subtype: str, kind: str = "WAV", rate: int = RATE) -> bytes:
    stored = io.BytesIO()
    soundfile.write(stored, audio, rate, format=kind, subtype=subtype)
    return stored.getvalue()


def a_sound(seconds: float = 1.0, channels: int = 1, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    swell = np.sin(2 * np.pi * 0.7 * np.arange(round(RATE * seconds)) / RATE)[:, None]
    return (0.2 * swell * rng.standard_normal((swell.size, channels))).astype(np.float32)


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX", "RF64"])
def test_wave_files_are_read_as_soundfile_reads_them(page, subtype, kind):
    data = wave_file(a_sound(0.1, 2), subtype, kind)
    wanted, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
    found = page.evaluate(
        """async (text) => {
          const { audio } = (await page("wav.js")).decodeWav(unpack(text));
          const sides = [await pack(audio.getChannelData(0)), await pack(audio.getChannelData(1))];
          return { rate: audio.sampleRate, sides };
        }""",
        packed(data),
    )
    assert found["rate"] == RATE
    assert np.array_equal(np.stack([unpacked(side) for side in found["sides"]], axis=1), wanted)


def test_a_wave_file_whose_length_was_not_known_is_read_to_its_end(page):
    data = bytearray(wave_file(a_sound(0.1), "PCM_16"))
    data[40:44] = b"\xff\xff\xff\xff"
    frames = page.evaluate(
        'async (text) => (await page("wav.js")).decodeWav(unpack(text)).audio.length', packed(bytes(data))
    )
    assert frames == 1600


@pytest.mark.parametrize(
    "data", [b"", b"RIFF", b"RIFF\0\0\0\0WAVEfmt ", b"fLaC" + bytes(100), wave_file(a_sound(0.1), "ULAW")]
)
def test_what_is_no_plain_wave_file_is_left_to_the_server(page, data):
    assert page.evaluate('async (text) => (await page("wav.js")).decodeWav(unpack(text))', packed(data)) is None


@pytest.mark.parametrize(("bits", "float_"), [(16, False), (24, False), (32, True)])
def test_wave_files_that_are_written_are_read_by_soundfile(page, bits, float_):
    audio = np.clip(a_sound(5.0, 2, seed=3) * 3, -1.2, 1.2)
    text = page.evaluate(
        """async ([sides, bits, float]) => {
          const all = sides.map(floats);
          const { encodeWav } = await page("wav.js");
          return pack(encodeWav({ sampleRate: 16000, channels: 2, bits, float }, all[0].length, (start, block) =>
            block.forEach((samples, channel) => samples.set(all[channel].subarray(start, start + samples.length)))));
        }""",
        [[packed(side) for side in audio.T], bits, float_],
    )
    found, rate = soundfile.read(io.BytesIO(base64.b64decode(text)), dtype="float64")
    step = 2.0 ** (1 - bits)
    wanted = audio if float_ else np.clip(audio, -1.0, 1.0 - step)
    assert rate == RATE
    assert np.abs(found - wanted).max() <= (0.0 if float_ else 0.5001 * step)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_loudness_of_every_mix_is_that_of_the_package(page, rate):
    rng = np.random.default_rng(rate)
    time = np.arange(4 * rate) / rate
    original = 0.1 * rng.standard_normal(time.size) + 0.2 * np.sin(2 * np.pi * 300 * time) * (time < 2.5)
    enhanced = 0.15 * np.sin(2 * np.pi * 300 * time) * (time < 2.5) + 0.001 * rng.standard_normal(time.size)
    mixes = [(1.0, 0.0), (0.0, 1.0), (0.6, 0.4), (0.7, -0.7)]
    found = page.evaluate(
        """async ([x, y, rate, mixes]) => {
          const { Comparison } = await page("comparison.js");
          const comparison = new Comparison(bufferOf(x, rate), bufferOf(y, rate));
          await comparison.hear();
          return mixes.map(([a, b]) => comparison.loudness.of(a, b));
        }""",
        [packed(original), packed(enhanced), rate, mixes],
    )
    for (a, b), loudness in zip(mixes, found, strict=True):
        meter = LoudnessMeter(rate)
        meter.process((a * original + b * enhanced)[None].astype(np.float32))
        assert loudness == pytest.approx(meter.integrated_lufs, abs=0.02)


def test_silence_has_no_loudness(page):
    found = page.evaluate(
        """async (x) => {
          const { Comparison } = await page("comparison.js");
          const comparison = new Comparison(bufferOf(x, 16000), bufferOf(x, 16000));
          await comparison.hear();
          return [String(comparison.loudnessOf("enhanced", 1)), comparison.matchingGain("removed", 1)];
        }""",
        packed(np.zeros(RATE)),
    )
    assert found == ["-Infinity", 1]


def test_matched_signals_are_equally_loud_and_never_clipped(page):
    original, enhanced = (
        a_sound(3.0, seed=1)[:, 0],
        0.3 * a_sound(3.0, seed=1)[:, 0] + 0.02 * a_sound(3.0, seed=2)[:, 0],
    )
    told = page.evaluate(
        """async ([x, y]) => {
          const { Comparison, sharesOf } = await page("comparison.js");
          const comparison = new Comparison(bufferOf(x, 16000), bufferOf(y, 16000));
          await comparison.hear();
          return ["original", "enhanced", "removed"].map((listen) =>
            ({ gain: comparison.matchingGain(listen, 0.8), ...sharesOf(listen, 0.8) }));
        }""",
        [packed(original), packed(enhanced)],
    )
    loudness = []
    for mix in told:
        heard = mix["gain"] * (mix["a"] * original + mix["b"] * enhanced)
        assert np.abs(heard).max() <= 1.0
        meter = LoudnessMeter(RATE)
        meter.process(heard[None].astype(np.float32))
        loudness.append(meter.integrated_lufs)
    assert max(loudness) - min(loudness) < 0.05


def test_powers_of_mixes_are_those_of_the_mixes_themselves(page):
    x, y = a_sound(0.2, 2).T[:, :512].astype(np.float64)
    found = page.evaluate(
        """async ([x, y]) => {
          const { Fft, addPowers } = await page("fft.js");
          const [re, im] = [Float64Array.from(x), Float64Array.from(y)];
          new Fft(512).transform(re, im);
          const powers = Array.from({ length: 3 }, () => new Float64Array(257));
          addPowers(re, im, ...powers);
          return powers.map((each) => [...each]);
        }""",
        [x.tolist(), y.tolist()],
    )
    xx, xy, yy = np.array(found)
    for a, b in [(1.0, 0.0), (0.0, 1.0), (0.3, 0.7), (0.5, -0.5)]:
        wanted = np.abs(np.fft.rfft(a * x + b * y)) ** 2
        assert np.allclose(a * a * xx + 2 * a * b * xy + b * b * yy, wanted, rtol=1e-9, atol=1e-9)


RENDERED = """async ([x, y, rate, first, then, at]) => {
  const { wire } = await page("player.js");
  const [original, enhanced] = [bufferOf(x, rate), bufferOf(y, rate)];
  const context = new OfflineAudioContext(1, original.length, rate);
  const wired = wire(context, original, enhanced, first);
  wired.start(0, 0);
  if (then) wired.move(then, at);
  return pack((await context.startRendering()).getChannelData(0));
}"""


def rendered(page, x, y, first, then=None, at=0.0):
    return unpacked(page.evaluate(RENDERED, [packed(x), packed(y), RATE, first, then, at]))


def test_both_sides_play_sample_by_sample_together(page):
    x = a_sound(1.0)[:, 0]
    assert np.array_equal(rendered(page, x, x, {"a": 0.7, "b": -0.7}), np.zeros(RATE))


@pytest.mark.parametrize("strength", [0.0, 0.4, 1.0])
def test_what_is_heard_is_the_mix_of_that_strength(page, strength):
    x, y = a_sound(1.0, seed=1)[:, 0], a_sound(1.0, seed=2)[:, 0]
    heard = rendered(page, x, y, {"a": 1.0 - strength, "b": strength})
    assert np.abs(heard - ((1.0 - strength) * x + strength * y)).max() < 1e-6


def test_switching_is_quick_exact_and_without_a_click(page):
    time = np.arange(RATE) / RATE
    original, enhanced = 0.5 * np.sin(2 * np.pi * 200 * time), 0.4 * np.sin(2 * np.pi * 200 * time + 2.0)
    heard = rendered(page, original, enhanced, {"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0}, 0.5)
    assert np.abs(heard - original)[: RATE // 2 - 128].max() < 1e-6
    # 60 ms on, what is left of the other is below -100 dB.
    assert np.abs(heard - enhanced)[round(0.56 * RATE) :].max() < 1e-5
    # No step is steeper than those of the sine waves themselves, but for the ramp's own 1 / 4 ms.
    steepest = np.abs(np.diff(original)).max() + 1.0 / (0.004 * RATE)
    assert np.abs(np.diff(heard)).max() < steepest


def test_of_a_long_recording_only_the_beginning_is_taken(page):
    data = wave_file(a_sound(10.0, 2), "PCM_16")
    told = page.evaluate(
        """async (text) => {
          const { decodeFile, decodeAnswer } = await page("sources.js");
          const bytes = unpack(text);
          const say = (made) => [made.audio.length, made.whole];
          return [
            say(await decodeFile(new File([bytes], "long.wav"), 100000)),
            say(await decodeAnswer(new Response(bytes), () => {}, 100000)),
            say(await decodeFile(new File([bytes], "long.wav"))),
            say(await decodeAnswer(new Response(bytes))),
          ];
        }""",
        packed(data),
    )
    assert told == [[50_000, False], [50_000, False], [160_000, True], [160_000, True]]


def test_a_file_the_page_cannot_read_is_left_to_the_server(page):
    flac = packed(wave_file(a_sound(0.1), "PCM_16", "FLAC"))
    script = 'async (text) => (await page("sources.js")).decodeFile(new File([unpack(text)], "a.flac"))'
    assert page.evaluate(script, flac) is None


PLAYED = """async ([text, rate, blocks, reserve, frames]) => {
  const context = new OfflineAudioContext(1, frames, rate);
  await context.audioWorklet.addModule("/page/playback-worklet.js");
  const node = new AudioWorkletNode(context, "playback", {
    numberOfInputs: 0, outputChannelCount: [1], processorOptions: { reserve },
  });
  node.connect(context.destination);
  const reports = [];
  node.port.onmessage = ({ data }) => reports.push(data);
  const samples = floats(text);
  node.port.postMessage({ origin: 0 });
  for (const { at, from, to, ended } of blocks) {
    const give = () => node.port.postMessage({ position: from, samples: samples.slice(from, to), ended });
    if (at === 0) give();
    else context.suspend(at).then(async () => {
      give();
      await new Promise((resolve) => setTimeout(resolve, 60));
      context.resume();
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 60));
  const heard = (await context.startRendering()).getChannelData(0);
  await new Promise((resolve) => setTimeout(resolve, 60));
  return { heard: await pack(heard), reports };
}"""


def test_the_jitter_buffer_plays_what_came_and_tells_how_late_it_is(page):
    sound = a_sound(0.6)[:, 0]
    blocks = [{"at": 0, "from": 0, "to": sound.size, "ended": True}]
    told = page.evaluate(PLAYED, [packed(sound), RATE, blocks, 0.04, RATE])
    heard = unpacked(told["heard"])
    start = int(np.argmax(np.correlate(heard, sound[: RATE // 4], "valid")))
    assert np.allclose(heard[start + 200 : start + sound.size], sound[200:], atol=1e-6)
    assert {report["late"] for report in told["reports"][:4]} == {start}
    assert told["reports"][-1]["dropouts"] == 0


def test_a_dropout_is_counted_and_no_click(page):
    sound = (0.5 * np.cos(2 * np.pi * 100 * np.arange(RATE) / RATE)).astype(np.float32)
    blocks = [{"at": 0, "from": 0, "to": 3200}, {"at": 0.4, "from": 3200, "to": RATE, "ended": True}]
    told = page.evaluate(PLAYED, [packed(sound), RATE, blocks, 0.04, 2 * RATE])
    heard = unpacked(told["heard"])
    assert told["reports"][-1]["dropouts"] == 1
    assert told["reports"][-1]["reserve"] == round(0.04 * RATE * 1.5)
    assert np.abs(np.diff(heard)).max() < 0.05
    assert np.abs(heard[5000:6300]).max() < 1e-3
    # All of it was heard in the end, later by the gap.
    assert np.allclose(heard[6400 + 200 : 6400 + 9000], sound[3200 + 200 : 3200 + 9000], atol=1e-5)


def test_what_has_piled_up_is_skipped_without_a_click(page):
    sound = (0.5 * np.sin(2 * np.pi * 100 * np.arange(6 * RATE) / RATE)).astype(np.float32)
    blocks = [{"at": 0, "from": 0, "to": sound.size, "ended": True}]
    told = page.evaluate(PLAYED, [packed(sound), RATE, blocks, 0.04, 3 * RATE])
    last = told["reports"][-1]
    # At the first look, after 2 s, all but the reserve of what lies there is more delay than is needed.
    assert last["skipped"] / RATE == pytest.approx(6.0 - 2.0 - 0.04, abs=0.05)
    assert np.abs(np.diff(unpacked(told["heard"]))).max() < 0.05
