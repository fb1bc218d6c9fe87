"""``unmuffle live`` as one calls it."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from live_signals import FakeSoundDevice, sound_device
from typer.testing import CliRunner

from unmuffle.cli import live as live_command
from unmuffle.cli.app import app
from unmuffle.cli.live_meters import meters, summary
from unmuffle.denoise.suppressors import OmLsa


def run(*arguments):
    result = CliRunner().invoke(app, ["live", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture
def talk(write_file, tmp_path, noisy_speech):
    return write_file(tmp_path / "talk.wav", noisy_speech(16_000, 1.0))


@pytest.fixture
def system(monkeypatch):
    package = FakeSoundDevice([sound_device("Headset", 1, 2), sound_device("Null Sink", 2, 2)], default=(0, 0))
    monkeypatch.setitem(sys.modules, "sounddevice", package)
    return package


def test_devices_are_listed_with_their_numbers(system):
    done = run("--list")
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    told = re.split(r"\s{2,}", lines[0].strip())
    assert told == ["0", "1 in, 2 out", "48000 Hz", "Headset (ALSA)", "default input and output"]
    assert lines[1].endswith("Null Sink (ALSA)")


def test_a_system_without_devices_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", FakeSoundDevice([]))
    assert "--loopback FILE" in run("--list").stdout
    done = run()
    assert done.exit_code == 1
    assert done.stderr == "unmuffle: there is no sound device for output: 'unmuffle live --list' shows all\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--input", "scarlett"), "no sound device is called 'scarlett'"),
        (("--strength", "loud"), "--strength is 'loud'"),
        (("--preset", "karaoke"), "karaoke"),
        (("--block-ms", "500"), "a block of 500.0 ms is not between 1 and 100 ms"),
        (("--rate", "4000"), "sample_rate is 4000 Hz"),
        (("--loopback", "nowhere.wav"), "nowhere.wav does not exist"),
        (("--loopback", "talk.wav", "--input", "0"), "--loopback takes the place of --input and --output"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(system, options, message):
    done = run(*options)
    assert done.exit_code == 1
    assert done.stderr.startswith("unmuffle: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr


def test_a_missing_extra_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    done = run("--list")
    assert done.exit_code == 1
    assert 'pip install "unmuffle[live]"' in done.stderr


def test_a_file_in_the_place_of_the_microphone_is_recorded(talk, tmp_path):
    done = run("--loopback", talk, "--record", tmp_path / "out" / "take.flac", "--method", "wiener")
    assert done.exit_code == 0, done.stderr
    noisy, rate = soundfile.read(tmp_path / "out" / "take.noisy.flac")
    clear, _ = soundfile.read(tmp_path / "out" / "take.flac")
    assert rate == 16_000
    assert noisy.shape == clear.shape
    assert noisy.size >= 16_000
    assert np.sqrt(np.mean(clear**2)) < np.sqrt(np.mean(noisy**2))
    # More than these where the machine was late again and again.
    assert 40 <= int(re.search(r"enhanced, (\d+) ms behind", done.stderr)[1]) <= 140
    assert "recorded: " in done.stderr


def test_a_folder_gets_recordings_by_their_time(talk, tmp_path, names_in):
    done = run("--loopback", talk, "--record", tmp_path / "calls", "--seconds", "0.3", "--quiet", "--method", "wiener")
    assert (done.exit_code, done.stderr) == (0, "")
    noisy, clear = names_in(tmp_path / "calls")
    assert re.fullmatch(r"live-\d{8}-\d{6}\.wav", clear)
    assert noisy == clear.replace(".wav", ".noisy.wav")


def test_a_device_that_goes_ends_the_loop_with_its_name(system):
    def pulled_out(seconds):
        system.streams[0].active = False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(live_command.time, "sleep", pulled_out)
        done = run("--method", "wiener")
    assert done.exit_code == 1
    assert "Headset has gone" in done.stderr


def test_devices_by_name_and_no_output(system):
    done = run("--input", "headset", "--output", "none", "--seconds", "0.2", "--method", "wiener")
    assert done.exit_code == 0, done.stderr
    assert [stream.kind for stream in system.streams] == ["input"]
    assert "Headset (48,000 Hz) to nothing" in done.stderr
    run("--output", "null", "--seconds", "0.2", "--method", "wiener", "--preset", "meeting")
    assert [stream.kind for stream in system.streams[1:]] == ["input", "output"]


@pytest.mark.parametrize("on_overload", ["step_down", "keep", None])
def test_a_machine_that_is_too_slow_does_less_unless_it_may_not(talk, monkeypatch, on_overload):
    real = OmLsa._gain_of

    def slow(self, *snrs):
        time.sleep(0.025)
        return real(self, *snrs)

    monkeypatch.setattr(OmLsa, "_gain_of", slow)
    asked = [] if on_overload is None else ["--on-overload", on_overload]
    done = run("--loopback", talk, "--method", "om_lsa", *asked)
    assert done.exit_code == 0, done.stderr
    assert ("this machine is too slow for om_lsa: stepped down" in done.stderr) == (on_overload != "keep")


def test_the_delay_is_measured():
    done = run("--measure", "--seconds", "1", "--rate", "16000")
    assert done.exit_code == 0
    assert re.match(r"end to end     \d\d\.\d ms, at worst \d\d\.\d ms: (not )?below 50 ms", done.stdout)
    assert "algorithm    31.9 ms" in done.stdout


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_a_recording_that_is_interrupted_can_be_played(tmp_path, write_file, noisy_speech, names_in, number, code):
    talk = write_file(tmp_path / "long.wav", noisy_speech(16_000, 60.0))
    running = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "unmuffle",
            "live",
            "--loopback",
            str(talk),
            "--record",
            str(tmp_path / "calls" / "take.wav"),
        ],
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 60.0
    hidden: list = []
    while time.monotonic() < deadline and not any(path.stat().st_size > 40_000 for path in hidden):
        time.sleep(0.05)
        hidden = list((tmp_path / "calls").glob(".unmuffle-*")) if (tmp_path / "calls").exists() else []
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == code, said
    assert b"Traceback" not in said
    assert names_in(tmp_path / "calls") == ["take.noisy.wav", "take.wav"]
    noisy, clear = (soundfile.info(tmp_path / "calls" / name) for name in ("take.noisy.wav", "take.wav"))
    assert noisy.frames == clear.frames > 16_000


def report_of(**changed):
    from dataclasses import replace

    from live_signals import drive, driven, noise

    device, _, loop = driven(noise(1.0, 16_000), 16_000)
    drive(device, loop)
    return replace(loop.report, **changed)


def test_meters_show_levels_and_what_was_lost():
    from rich.console import Console

    console = Console(width=100, record=True, file=io.StringIO())
    console.print(meters(report_of(level_in_dbfs=-30.0, level_out_dbfs=-42.0, dropouts=3), None))
    heard, played, numbers, state = console.export_text().splitlines()
    assert heard.count("█") == 20
    assert played.count("█") == 12
    assert "taken off 12.0 dB" in numbers
    assert "behind 40 ms" in numbers
    assert "dropouts 3" in numbers
    assert "wiener" in state


def test_the_summary_says_what_went_wrong():
    assert len(summary(report_of())) == 2
    lines = summary(report_of(dropouts=2, missing_s=0.016, grown_ms=8.0, lost_s=0.5, device_xruns=4))
    assert "sound was late again and again: 8 ms of the delay are a reserve for that" in lines
    assert "2 dropouts: 0.02 s of silence were played" in lines
    assert "0.50 s of the microphone were lost: this machine is too busy" in lines
    assert "the sound device lost 4 blocks: try longer ones with --block-ms" in lines
