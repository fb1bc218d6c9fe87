"""The sound card: what is asked of PortAudio, by a stand-in and by PortAudio itself on a device that is none."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from live_signals import FakeSoundDevice, noise, sound_device, wait_until

import unmuffle
from unmuffle.live import LiveLoop, SoundCard, SoundCardError, list_devices

LISTED = [
    sound_device("Headset", 1, 2, 48_000.0),
    sound_device("Microphone", 2, 0, 16_000.0),
    sound_device("Speaker", 0, 2, 44_100.0),
]


@pytest.fixture
def system(monkeypatch):
    package = FakeSoundDevice(LISTED, default=(0, 0))
    monkeypatch.setitem(sys.modules, "sounddevice", package)
    return package


def opened(card, **settings):
    side = card.input
    stream = unmuffle.open_stream(side.sample_rate, side.channels, side.block_size, method="wiener", **settings)
    return LiveLoop(card, stream)


def test_one_device_is_opened_once_with_both_directions(system):
    headset = list_devices()[0]
    card = SoundCard(headset, headset)
    assert card.one_clock
    with opened(card, strength=0.0) as loop:
        (stream,) = system.streams
        assert stream.kind == "both"
        assert stream.active
        assert stream.options["device"] == (0, 0)
        assert stream.options["channels"] == (1, 2)
        assert stream.options["samplerate"] == 48_000
        assert stream.options["blocksize"] == 384
        assert stream.options["dtype"] == "float32"
        assert loop.latency_ms == pytest.approx(24 + 8 + 30)
        audio = noise(0.2, 48_000)[0]
        played = []
        for i in range(0, audio.size - 384, 384):
            played.append(stream.run(audio[i : i + 384, None]))
            done_s = 0.008 * len(played)
            wait_until(lambda done_s=done_s: loop.report.seconds == pytest.approx(done_s))
        heard = np.concatenate(played)
    assert stream.closed
    assert np.array_equal(heard[:, 0], heard[:, 1])
    delay = 384 + 1152
    assert np.array_equal(heard[delay:, 0], audio[: len(heard) - delay])


def test_two_devices_are_opened_each_at_its_own_rate(system):
    _, microphone, speaker = list_devices()
    card = SoundCard(microphone, speaker, channels=2)
    assert not card.one_clock
    with opened(card):
        hearing, playing = system.streams
        assert (hearing.kind, hearing.options["samplerate"], hearing.options["channels"]) == ("input", 16_000, 2)
        assert (playing.kind, playing.options["samplerate"], playing.options["channels"]) == ("output", 44_100, 2)
        hearing.run(np.zeros((128, 2), np.float32))
        assert playing.run(None).shape == (352, 2)
        assert card.active
        playing.active = False
        assert not card.active
    assert hearing.closed
    assert playing.closed


def test_a_microphone_alone_is_only_listened_to(system):
    card = SoundCard(list_devices()[1], None)
    with opened(card) as loop:
        (stream,) = system.streams
        assert stream.kind == "input"
        stream.run(np.zeros((128, 1), np.float32))
        assert loop.report.dropouts == 0


def test_no_exception_leaves_a_callback_and_silence_is_played(system):
    card = SoundCard(list_devices()[0], list_devices()[0])

    def fail(block):
        raise ZeroDivisionError("by the test")

    card.start(fail, fail)
    played = system.streams[0].run(np.zeros((384, 1), np.float32))
    assert not played.any()
    assert card.error == "ZeroDivisionError: by the test"
    card.stop()


def test_what_the_driver_loses_is_counted(system):
    card = SoundCard(list_devices()[0], list_devices()[0])
    with opened(card) as loop:
        system.streams[0].run(np.zeros((384, 1), np.float32), "input overflow")
        system.streams[0].run(np.zeros((384, 1), np.float32))
        assert loop.report.device_xruns == 1


def test_a_device_that_cannot_be_opened_is_told_and_the_other_let_go(system):
    _, microphone, speaker = list_devices()
    system.broken.add(speaker.number)
    card = SoundCard(microphone, speaker)
    loop = opened(card)
    with pytest.raises(SoundCardError, match=r"Microphone and Speaker cannot be opened: Device unavailable"):
        loop.start()
    assert [stream.closed for stream in system.streams] == [True]


def test_more_channels_than_there_are_are_refused(system):
    with pytest.raises(SoundCardError, match="Headset has 1 channels, not 2"):
        SoundCard(list_devices()[0], None, channels=2)


def test_portaudio_itself_calls_back(tmp_path):
    """ALSA's null device needs no hardware; it has no clock, either, so that only some callbacks find their block."""
    sounddevice = pytest.importorskip("sounddevice")
    (tmp_path / "asound.conf").write_text("pcm.nothing { type null }\npcm.broken { type file slave.pcm none }\n")
    script = """
        import time
        import unmuffle
        from unmuffle.live import LiveLoop, SoundCard, choose_device, list_devices
        try:
            device = choose_device(list_devices(), "nothing", "input")
        except unmuffle.InvalidParameterError:
            print("absent")
            raise SystemExit
        card = SoundCard(device, device)
        stream = unmuffle.open_stream(card.input.sample_rate, 1, card.input.block_size, method="wiener")
        with LiveLoop(card, stream) as loop:
            time.sleep(0.3)
            assert card.active
            assert loop.latency_ms > 32
        report = loop.report
        assert card.error is None, card.error
        assert loop.error is None, loop.error
        assert report.seconds > 0.3
        assert report.latency_ms > 32
        print("called", device.name)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        env=os.environ | {"ALSA_CONFIG_PATH": str(tmp_path / "asound.conf")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    if "absent" in done.stdout:
        pytest.skip(f"PortAudio {sounddevice.get_portaudio_version()[0]} here is without ALSA")
    assert done.stdout == "called nothing\n"
