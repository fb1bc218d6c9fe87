"""A command as an enhancer: it is given a WAV file and writes another."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from unmuffle.errors import AudioFileError, InvalidParameterError, UnmuffleError
from unmuffle.measure.evaluation.clips import read_audio
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.signal.arrays import AnyArray, FloatArray
from unmuffle.signal.files import AudioInfo, open_writer

PREFIX = "command:"
TIMEOUT_S = 600.0


def external_command(spec: str, name: str | None = None, timeout_s: float = TIMEOUT_S) -> ClipEnhancer:
    """Return a command as an enhancer.

    Parameters
    ----------
    spec : str
        ``command:tool --option {in} {out}``, quoted as for a shell; no shell runs it. ``{in}`` becomes the path of a
        WAV file of 16 bit, ``{out}`` the one that the tool has to write, at the same rate.
    name : str, optional
        What tables call it; the name of the tool unless given.
    timeout_s : float, default 600
        A call that takes longer is ended, and the clip has failed.

    Raises
    ------
    InvalidParameterError
        If ``{in}`` or ``{out}`` is missing, quotes are not closed, or there is no such tool.
    """
    command = spec.removeprefix(PREFIX)
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InvalidParameterError(f"the command {command!r} cannot be split into words: {error}") from error
    for mark in ("{in}", "{out}"):
        if not any(mark in word for word in words):
            raise InvalidParameterError(
                f"the command {command!r} has no {mark}: write it as {PREFIX}'tool {{in}} {{out}}'"
            )
    tool = shutil.which(words[0])
    if tool is None:
        raise InvalidParameterError(f"there is no command {words[0]!r}: install it or give its path")
    run = partial(_enhance, (tool, *words[1:]), timeout_s)
    return ClipEnhancer(name or Path(words[0]).stem, run, version=command, warms_up=False)


def _enhance(words: tuple[str, ...], timeout_s: float, audio: FloatArray, sample_rate: int) -> AnyArray:
    with tempfile.TemporaryDirectory(prefix="unmuffle-") as folder:
        given, made = Path(folder, "in.wav"), Path(folder, "out.wav")
        with open_writer(given, AudioInfo(sample_rate, len(audio), sample_format="s16", codec="pcm_s16le")) as writer:
            writer.write(audio)
        places = {"{in}": str(given), "{out}": str(made)}
        _run([_filled(word, places) for word in words], timeout_s)
        if not made.exists():
            raise AudioFileError("the command ended well but wrote nothing to {out}")
        enhanced, rate = read_audio(made)
    if rate != sample_rate:
        raise AudioFileError(f"the command wrote audio of {rate} Hz, and {sample_rate} Hz were given")
    return enhanced


def _filled(word: str, places: dict[str, str]) -> str:
    for mark, path in places.items():
        word = word.replace(mark, path)
    return word


def _run(words: list[str], timeout_s: float) -> None:
    process = subprocess.Popen(  # noqa: S603 (what the user asked to run)
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        _, said = process.communicate(timeout=timeout_s)
    except subprocess.TimeoutExpired as error:
        raise UnmuffleError(f"the command was ended after {timeout_s:g} s without a result") from error
    finally:
        _end(process)
    if process.returncode:
        lines = [line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()]
        last = lines[-1] if lines else "it said nothing"
        raise UnmuffleError(f"the command failed with exit code {process.returncode}: {last}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs, with those that it started."""
    if process.poll() is not None:
        return
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()
