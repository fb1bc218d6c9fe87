"""Ctrl-C in mid-file: one line, exit code 130, nothing half-written, and what was there stays as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes cannot be sent an interrupt there")

RATE = 48_000
LONGEST_WAIT_S = 60.0


@pytest.fixture(scope="module")
def sources(tmp_path_factory, noisy_speech, write_file):
    """Files that take many seconds each."""
    folder = tmp_path_factory.mktemp("long")
    audio = noisy_speech(RATE, seconds=10.0, channels=2)
    for name in ("one.wav", "two.wav"):
        write_file(folder / name, np.tile(audio, 9), RATE)
    return folder


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Run:
    """``unmuffle enhance`` in a session of its own, so that all of it can be interrupted as a terminal does."""

    def __init__(self, *arguments: object) -> None:
        command = [sys.executable, "-m", "unmuffle", "enhance", *map(str, arguments)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # In the background of a shell interrupts are ignored, and so they are in all that is started there.
            preexec_fn=_heed_interrupts,
        )

    def wait_for_files(self, folder: Path, count: int) -> None:
        """Wait until so many files are being written, and some of each is there."""
        until = time.monotonic() + LONGEST_WAIT_S
        while time.monotonic() < until and self.process.poll() is None:
            begun = [path for path in folder.glob(".unmuffle-*") if path.stat().st_size > 100_000]
            if len(begun) >= count:
                return
            time.sleep(0.02)
        pytest.fail(f"no file was begun: {self.process.communicate()}")

    def end_by(self, number: signal.Signals) -> tuple[int, str, str]:
        os.killpg(self.process.pid, number)
        out, err = self.process.communicate(timeout=LONGEST_WAIT_S)
        return self.process.returncode, out, err


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_leaves_nothing_half_written(sources, tmp_path, jobs, names_in):
    run = Run(sources, "-o", tmp_path, "--save-removed", "-j", jobs)
    run.wait_for_files(tmp_path, 2 * jobs)
    code, out, err = run.end_by(signal.SIGINT)
    assert code == 130
    assert out == ""
    assert err == "unmuffle: interrupted; nothing half-written was left behind\n"
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_interrupt_leaves_what_was_to_be_replaced(sources, tmp_path, jobs):
    for name in ("one.wav", "two.wav"):
        (tmp_path / name).write_bytes(b"precious")
    run = Run(sources, "-o", tmp_path, "--overwrite", "-j", jobs)
    run.wait_for_files(tmp_path, jobs)
    assert run.end_by(signal.SIGINT)[0] == 130
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == dict.fromkeys(
        ("one.wav", "two.wav"), b"precious"
    )


@pytest.mark.parametrize("delay_s", [0.0, 0.15])
def test_an_interrupt_while_processes_start_is_one_line_too(sources, tmp_path, delay_s, names_in):
    run = Run(sources, "-o", tmp_path, "-j", 2)
    children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children")
    if not children.exists():
        run.end_by(signal.SIGKILL)
        pytest.skip("processes cannot be listed here")
    until = time.monotonic() + LONGEST_WAIT_S
    while not children.read_text() and time.monotonic() < until:
        time.sleep(0.005)
    time.sleep(delay_s)
    code, _, err = run.end_by(signal.SIGINT)
    assert code == 130
    assert err == "unmuffle: interrupted; nothing half-written was left behind\n"
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_being_ended_leaves_nothing_half_written(sources, tmp_path, jobs, names_in):
    run = Run(sources, "-o", tmp_path, "-j", jobs)
    run.wait_for_files(tmp_path, jobs)
    code, _, err = run.end_by(signal.SIGTERM)
    assert code == 143
    assert "Traceback" not in err
    assert names_in(tmp_path) == []
