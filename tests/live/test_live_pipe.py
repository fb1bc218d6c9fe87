"""``unmuffle pipe``: raw samples as they come, in a pipeline of real programs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import unmuffle

needs_ffmpeg = pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="ffmpeg is not installed")
needs_gstreamer = pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="GStreamer is not installed")

PIPE = [sys.executable, "-m", "unmuffle", "pipe", "--method", "wiener"]


def pipe(data: bytes, *options: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*PIPE, *map(str, options)], input=data, capture_output=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("name", "dtype", "channels"), [("s16le", "<i2", 1), ("s16le", "<i2", 2), ("f32le", "<f4", 1), ("s16be", ">i2", 1)]
)
def test_what_comes_out_is_what_an_enhancement_gives(noisy_speech, name, dtype, channels):
    speech = noisy_speech(16_000, 1.0, channels)
    given = (speech if "f" in dtype else np.rint(speech * 32768)).astype(dtype)
    done = pipe(given.T.tobytes(), "--rate", 16_000, "--channels", channels, "--format", name)
    assert (done.returncode, done.stderr) == (0, b"")
    heard = np.frombuffer(done.stdout, dtype).reshape(-1, channels).T
    native = given.astype(given.dtype.newbyteorder("="))
    assert np.array_equal(heard, unmuffle.enhance(native, 16_000, method="wiener"))


def test_each_block_is_answered_at_once():
    """32 ms after a sample came, it has left, with more still to come."""
    running = subprocess.Popen([*PIPE, "--rate", "16000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    heard, lock = bytearray(), threading.Lock()

    def read() -> None:
        while data := os.read(running.stdout.fileno(), 65_536):
            with lock:
                heard.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        block = bytes(2 * 320)
        for count in range(1, 40):
            running.stdin.write(block)
            running.stdin.flush()
            # 511 samples are what the enhancer may hold back.
            due = max(0, 2 * (320 * count - 511))
            deadline = time.monotonic() + 60.0
            while len(heard) < due:
                assert time.monotonic() < deadline, f"{len(heard)} bytes of {due} after {count} blocks"
                time.sleep(0.002)
    finally:
        running.stdin.close()
        reader.join()
        running.stdout.close()
    assert running.wait(30) == 0
    assert len(heard) == 39 * len(block)


def test_samples_may_be_cut_anywhere():
    running = subprocess.Popen(
        [*PIPE, "--rate", "16000", "--channels", "2"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    given = np.random.default_rng(0).integers(-3000, 3000, (2, 2_000)).astype("<i2")
    data = given.T.tobytes()
    for at in range(0, len(data), 37):
        running.stdin.write(data[at : at + 37])
        running.stdin.flush()
    heard, _ = running.communicate(timeout=60)
    assert np.array_equal(
        np.frombuffer(heard, "<i2").reshape(-1, 2).T, unmuffle.enhance(given, 16_000, method="wiener")
    )


def test_the_rest_of_a_sample_is_told():
    done = pipe(bytes(2 * 400 + 1), "--rate", 8_000)
    assert done.returncode == 0
    assert len(done.stdout) == 800
    assert b"the last 1 bytes are no whole sample" in done.stderr


SLOW = """
import sys, time
from unmuffle.cli.app import app
from unmuffle.denoise.suppressors import OmLsa
real = OmLsa._gain_of
OmLsa._gain_of = lambda self, *snrs: (time.sleep(0.025), real(self, *snrs))[1]
app(sys.argv[1:])
"""


@pytest.mark.parametrize("on_overload", ["step_down", "keep", None])
def test_a_machine_that_is_too_slow_does_less_only_if_it_may(on_overload):
    asked = [] if on_overload is None else ["--on-overload", on_overload]
    command = [sys.executable, "-c", SLOW, "pipe", "--method", "om_lsa", "--rate", "16000", *asked]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    heard, said = running.communicate(bytes(2 * 16_000), timeout=60)
    assert (running.returncode, len(heard)) == (0, 2 * 16_000)
    assert (b"too slow for om_lsa: stepped down" in said) == (on_overload == "step_down")


def test_nothing_in_is_nothing_out():
    done = pipe(b"", "--rate", 8_000)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--rate", "4000"), b"sample_rate is 4000 Hz"),
        (("--rate", "16000", "--format", "mp3"), b"raw sample format 'mp3' is not known"),
        (("--rate", "16000", "--preset", "podcast:loud"), b"podcast:loud"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(options, message):
    done = pipe(b"", *options)
    assert done.returncode == 1
    assert done.stderr.count(b"\n") == 1
    assert message in done.stderr


def test_a_reader_that_goes_ends_the_pipe_without_a_traceback():
    running = subprocess.Popen(
        [*PIPE, "--rate", "16000"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    running.stdout.close()
    try:
        for _ in range(50):
            running.stdin.write(bytes(32_000))
            running.stdin.flush()
    except BrokenPipeError:
        pass
    _, said = running.communicate(timeout=60) if not running.stdin.closed else (None, running.stderr.read())
    assert running.returncode == 1
    assert said == b""


@needs_ffmpeg
def test_between_two_ffmpegs(tmp_path, write_file, noisy_speech):
    talk = write_file(tmp_path / "talk.wav", noisy_speech(48_000, 1.0), 48_000)
    command = (
        f'ffmpeg -v error -i "{talk}" -f f32le -ac 1 -ar 16000 - '
        f'| "{sys.executable}" -m unmuffle pipe --method wiener --rate 16000 --format f32le '
        f'| ffmpeg -v error -f f32le -ar 16000 -ac 1 -i - "{tmp_path}/clear.flac"'
    )
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    import soundfile

    clear, rate = soundfile.read(tmp_path / "clear.flac")
    assert (rate, clear.size) == (16_000, 16_000)
    assert clear.any()


@needs_gstreamer
def test_between_two_gstreamers(tmp_path, write_file, noisy_speech):
    talk = write_file(tmp_path / "talk.wav", noisy_speech(16_000, 1.0), subtype="PCM_16")
    raw = "audio/x-raw,format=S16LE,rate=16000,channels=1"
    command = (
        f'gst-launch-1.0 -q filesrc location="{talk}" ! wavparse ! audioconvert ! {raw} ! fdsink fd=1 '
        f'| "{sys.executable}" -m unmuffle pipe --method wiener --rate 16000 '
        f"| gst-launch-1.0 -q fdsrc fd=0 ! rawaudioparse format=pcm pcm-format=s16le sample-rate=16000 num-channels=1 "
        f'! audioconvert ! wavenc ! filesink location="{tmp_path}/clear.wav"'
    )
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    import soundfile

    noisy, _ = soundfile.read(talk, dtype="int16")
    clear, rate = soundfile.read(tmp_path / "clear.wav", dtype="int16")
    assert rate == 16_000
    assert np.array_equal(clear, unmuffle.enhance(noisy, 16_000, method="wiener"))


DOCS = Path(__file__).parents[2] / "docs" / "integrations.md"


def documented(begin: str) -> str:
    """A command of the documentation, without its line breaks."""
    lines = DOCS.read_text(encoding="utf-8").split("\n")
    at = next(number for number, line in enumerate(lines) if line.startswith(begin))
    command = []
    for line in lines[at:]:
        command.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            return " ".join(command).replace("unmuffle pipe", f'"{sys.executable}" -m unmuffle pipe')
    raise AssertionError("a command without an end")


@pytest.mark.parametrize(
    ("begin", "source", "stand_in"),
    [
        pytest.param(
            "ffmpeg -v error -f pulse", "-f pulse -i default", "-re -f lavfi -i sine=duration=1", marks=needs_ffmpeg
        ),
        pytest.param(
            "gst-launch-1.0 -q autoaudiosrc", "autoaudiosrc", "audiotestsrc num-buffers=50", marks=needs_gstreamer
        ),
    ],
)
def test_the_command_that_is_documented_sends_an_rtp_stream(begin, source, stand_in):
    """As it stands there, but for the microphone and the address."""
    command = documented(begin)
    assert command.count(source) == command.count("192.0.2.1") == 1
    assert command.count("5004") == 1
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        port = str(receiver.getsockname()[1])
        command = command.replace(source, stand_in).replace("192.0.2.1", "127.0.0.1").replace("5004", port)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], capture_output=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        receiver.settimeout(5.0)
        packet = receiver.recv(65_536)
    # The head of RTP, version 2.
    assert packet[0] >> 6 == 2
    assert len(packet) > 12
