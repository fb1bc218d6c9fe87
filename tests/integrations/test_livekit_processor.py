"""The frame processor in LiveKit itself: its own frames, and its own audio stream."""

from __future__ import annotations

import logging
import time

import numpy as np
import pytest
from frames_of_calls import SLOPE_OF_FADE, SLOPE_OF_TONE, cut, load, run, steepest, tone

import unmuffle
from unmuffle.errors import InvalidParameterError

rtc = load("livekit.rtc")
UnmuffleProcessor = load("unmuffle.integrations.livekit").UnmuffleProcessor


def frame_of(audio, rate):
    return rtc.AudioFrame(np.ascontiguousarray(audio.T).tobytes(), rate, len(audio), audio.shape[1])


def samples_of(frame):
    return np.frombuffer(frame.data, np.int16).reshape(-1, frame.num_channels).T


def through(processor, audio, rate, size):
    answers = [processor._process(frame_of(piece, rate)) for piece in cut(audio, size)]
    for answer, piece in zip(answers, cut(audio, size), strict=True):
        assert (answer.sample_rate, answer.num_channels, answer.samples_per_channel) == (rate, *piece.shape)
    return np.concatenate([samples_of(answer) for answer in answers], axis=1)


@pytest.mark.parametrize("worker", [True, False])
@pytest.mark.parametrize(("rate", "channels", "milliseconds"), [(24_000, 1, 50), (48_000, 2, 10)])
def test_frames_are_answered_by_the_enhancement(noisy_speech, worker, rate, channels, milliseconds):
    given = np.rint(noisy_speech(rate, 1.0, channels) * 32768).astype(np.int16)
    processor = UnmuffleProcessor(worker=worker, method="wiener", on_overload="keep")
    size = rate * milliseconds // 1000
    heard = through(processor, given, rate, size)
    delay = processor.delay
    assert delay == round(0.032 * rate) - 1 + worker * size
    whole = unmuffle.enhance(given, rate, method="wiener")
    assert np.abs(heard[:, delay:].astype(int) - whole[:, :-delay]).max() <= 1
    processor._close()


def test_it_is_a_processor_and_keeps_what_a_frame_carries():
    processor = UnmuffleProcessor()
    assert isinstance(processor, rtc.FrameProcessor)
    frame = rtc.AudioFrame(bytes(960), 48_000, 1, 480, userdata={"id": 7})
    assert processor._process(frame).userdata == {"id": 7}
    # A buffer that is longer than its frame, which LiveKit allows.
    assert processor._process(rtc.AudioFrame(bytes(2_000), 48_000, 1, 480)).samples_per_channel == 480
    processor._close()


@pytest.mark.parametrize("worker", [True, False])
def test_a_change_of_rate_and_channels_goes_on_without_a_click_or_a_gap(worker):
    processor = UnmuffleProcessor(strength=0.0, worker=worker, on_overload="keep")
    through(processor, tone(24_000, 0.5), 24_000, 240)
    begin_s = 0.5
    for rate, channels in ((48_000, 1), (48_000, 2), (16_000, 1), (44_100, 2)):
        heard = through(processor, tone(rate, 0.5, begin_s=begin_s, channels=channels), rate, rate // 100)
        assert steepest(heard, rate) < 1.03 * (SLOPE_OF_TONE + SLOPE_OF_FADE)
        cycle = rate // 300 + 1
        for channel in heard:
            assert min(channel[at : at + cycle].max() for at in range(0, rate // 3, cycle)) > 0.29 * 32768
        begin_s += 0.5
    processor._close()


def test_off_and_on_begins_anew_with_nothing_of_before():
    processor = UnmuffleProcessor(strength=0.0, worker=True)
    assert processor.enabled
    through(processor, tone(16_000, 0.5), 16_000, 160)
    processor.enabled = False
    assert not processor.enabled
    processor.enabled = True
    silence = through(processor, np.zeros((1, 8_000), np.int16), 16_000, 160)
    assert not silence.any()
    processor._close()


def test_the_strength_changes_in_a_call():
    processor = UnmuffleProcessor(strength=1.0)
    processor.strength = 0.0
    heard = through(processor, tone(16_000, 0.5), 16_000, 160)
    assert np.abs(heard[:, 4_000:]).max() > 0.29 * 32768
    with pytest.raises(InvalidParameterError):
        processor.strength = 2.0
    assert processor.strength == 0.0
    processor._close()


@pytest.mark.parametrize("worker", [True, False])
def test_nothing_is_raised_whatever_fails(monkeypatch, caplog, worker):
    processor = UnmuffleProcessor(worker=worker)

    def fail(*_):
        raise ZeroDivisionError("by the test")

    monkeypatch.setattr(unmuffle.EnhancerStream, "process", fail)
    given = tone(48_000, 0.1)
    heard = through(processor, given, 48_000, 480)
    late = 480 * worker
    assert np.array_equal(heard[:, late:], given[:, : given.shape[1] - late])
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1
    processor._close()
    if worker:
        assert np.array_equal(samples_of(processor._process(frame_of(given[:, :480], 48_000))), given[:, :480])


def test_the_event_loop_does_not_wait_for_the_work(monkeypatch):
    processor = UnmuffleProcessor(method="wiener")
    real = unmuffle.EnhancerStream.process

    def slow(self, block):
        time.sleep(0.06)
        return real(self, block)

    frame = frame_of(tone(16_000, 0.1), 16_000)
    processor._process(frame)
    monkeypatch.setattr(unmuffle.EnhancerStream, "process", slow)
    taken = []
    for _ in range(6):
        time.sleep(0.1)
        begun = time.perf_counter()
        processor._process(frame)
        taken.append(time.perf_counter() - begun)
    processor._close()
    assert np.median(taken) < 0.03


def test_a_wrong_setting_is_told_when_the_processor_is_made():
    with pytest.raises(InvalidParameterError):
        UnmuffleProcessor(max_attenuation_db=-3.0)


def test_an_audio_stream_of_livekit_hears_the_enhanced_voice():
    """A local track needs no server: noise goes in at 48 kHz and comes out of the stream at 24 kHz, quieter."""
    noise = np.rint(np.random.default_rng(0).standard_normal((1, 96_000)) * 1_000).astype(np.int16)

    async def hear(processor):
        import asyncio

        source = rtc.AudioSource(48_000, 1)
        track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
        stream = rtc.AudioStream(track, sample_rate=24_000, num_channels=1, noise_cancellation=processor)

        async def talk():
            for piece in cut(noise, 480):
                await source.capture_frame(frame_of(piece, 48_000))

        talking = asyncio.create_task(talk())
        heard = []
        async for event in stream:
            heard.append(samples_of(event.frame))
            if sum(piece.shape[1] for piece in heard) >= 36_000:
                break
        talking.cancel()
        await stream.aclose()
        await source.aclose()
        return np.concatenate(heard, axis=1)

    plain = run(lambda: hear(None))
    processor = UnmuffleProcessor(on_overload="keep")
    enhanced = run(lambda: hear(processor))
    assert enhanced[:, 24_000:].std() < 0.4 * plain[:, 24_000:].std()
