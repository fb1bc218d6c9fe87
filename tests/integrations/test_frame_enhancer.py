"""What all adapters rest on: frames in step, whatever happens, and no exception."""

from __future__ import annotations

import logging
import threading
import time
from functools import partial

import numpy as np
import pytest
from frames_of_calls import SLOPE_OF_FADE, SLOPE_OF_TONE, cut, joined, steepest, tone

import unmuffle
from unmuffle.enhancer import EnhancerStream
from unmuffle.errors import InvalidParameterError
from unmuffle.integrations import frame_worker
from unmuffle.integrations import frames as frames_module
from unmuffle.signal.resample import resample

# What a busy machine does to a test is not to be tested here.
FrameEnhancer = partial(frames_module.FrameEnhancer, on_overload="keep")
FrameWorker = partial(frame_worker.FrameWorker, on_overload="keep")


def as_int16(audio):
    return np.rint(audio * 32768).astype(np.int16)


@pytest.mark.parametrize("sizes", [[160], [480], [5], [160, 320, 7, 1000]])
@pytest.mark.parametrize("channels", [1, 2])
def test_answers_are_the_enhancement_later_by_the_delay(noisy_speech, sizes, channels):
    given = as_int16(noisy_speech(16_000, 0.5, channels))
    enhancer, answers, at = FrameEnhancer(method="wiener"), [], 0
    while at < given.shape[1]:
        frame = given[:, at : at + sizes[len(answers) % len(sizes)]]
        answers.append(enhancer.process(frame, 16_000))
        assert answers[-1].shape == frame.shape
        assert answers[-1].dtype == np.int16
        at += frame.shape[1]
    heard, delay = joined(answers), enhancer.delay
    whole = unmuffle.enhance(given, 16_000, method="wiener")
    assert delay == 511
    assert not heard[:, :delay].any()
    assert np.abs(heard[:, delay:].astype(int) - whole[:, :-delay]).max() <= 1


def test_what_is_ready_is_given_at_once_if_sizes_may_differ(noisy_speech):
    given = as_int16(noisy_speech(16_000, 0.5))
    enhancer = FrameEnhancer(method="wiener", same_size=False)
    answers = [enhancer.process(frame, 16_000) for frame in cut(given, 320)]
    assert answers[0].shape == (1, 0)
    heard = joined(answers)
    assert given.shape[1] - heard.shape[1] < 512
    assert np.abs(heard.astype(int) - unmuffle.enhance(given, 16_000, method="wiener")[:, : heard.shape[1]]).max() <= 1


@pytest.mark.parametrize("rates", [(16_000, 48_000), (48_000, 16_000), (24_000, 44_100), (8_000, 16_000)])
@pytest.mark.parametrize("same_size", [True, False])
def test_a_change_of_the_rate_makes_no_click(rates, same_size):
    enhancer = FrameEnhancer(strength=0.0, same_size=same_size)
    old, new = rates
    before = [enhancer.process(frame, old) for frame in cut(tone(old, 0.5), old // 100)]
    after = [enhancer.process(frame, new) for frame in cut(tone(new, 0.5, begin_s=0.5), new // 100)]
    allowed = 1.03 * (SLOPE_OF_TONE + SLOPE_OF_FADE)
    heard_before, heard_after = joined(before), joined(after)
    if same_size:
        assert [answer.shape for answer in after] == [(1, new // 100)] * 50
        heard_before = heard_before[:, 600:]
    assert steepest(heard_before, old) < allowed
    assert steepest(heard_after, new) < allowed
    # The end of the old stream goes on in the new rate: value and slope are those of the tone.
    seam = np.concatenate((heard_before[:, -1:], heard_after[:, :8]), axis=1)
    assert steepest(seam, new) < 3 * SLOPE_OF_TONE * max(1.0, new / old)
    # Nor is there a gap or a dip: in each cycle the tone comes to its full level.
    cycle = new // 300 + 1
    assert min(heard_after[0, at : at + cycle].max() for at in range(0, new // 4, cycle)) > 0.29 * 32768
    # It is in step: what comes next is what was due, to a few samples' time at the old rate.
    if same_size:
        due = np.concatenate((tone(new, 0.5), tone(new, 0.5, begin_s=0.5)), axis=1)[0, new // 2 - enhancer.delay :]
        off = heard_after[0].astype(int) - due[: heard_after.shape[1]]
        assert np.abs(off).max() < 1.5 * SLOPE_OF_TONE / min(rates) * 32768


@pytest.mark.parametrize("same_size", [True, False])
@pytest.mark.parametrize("rates", [(16_000, 48_000), (48_000, 16_000)])
def test_after_a_change_of_the_rate_the_network_knows_voice_and_noise_as_before(noisy_speech, rates, same_size):
    """Beside a stream that had the new rate all along; one that begins there is as near as -17 dB."""
    (old, new), change_s, end_s = rates, 3.1, 3.4
    speech = noisy_speech(48_000, 6.0)
    before, after = (resample(speech, 48_000, rate) for rate in rates)
    undisturbed, changed = FrameEnhancer(same_size=same_size), FrameEnhancer(same_size=same_size)
    frames = cut(after[:, : round(end_s * new)], new // 100)
    given = sum(changed.process(frame, old).shape[1] for frame in cut(before[:, : round(change_s * old)], old // 100))
    heard = joined([changed.process(frame, new) for frame in frames[round(change_s * 100) :]])
    wanted = joined([undisturbed.process(frame, new) for frame in frames])[:, round(given * new / old) :]
    size = min(heard.shape[1], wanted.shape[1])
    heard, wanted = heard[:, :size], wanted[:, :size]
    assert size > 0.25 * new
    assert 20.0 * np.log10((heard - wanted).std() / wanted.std()) < -23.0


def test_a_change_of_the_channels_makes_no_click():
    enhancer = FrameEnhancer(strength=0.0)
    mono = joined([enhancer.process(frame, 16_000) for frame in cut(tone(16_000, 0.3), 160)])
    stereo = joined([enhancer.process(f, 16_000) for f in cut(tone(16_000, 0.3, begin_s=0.3, channels=2), 160)])
    again = joined([enhancer.process(frame, 16_000) for frame in cut(tone(16_000, 0.3, begin_s=0.6), 160)])
    assert stereo.shape == (2, 4_800)
    allowed = 1.03 * (SLOPE_OF_TONE + SLOPE_OF_FADE)
    assert steepest(np.concatenate((mono[0, 600:], stereo[1], again[0])), 16_000) < allowed


def test_off_and_on_let_the_voice_pass_in_step_and_without_a_click():
    enhancer = FrameEnhancer(method="wiener")
    given = tone(16_000, 1.5)
    answers = []
    for count, frame in enumerate(cut(given, 160)):
        if count in (50, 100):
            enhancer.enabled = count == 100
        answers.append(enhancer.process(frame, 16_000))
    heard, delay = joined(answers), enhancer.delay
    off = slice(8_000 + 1_000, 16_000 - 200)
    assert np.array_equal(heard[:, off], given[:, off.start - delay : off.stop - delay])
    assert steepest(heard[:, 600:], 16_000) < 1.1 * SLOPE_OF_TONE + 0.3 / 0.02
    quiet = np.abs(heard[0, 22_000:].astype(int)).max()
    assert quiet < 0.15 * 32768


def test_a_strength_can_become_auto_and_back():
    enhancer = FrameEnhancer(strength=0.0, method="wiener")
    heard = []
    for count, frame in enumerate(cut(tone(16_000, 1.2), 160)):
        if count in (40, 80):
            enhancer.strength = "auto" if count == 40 else 0.0
        heard.append(enhancer.process(frame, 16_000))
    assert enhancer.strength == 0.0
    assert all(answer.shape == (1, 160) for answer in heard)
    assert steepest(joined(heard)[:, 600:], 16_000) < 1.03 * (SLOPE_OF_TONE + SLOPE_OF_FADE)
    assert np.abs(joined(heard)[0, -1_000:].astype(int)).max() > 0.29 * 32768


@pytest.mark.parametrize("same_size", [True, False])
def test_a_failure_lets_frames_pass_is_told_once_and_is_tried_again(monkeypatch, caplog, same_size):
    enhancer = FrameEnhancer(strength=0.0, same_size=same_size)
    frames = cut(tone(16_000, 14.0), 1_600)
    calls, real = 0, EnhancerStream.process

    def process(self, block):
        nonlocal calls
        calls += 1
        if 10 <= calls < 12:
            raise MemoryError("by the test")
        return real(self, block)

    monkeypatch.setattr(EnhancerStream, "process", process)
    with caplog.at_level(logging.ERROR, logger="unmuffle.integrations"):
        answers = [enhancer.process(frame, 16_000) for frame in frames]
    assert len(caplog.records) == 1
    assert "by the test" in caplog.text
    # Fails at frame 9, rests for 5 s, fails again, rests, and then works.
    for passed in (*range(9, 60), 61, 100):
        assert np.array_equal(answers[passed], frames[passed]), passed
    assert not np.array_equal(answers[120], frames[120])
    assert steepest(joined(answers[112:]), 16_000) < 1.03 * (SLOPE_OF_TONE + SLOPE_OF_FADE)


@pytest.mark.parametrize("rate", [4_000, 400_000, 0, -1])
def test_a_rate_that_cannot_be_enhanced_passes(rate, caplog):
    enhancer = FrameEnhancer()
    frame = tone(16_000, 0.02)
    for _ in range(3):
        assert np.array_equal(enhancer.process(frame, rate), frame)
    assert len(caplog.records) == 1


@pytest.mark.parametrize(
    "settings", [{"strength": 2.0}, {"method": "magic"}, {"preset": "karaoke"}, {"loudness": -16.0}]
)
def test_a_wrong_setting_is_told_before_the_call(settings):
    with pytest.raises(InvalidParameterError):
        FrameEnhancer(**settings)


def test_a_wrong_strength_in_a_call_is_told_to_who_sets_it_and_changes_nothing():
    enhancer = FrameEnhancer(strength=0.5)
    with pytest.raises(InvalidParameterError):
        enhancer.strength = 7.0
    assert enhancer.strength == 0.5


def test_the_strength_is_that_of_a_whole_preset():
    enhancer = FrameEnhancer(preset="meeting", strength=0.0)
    given = tone(16_000, 0.5)
    heard = joined([enhancer.process(frame, 16_000) for frame in cut(given, 160)])
    assert np.array_equal(heard[:, enhancer.delay :], given[:, : -enhancer.delay])


def test_the_worker_answers_one_frame_later_with_the_same():
    given = tone(16_000, 1.0)
    alone = FrameEnhancer(method="wiener")
    wanted = joined([alone.process(frame, 16_000) for frame in cut(given, 160)])
    worker = FrameWorker(method="wiener")
    # A burst: nobody waits between the frames.
    heard = joined([worker.process(frame, 16_000) for frame in cut(given, 160)])
    worker.close()
    assert worker.enhancer.delay == alone.delay + 160
    assert np.array_equal(heard[:, 160:], wanted[:, :-160])


def test_the_worker_is_not_waited_for_at_a_steady_pace(monkeypatch):
    worker = FrameWorker(method="wiener")
    real = worker.enhancer.feed

    def slow(frame, rate):
        time.sleep(0.05)
        real(frame, rate)

    monkeypatch.setattr(worker.enhancer, "feed", slow)
    frames, longest = cut(tone(16_000, 1.0), 1_600), []
    worker.process(frames[0], 16_000)
    for frame in frames[1:]:
        time.sleep(0.1)
        begun = time.perf_counter()
        worker.process(frame, 16_000)
        longest.append(time.perf_counter() - begun)
    worker.close()
    assert np.median(longest) < 0.02


def test_a_worker_that_hangs_is_given_up_on_and_its_frames_left_out_later(monkeypatch, caplog):
    monkeypatch.setattr(frame_worker, "LONGEST_WAIT_S", 0.2)
    worker = FrameWorker(strength=0.0)
    real, slow = worker.enhancer.feed, {20}
    count = 0

    def feed(frame, rate):
        nonlocal count
        count += 1
        if count in slow:
            time.sleep(0.7)
        real(frame, rate)

    monkeypatch.setattr(worker.enhancer, "feed", feed)
    given = tone(16_000, 1.0)
    answers = []
    for frame in cut(given, 320):
        answers.append(worker.process(frame, 16_000))
        if len(answers) == 30:
            for future in worker._begun:
                future.result(30.0)
    worker.close()
    assert [answer.shape for answer in answers] == [(1, 320)] * 50
    delay = worker.enhancer.delay
    late = joined(answers)[:, 40 * 320 :]
    assert np.array_equal(late, given[:, 40 * 320 - delay : given.shape[1] - delay])
    assert len(caplog.records) == 1


def test_a_worker_that_hangs_holds_up_the_caller_once_and_keeps_no_memory(monkeypatch):
    monkeypatch.setattr(frame_worker, "LONGEST_WAIT_S", 0.1)
    monkeypatch.setattr(frame_worker, "MOST_WAITING", 20)
    worker, gate = FrameWorker(strength=0.0), threading.Event()
    real = worker.enhancer.feed

    def feed(frame, rate):
        gate.wait(60.0)
        real(frame, rate)

    frame = tone(16_000, 0.01)
    worker.process(frame, 16_000)
    monkeypatch.setattr(worker.enhancer, "feed", feed)
    begun = time.perf_counter()
    answers = [worker.process(frame, 16_000) for _ in range(200)]
    assert time.perf_counter() - begun < 2.0
    assert np.array_equal(answers[-1], frame)
    assert worker._thread._work_queue.qsize() <= 20
    gate.set()
    worker.close()


def test_a_change_of_the_rate_makes_no_click_behind_the_worker():
    worker = FrameWorker(strength=0.0)
    before = joined([worker.process(frame, 16_000) for frame in cut(tone(16_000, 0.5), 160)])
    after = [worker.process(frame, 48_000) for frame in cut(tone(48_000, 0.5, begin_s=0.5), 480)]
    worker.close()
    assert [answer.shape for answer in after] == [(1, 480)] * 50
    assert steepest(np.concatenate((before[:, -1:], joined(after)), axis=1), 48_000) < 1.2 * (
        3 * SLOPE_OF_TONE + SLOPE_OF_FADE
    )
    assert steepest(joined(after), 48_000) < 1.03 * (SLOPE_OF_TONE + SLOPE_OF_FADE)


def test_frames_pass_after_the_worker_was_closed():
    worker = FrameWorker()
    frame = tone(16_000, 0.01)
    worker.process(frame, 16_000)
    worker.close()
    for _ in range(5):
        assert np.array_equal(worker.process(frame, 16_000), frame)


def test_a_long_call_keeps_no_memory():
    import tracemalloc

    enhancer = FrameEnhancer(strength=0.0, method="wiener")
    frame = tone(16_000, 0.01)
    for _ in range(200):
        enhancer.process(frame, 16_000)
    tracemalloc.start()
    try:
        for _ in range(2_000):
            enhancer.process(frame, 16_000)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 200_000
    assert frames_module.TRIED_AGAIN_S == 5.0
