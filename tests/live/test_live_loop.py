"""The live loop on the loop-back device, driven block by block without a clock."""

from __future__ import annotations

import logging
import time

import numpy as np
import pytest
from live_signals import drive, driven, in_blocks, noise

import unmuffle
from unmuffle.errors import InvalidParameterError
from unmuffle.live import Capture, FileDevice, LiveLoop


@pytest.mark.parametrize(("rate", "channels"), [(16_000, 1), (44_100, 2), (48_000, 1)])
def test_what_is_heard_is_the_stream_itself_one_block_later(rate, channels):
    audio = noise(0.5, rate, channels)
    device, capture, loop = driven(audio, rate)
    drive(device, loop)
    size = device.input.block_size
    alone = in_blocks(unmuffle.open_stream(rate, channels, size, method="wiener"), np.pad(audio, ((0, 0), (0, size))))
    heard = capture.audio
    assert not heard[:, :size].any()
    assert np.array_equal(heard[:, size : size + audio.shape[1]], alone[:, : audio.shape[1]])
    assert loop.report.dropouts == 0
    assert loop.report.missing_s == loop.report.lost_s == 0.0


def test_the_delay_told_is_the_delay_there_is():
    audio = np.zeros((1, 16_000), np.float32)
    audio[0, 5_000] = 0.5
    device, capture, loop = driven(audio, 16_000, settings={"strength": 0.0})
    drive(device, loop)
    heard_at = int(np.argmax(np.abs(capture.audio[0])))
    # The click sounded at its own time, and the block that holds it came when it was whole.
    behind_ms = 1e3 * (heard_at - 5_000 + device.input.block_size) / 16_000
    assert behind_ms == pytest.approx(loop.latency_ms, abs=1e-9)
    assert loop.latency_ms == pytest.approx(40.0)


@pytest.mark.parametrize("late", [frozenset({20}), frozenset({20, 21, 22}), frozenset({15, 700})])
def test_a_late_worker_costs_its_blocks_and_no_delay(late):
    audio = noise(6.0, 16_000)
    device, capture, loop = driven(audio, 16_000)
    undisturbed_device, undisturbed, undisturbed_loop = driven(audio, 16_000)
    drive(undisturbed_device, undisturbed_loop)
    drive(device, loop, lazy=late)
    heard, wanted = capture.audio[0], undisturbed.audio[0]
    size = device.input.block_size
    missing = {step + 1 for step in late}
    for block in range(len(capture.blocks)):
        at = slice(block * size, (block + 1) * size)
        if block in missing:
            # What was heard last dies away within 2 ms.
            assert not heard[at][32:].any()
            assert np.abs(heard[at][:32]).max() <= np.abs(heard[block * size - 1])
        elif block - 1 in missing:
            # Faded in within 2 ms.
            assert np.array_equal(heard[at][32:], wanted[at][32:])
            assert np.abs(heard[at][:32] - wanted[at][:32] * np.linspace(0.0, 1.0, 32)).max() < 1e-6
        else:
            assert np.array_equal(heard[at], wanted[at]), block
    assert loop.report.dropouts == len(late)
    assert loop.report.grown_ms == 0.0
    assert loop.report.missing_s == pytest.approx(len(late) * size / 16_000)


def test_sound_that_is_late_again_soon_is_kept_and_told():
    """The second time within 5 s it is how things are; a delay of two blocks then bears any one that is late."""
    audio = noise(1.0, 16_000)
    device, capture, loop = driven(audio, 16_000, settings={"strength": 0.0})
    drive(device, loop, lazy=frozenset({15, 30, 45, 60, 75}))
    report, size = loop.report, device.input.block_size
    assert report.dropouts == 2
    assert report.grown_ms == pytest.approx(8.0)
    assert report.latency_ms == pytest.approx(48.0)
    delay = round(report.latency_ms * 16) - size
    begun = 33 * size
    heard = capture.audio[0]
    assert np.array_equal(heard[begun : audio.shape[1]], audio[0, begun - delay : audio.shape[1] - delay])


@pytest.mark.parametrize("at_once", [2, 3])
def test_a_sound_system_that_calls_for_several_blocks_at_once_soon_drops_nothing(at_once):
    """So does ALSA's plugin for PulseAudio at 44,100 Hz: two calls, and then none for as long as both last."""
    audio = noise(3.0, 44_100)
    device, capture, loop = driven(audio, 44_100, settings={"strength": 0.0})
    while device.active:
        for _ in range(at_once):
            device.step(loop.take, loop.give)
        loop.run_waiting()
    report, size = loop.report, device.input.block_size
    assert report.dropouts <= 2 * (at_once - 1)
    assert report.grown_ms == pytest.approx(1e3 * (at_once - 1) * size / 44_100)
    delay = round(report.latency_ms * 44.1) - size
    tail = slice(44_100, audio.shape[1])
    assert np.array_equal(capture.audio[0, tail], audio[0, tail.start - delay : tail.stop - delay])


def test_what_of_a_grown_delay_was_not_needed_for_a_while_is_taken_back_without_a_click():
    time_s = np.arange(60 * 16_000) / 16_000
    audio = (0.5 * np.cos(2 * np.pi * 100 * time_s)).astype(np.float32)[None]
    device, capture, loop = driven(audio, 16_000, settings={"strength": 0.0})
    drive(device, loop, lazy=frozenset({20, 40, 60, 61, 62}))
    report = loop.report
    assert report.dropouts == 4
    # 8 ms and then twice 8 ms; after 20 s without a dropout 6 ms of them go, a block less a fade, and so on.
    assert report.grown_ms == pytest.approx(12.0, abs=0.1)
    heard = capture.audio[0]
    late = round(report.latency_ms * 16) - device.input.block_size
    end = audio.shape[1]
    assert np.abs(heard[end - 8_000 : end] - audio[0, end - 8_000 - late : end - late]).max() < 1e-6
    calm = heard[16_000:end]
    assert np.abs(np.diff(calm)).max() < 0.5 * (2 * np.pi * 100 + 2 / 0.002) / 16_000 * 1.1


def test_the_delay_grows_no_further_than_a_tenth_of_a_second():
    device, _, loop = driven(noise(4.0, 16_000), 16_000)
    drive(device, loop, lazy=frozenset(step for step in range(500) if step % 100 < 40))
    assert loop.report.grown_ms == pytest.approx(100.0)


def test_a_dropout_is_no_click():
    time_s = np.arange(32_000) / 16_000
    audio = (0.5 * np.cos(2 * np.pi * 100 * time_s)).astype(np.float32)[None]
    device, capture, loop = driven(audio, 16_000, settings={"strength": 0.0})
    drive(device, loop, lazy=frozenset({20, 40, 60, 61, 62, 100}))
    assert loop.report.dropouts > 3
    # As steep as the sine itself and fades of 2 ms together, at the most; a cut would be 0.5.
    heard = capture.audio[0, 1_000:30_000]
    assert np.abs(np.diff(heard)).max() < 0.5 * (2 * np.pi * 100 + 1 / 0.002) / 16_000 * 1.1


def test_input_that_nobody_had_time_for_is_counted_and_costs_no_delay():
    rate, size = 16_000, 128
    audio = noise(6.0, rate)
    device, capture, loop = driven(audio, rate, settings={"strength": 0.0})
    # Longer than the ring holds: 2 s.
    drive(device, loop, lazy=frozenset(range(100, 100 + 3 * rate // size)))
    assert 0.9 < loop.report.lost_s < 1.1
    delay = loop.report.latency_ms * rate / 1e3 - size
    heard, tail = capture.audio[0], round(0.5 * rate)
    sounded = np.pad(audio[0], (round(delay), heard.size))[: heard.size]
    end = audio.shape[1]
    assert np.array_equal(heard[end - tail : end], sounded[end - tail : end])


@pytest.mark.parametrize(("output_rate", "off_ppm"), [(None, 300.0), (None, -300.0), (48_000, 80.0), (44_100, -150.0)])
def test_two_clocks_that_drift_apart_drop_nothing(output_rate, off_ppm):
    rate, seconds = 16_000, 60.0
    time_s = np.arange(round(rate * seconds)) / rate
    audio = (0.3 * np.sin(2 * np.pi * 300.0 * time_s)).astype(np.float32)[None]
    device, capture, loop = driven(
        audio, rate, output_rate=output_rate, output_off_ppm=off_ppm, settings={"strength": 0.0}
    )
    drive(device, loop)
    assert loop.report.dropouts == 0
    # No step in the sine, either: its slope stays its own.
    played = output_rate or rate
    heard = capture.audio[0, played : round((seconds - 1) * played)]
    steepest = 0.3 * 2 * np.pi * 300.0 / played
    assert np.abs(np.diff(heard)).max() < 1.02 * steepest
    assert 0.29 < np.abs(heard).max() < 0.31


def test_two_clocks_keep_their_delay():
    rate, seconds, drift = 16_000, 120.0, 300e-6
    audio = np.zeros((1, round(rate * seconds)), np.float32)
    clicks = np.arange(rate, audio.shape[1] - rate, rate)
    audio[0, clicks] = 0.5
    device, capture, loop = driven(audio, rate, output_off_ppm=1e6 * drift, settings={"strength": 0.0})
    drive(device, loop)
    heard = np.abs(capture.audio[0])
    found = np.array([at + int(np.argmax(heard[at : at + rate // 2])) for at in (clicks * (1 + drift)).astype(int)])
    delays_ms = 1e3 * (found / (rate * (1 + drift)) - clicks / rate)
    # Uncorrected they would run 36 ms apart; a block of 8 ms comes now before and now after one is wanted.
    assert np.ptp(delays_ms) < 9.0
    assert np.abs(delays_ms + 8.0 - loop.latency_ms).max() < 9.0


def test_an_enhancer_that_fails_lets_the_voice_pass(caplog):
    audio = noise(0.5, 16_000)
    device, capture, loop = driven(audio, 16_000)
    calls = 0

    def process(block):
        nonlocal calls
        calls += 1
        raise ZeroDivisionError("by the test")

    loop._stream.process = process
    with caplog.at_level(logging.ERROR, logger="unmuffle.live"):
        drive(device, loop)
    size = device.input.block_size
    assert np.array_equal(capture.audio[0, size : size + audio.shape[1]], audio[0])
    assert loop.error == "ZeroDivisionError: by the test"
    assert (calls, len(caplog.records)) == (1, 1)


def test_a_mono_voice_is_heard_on_all_channels_and_several_in_one_are_mixed():
    device, _, loop = driven(noise(0.2, 16_000, 2), 16_000, settings={"strength": 0.0})
    for _ in range(10):
        device.step(loop.take, lambda _: None)
        loop.run_waiting()
    both, one = np.zeros((2, 128), np.float32), np.zeros((1, 128), np.float32)
    loop.give(np.zeros((2, 6 * 128), np.float32))
    loop._playback._ring._read -= 128
    loop.give(both)
    loop._playback._ring._read -= 128
    loop.give(one)
    assert np.abs(both).max() > 0
    assert np.allclose(one, both.mean(axis=0))
    mono, _, loop = driven(noise(0.2, 16_000), 16_000, settings={"strength": 0.0})
    drive(mono, loop)
    loop._playback._ring._read -= 2_560
    loop.give(both)
    assert np.array_equal(both[0], both[1])


def test_levels_and_attenuation_are_those_of_the_sounds():
    rate = 16_000
    audio = noise(3.0, rate)
    device, _, loop = driven(audio, rate, settings={"max_attenuation_db": 12.0})
    steps = round(2.5 * rate / device.input.block_size)
    for _ in range(steps):
        device.step(loop.take, loop.give)
        loop.run_waiting()
    report = loop.report
    assert report.level_in_dbfs == pytest.approx(20 * np.log10(0.05), abs=0.7)
    assert 8.0 < report.attenuation_db <= 12.5
    assert report.level_in_dbfs < report.peak_in_dbfs < 0.0
    assert report.seconds == pytest.approx(2.5, abs=0.01)
    assert 0.0 < report.mean_block_ms <= report.worst_block_ms
    assert report.load.rung == "wiener"


def test_a_loop_in_real_time_enhances_everything(write_file, tmp_path, noisy_speech):
    path = write_file(tmp_path / "talk.wav", noisy_speech(16_000, 1.0, 2))
    capture = Capture()
    device = FileDevice(path, capture=capture, block_ms=20.0)
    stream = unmuffle.open_stream(16_000, 2, device.input.block_size, method="wiener", on_overload="step_down")
    begun = time.monotonic()
    with LiveLoop(device, stream) as loop:
        assert device.wait(20.0)
    assert 1.2 < time.monotonic() - begun < 15.0
    assert loop.report.seconds == pytest.approx(1.25, abs=0.05)
    assert loop.error is None
    assert np.abs(capture.audio).max() > 0.01
    assert len(capture.times_s) == len(capture.blocks)
    # Blocks are played one block's length apart, and never early.
    ideal = 0.02 * (1 + np.arange(len(capture.times_s)))
    assert (np.array(capture.times_s) >= ideal - 1e-4).all()


def test_a_loop_stops_twice_and_in_the_middle():
    device, _, loop = driven(noise(30.0, 16_000), 16_000)
    loop.start()
    time.sleep(0.1)
    loop.stop()
    loop.stop()
    assert not device.active
    assert 0.0 < loop.report.seconds < 5.0


def test_a_stream_that_does_not_fit_the_device_is_refused():
    device = FileDevice(noise(0.1, 16_000), 16_000)
    with pytest.raises(InvalidParameterError, match="does not fit an array"):
        LiveLoop(device, unmuffle.open_stream(16_000, 1, 160))


def test_a_damaged_file_ends_the_device_with_its_error(tmp_path, monkeypatch):
    from unmuffle.errors import AudioFileError

    device, _, loop = driven(noise(0.1, 16_000), 16_000)

    def blocks():
        yield noise(0.1, 16_000)
        raise AudioFileError("talk.mp3 is damaged")

    device._blocks = blocks()
    drive(device, loop)
    assert device.error == "talk.mp3 is damaged"
    assert not device.active
