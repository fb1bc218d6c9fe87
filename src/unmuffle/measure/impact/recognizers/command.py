"""Any program that takes an audio file and prints what is said in it."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from unmuffle.errors import InvalidParameterError, UnmuffleError
from unmuffle.measure.impact.recognizers.base import RECOGNITION_HZ, as_pcm16
from unmuffle.signal.arrays import FloatArray

PLACE = "{in}"


class CommandError(UnmuffleError):
    """A program that could not do its work; the message holds the last line it wrote."""


class CommandRecognizer:
    """A program; what it prints on standard output is the text.

    Parameters
    ----------
    template : str
        The command, in which ``{in}`` stands for a 16-bit WAV file of one channel. No shell is involved: quotes group
        words, nothing is expanded.
    sample_rate : int, default 16000
        Of that file, in Hz.
    timeout_s : float, default 300
        It is ended after this time, and the clip has failed.

    Raises
    ------
    InvalidParameterError
        If there is no ``{in}`` in it, its quotes do not match, or the program is not found.
    """

    def __init__(self, template: str, sample_rate: int = RECOGNITION_HZ, timeout_s: float = 300.0) -> None:
        try:
            self._words = shlex.split(template)
        except ValueError as error:
            raise InvalidParameterError(f"the command {template!r} cannot be read: {error}") from error
        if not any(PLACE in word for word in self._words):
            raise InvalidParameterError(f"the command {template!r} has no {PLACE}, where the audio file's name goes")
        if shutil.which(self._words[0]) is None:
            raise InvalidParameterError(f"there is no program {self._words[0]!r}: give its path, or install it")
        self.name = f"command:{template}"
        self.version = "as installed"
        self.sample_rate = sample_rate
        self._timeout_s = timeout_s

    def transcribe(self, audio: FloatArray, rate: int) -> str:
        """Return what the program prints for audio [samples]."""
        with tempfile.TemporaryDirectory(prefix="unmuffle-") as folder:
            path = Path(folder) / "audio.wav"
            _write_wav(path, audio, rate)
            return self._run([word.replace(PLACE, str(path)) for word in self._words])

    def _run(self, words: list[str]) -> str:
        program = Path(words[0]).name
        try:
            done = subprocess.run(  # noqa: S603 (running what the user names is what this is for)
                words, stdin=subprocess.DEVNULL, capture_output=True, timeout=self._timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise CommandError(f"{program} was not done within {self._timeout_s:g} s") from error
        except OSError as error:
            raise CommandError(f"{program} cannot be run: {error.strerror}") from error
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            raise CommandError(f"{program} ended with exit code {done.returncode}{': ' + said[-1] if said else ''}")
        return done.stdout.decode(errors="replace").strip()


def _write_wav(path: Path, audio: FloatArray, rate: int) -> None:
    import wave

    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(as_pcm16(audio))
