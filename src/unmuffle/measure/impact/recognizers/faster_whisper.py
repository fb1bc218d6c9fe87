"""faster-whisper: Whisper networks on CTranslate2, used where it is installed, from a model on this machine.

Greedy at temperature 0 without fallback and without the text before, so that a clip gives the same text each time.
"""

from __future__ import annotations

from typing import Any

from unmuffle.measure.impact.packages import Lazy, model_path, version_of
from unmuffle.measure.impact.recognizers.base import RECOGNITION_HZ
from unmuffle.signal.arrays import FloatArray


class FasterWhisper(Lazy):
    """A Whisper model in CTranslate2's format.

    Parameters
    ----------
    model : str
        The folder of the model. It is not downloaded.
    language : str, default "en"
        What is spoken.

    Raises
    ------
    AudioFileError
        If there is no model.
    MissingExtraError
        When it is first used, if ``faster-whisper`` is not installed.
    """

    sample_rate = RECOGNITION_HZ
    _package = ("faster_whisper", "faster-whisper")

    def __init__(self, model: str, language: str = "en") -> None:
        self._path = model_path(model, "faster-whisper", "models/faster-whisper-small.en")
        self._language = language
        self.name = f"faster-whisper:{self._path.name}"
        self.version = version_of("faster-whisper")

    def transcribe(self, audio: FloatArray, rate: int) -> str:  # noqa: ARG002 (the contract; it is given sample_rate)
        """Return the words of audio [samples] at 16 kHz."""
        segments, _ = self.model.transcribe(
            audio,
            language=self._language,
            beam_size=1,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return " ".join(segment.text.strip() for segment in segments)

    def _load(self) -> Any:
        package = self.require()
        return package.WhisperModel(
            str(self._path), device="cpu", compute_type="int8", cpu_threads=1, local_files_only=True
        )
