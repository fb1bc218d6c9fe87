"""Vosk: Kaldi networks, used where it is installed, from a model on this machine."""

from __future__ import annotations

import json
from typing import Any

from unmuffle.measure.impact.packages import Lazy, model_path, version_of
from unmuffle.measure.impact.recognizers.base import RECOGNITION_HZ, as_pcm16
from unmuffle.signal.arrays import FloatArray

_BYTES_AT_ONCE = 8_000


class Vosk(Lazy):
    """A Vosk model.

    Parameters
    ----------
    model : str
        The folder of the model. It is not downloaded.

    Raises
    ------
    AudioFileError
        If there is no model.
    MissingExtraError
        When it is first used, if ``vosk`` is not installed.
    """

    sample_rate = RECOGNITION_HZ
    _package = ("vosk", "vosk")

    def __init__(self, model: str) -> None:
        self._path = model_path(model, "vosk", "models/vosk-model-small-en-us-0.15")
        self.name = f"vosk:{self._path.name}"
        self.version = version_of("vosk")

    def transcribe(self, audio: FloatArray, rate: int) -> str:
        """Return the words of audio [samples] at 16 kHz."""
        package, model = self.model
        # A new one for each clip: it adapts to what it hears.
        recognizer = package.KaldiRecognizer(model, float(rate))
        pcm = as_pcm16(audio)
        # It is true at the end of what it takes for a sentence, whose text has to be fetched then.
        found = [
            recognizer.Result()
            for start in range(0, len(pcm), _BYTES_AT_ONCE)
            if recognizer.AcceptWaveform(pcm[start : start + _BYTES_AT_ONCE])
        ]
        texts = [json.loads(result).get("text", "") for result in [*found, recognizer.FinalResult()]]
        return " ".join(filter(None, texts))

    def _load(self) -> Any:
        package = self.require()
        package.SetLogLevel(-1)
        return package, package.Model(str(self._path))
