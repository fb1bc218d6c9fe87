"""The filter in Pipecat itself."""

from __future__ import annotations

import asyncio
import logging
import time

import numpy as np
import pytest
from frames_of_calls import SLOPE_OF_FADE, SLOPE_OF_TONE, cut, load, longest_stop_of_the_loop, run, steepest, tone

import unmuffle
from unmuffle.errors import InvalidParameterError

load("pipecat.audio.filters.base_audio_filter")
frames = load("pipecat.frames.frames")
UnmuffleFilter = load("unmuffle.integrations.pipecat").UnmuffleFilter
RATE = 16_000


def as_bytes(audio):
    return np.rint(audio[0] * 32768).astype("<i2").tobytes()


def through(made, chunks, rate=RATE):
    async def work():
        await made.start(rate)
        answers = [await made.filter(chunk) for chunk in chunks]
        await made.stop()
        return answers

    return run(work)


def pieces(data, size):
    return [data[i : i + size] for i in range(0, len(data), size)]


@pytest.mark.parametrize("size", [640, 320, 1, 333, 6_400])
def test_what_comes_out_is_the_enhancement(noisy_speech, size):
    speech = noisy_speech(RATE, 0.25 if size == 1 else 1.0)
    data = as_bytes(speech)
    answers = through(UnmuffleFilter(method="wiener", on_overload="keep"), pieces(data, size))
    heard = np.frombuffer(b"".join(answers), "<i2")
    whole = unmuffle.enhance(np.frombuffer(data, "<i2"), RATE, method="wiener")
    assert whole.size - heard.size < 512
    assert np.abs(heard.astype(int) - whole[: heard.size]).max() <= 1


def test_nothing_is_given_while_it_buffers():
    answers = through(UnmuffleFilter(), pieces(bytes(640 * 5), 640))
    assert answers[0] == b""
    assert all(isinstance(answer, bytes) for answer in answers)
    assert len(b"".join(answers)) > 640 * 3


def test_the_network_makes_noise_quieter_and_starts_anew_on_every_start():
    noise = np.random.default_rng(0).standard_normal((1, 2 * RATE)) * 0.03
    made = UnmuffleFilter(on_overload="keep")
    first = through(made, pieces(as_bytes(noise), 640))
    assert np.frombuffer(b"".join(first), "<i2")[RATE:].std() < 0.3 * 0.03 * 32768
    assert through(made, pieces(as_bytes(noise), 640)) == first


def test_control_frames_turn_it_off_and_on_and_set_the_strength(caplog):
    made = UnmuffleFilter(on_overload="keep")
    given = tone(RATE, 3.0)

    async def work():
        await made.start(RATE)
        heard = b""
        for count, chunk in enumerate(pieces(given.astype("<i2").tobytes(), 640)):
            if count == 50:
                await made.process_frame(frames.FilterEnableFrame(enable=False))
            if count == 100:
                settings = {"strength": 0.5, "colour": "blue"}
                await made.process_frame(frames.FilterUpdateSettingsFrame(settings=settings))
                await made.process_frame(frames.FilterEnableFrame(enable=True))
                await made.process_frame(frames.FilterUpdateSettingsFrame(settings={"strength": 9.0}))
            heard += await made.filter(chunk)
        await made.stop()
        return np.frombuffer(heard, "<i2")

    with caplog.at_level(logging.WARNING, logger="unmuffle.integrations"):
        heard = run(work)
    off = slice(17_000, 31_000)
    assert np.array_equal(heard[off], given[0, off])
    # The network takes the tone for noise; half of the effect leaves half of the tone at least.
    assert np.abs(heard[10_000:15_000]).max() < 0.4 * np.abs(given).max()
    assert 0.4 < np.abs(heard[36_000:46_000]).max() / np.abs(given).max() < 0.75
    assert ["colour" in record.message or "strength" in record.message for record in caplog.records] == [True, True]


def test_another_rate_while_a_call_goes_on_makes_no_click():
    made = UnmuffleFilter(strength=0.0, on_overload="keep")

    async def work():
        heard = []
        for rate, begin_s in ((16_000, 0.0), (48_000, 0.5), (24_000, 1.0)):
            await made.start(rate)
            data = tone(rate, 0.5, begin_s=begin_s).astype("<i2").tobytes()
            heard.append(b"".join([await made.filter(chunk) for chunk in pieces(data, rate // 50 * 2)]))
        await made.stop()
        return [np.frombuffer(part, "<i2")[None] for part in heard]

    rates, parts = (16_000, 48_000, 24_000), run(work)
    # Nothing is left out: at the end the enhancer holds 32 ms, and at no other time.
    assert sum(part.shape[1] / rate for rate, part in zip(rates, parts, strict=True)) > 1.5 - 0.033
    for before, after, rate in zip(parts, parts[1:], rates[1:], strict=False):
        seam = np.concatenate((before[:, -1:], after[:, :8]), axis=1)
        assert steepest(seam, rate) < 3 * SLOPE_OF_TONE * rate / 16_000
    for rate, part in zip(rates, parts, strict=True):
        assert steepest(part, rate) < 1.03 * (SLOPE_OF_TONE + SLOPE_OF_FADE)
        cycle = rate // 300 + 1
        assert min(part[0, at : at + cycle].max() for at in range(0, rate // 3, cycle)) > 0.29 * 32768


def test_nothing_is_raised_whatever_fails(monkeypatch, caplog):
    made = UnmuffleFilter()
    chunk = tone(RATE, 0.02).astype("<i2").tobytes()

    def fail(*_):
        raise ZeroDivisionError("by the test")

    monkeypatch.setattr(unmuffle.EnhancerStream, "process", fail)
    assert through(made, [chunk] * 3) == [chunk] * 3
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1


def test_audio_passes_before_the_start_and_after_the_end():
    made = UnmuffleFilter()
    chunk = tone(RATE, 0.02).astype("<i2").tobytes()
    assert run(lambda: made.filter(chunk)) == chunk
    through(made, [chunk])
    assert run(lambda: made.filter(chunk)) == chunk


def test_a_rate_that_cannot_be_enhanced_passes():
    chunk = tone(RATE, 0.02).astype("<i2").tobytes()
    assert through(UnmuffleFilter(), [chunk] * 2, rate=4_000) == [chunk] * 2


def test_a_wrong_setting_is_told_when_the_filter_is_made():
    with pytest.raises(InvalidParameterError):
        UnmuffleFilter(strength=-1.0)


def test_the_event_loop_goes_on(monkeypatch):
    made = UnmuffleFilter(method="wiener")
    real = unmuffle.EnhancerStream.process

    def slow(self, block):
        time.sleep(0.3)
        return real(self, block)

    monkeypatch.setattr(unmuffle.EnhancerStream, "process", slow)

    async def work():
        await made.start(RATE)
        longest = await longest_stop_of_the_loop(asyncio.gather(made.filter(bytes(640)), made.filter(bytes(640))))
        await made.stop()
        return longest

    assert run(work) < 0.25


@pytest.mark.filterwarnings("ignore::DeprecationWarning:pipecat")
def test_it_filters_the_input_of_a_transport():
    """A pipeline of Pipecat's own: what lies behind the transport hears enhanced audio."""
    base = load("pipecat.transports.base_input")
    params = load("pipecat.transports.base_transport").TransportParams
    testing = load("pipecat.tests.utils")
    noise = np.random.default_rng(0).standard_normal((1, RATE)) * 0.03

    class Microphone(base.BaseInputTransport):
        async def start(self, frame):
            await super().start(frame)
            await self.set_transport_ready(frame)

    async def work():
        transport = Microphone(
            params(audio_in_enabled=True, audio_in_sample_rate=RATE, audio_in_filter=UnmuffleFilter(on_overload="keep"))
        )
        sent = [
            frames.InputAudioRawFrame(audio=chunk, sample_rate=RATE, num_channels=1)
            for chunk in pieces(as_bytes(noise), 640)
        ]
        down, _ = await testing.run_test(
            transport, frames_to_send=[*sent, testing.SleepFrame(sleep=3.0)], start_timeout=30.0
        )
        return b"".join(frame.audio for frame in down if isinstance(frame, frames.InputAudioRawFrame))

    heard = np.frombuffer(run(work), "<i2")
    assert heard.size > RATE - 512 - 320
    assert heard[RATE // 2 :].std() < 0.3 * 0.03 * 32768
    assert cut(heard[None], 100)
