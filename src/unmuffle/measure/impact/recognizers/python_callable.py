"""A function of the user's own as a recogniser."""

from __future__ import annotations

from collections.abc import Callable

from unmuffle.measure.impact.recognizers.base import RECOGNITION_HZ
from unmuffle.signal.arrays import FloatArray

Transcribe = Callable[[FloatArray, int], str]


class CallableRecognizer:
    """A function that takes (audio float32 [samples], rate in Hz) and returns text.

    Parameters
    ----------
    transcribe : callable
        With more than one job it has to be a module's function or an object that can be pickled.
    name, version : str, optional
        Its name is otherwise that of the function. Change the version when the function changes: a journal holds its
        old results.
    sample_rate : int, default 16000
        What it wants, in Hz.
    """

    def __init__(
        self,
        transcribe: Transcribe,
        name: str | None = None,
        version: str = "1",
        sample_rate: int = RECOGNITION_HZ,
    ) -> None:
        self.name = name or str(getattr(transcribe, "__name__", type(transcribe).__name__))
        self.version = version
        self.sample_rate = sample_rate
        self._transcribe = transcribe

    def transcribe(self, audio: FloatArray, rate: int) -> str:
        """Return what the function returns."""
        return self._transcribe(audio, rate)
