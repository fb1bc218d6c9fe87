"""NVIDIA NeMo, used where it is installed, from a checkpoint on this machine."""

from __future__ import annotations

from typing import Any

from unmuffle.measure.impact.packages import Lazy, model_path, version_of
from unmuffle.measure.impact.recognizers.base import RECOGNITION_HZ
from unmuffle.signal.arrays import FloatArray


class Nemo(Lazy):
    """A NeMo recogniser.

    Parameters
    ----------
    model : str
        A ``.nemo`` file. It is not downloaded.

    Raises
    ------
    AudioFileError
        If there is no such file.
    MissingExtraError
        When it is first used, if ``nemo_toolkit`` is not installed.
    """

    sample_rate = RECOGNITION_HZ
    _package = ("nemo.collections.asr", '"nemo_toolkit[asr]"')

    def __init__(self, model: str) -> None:
        self._path = model_path(model, "nemo", "models/parakeet-tdt-0.6b-v2.nemo")
        self.name = f"nemo:{self._path.stem}"
        self.version = version_of("nemo_toolkit")

    def transcribe(self, audio: FloatArray, rate: int) -> str:  # noqa: ARG002 (the contract; it is given sample_rate)
        """Return the words of audio [samples] at 16 kHz."""
        found = self.model.transcribe([audio], batch_size=1, verbose=False)
        # Transducers of older versions return the best and all hypotheses, others the best ones as text or objects.
        best = (found[0] if isinstance(found, tuple) else found)[0]
        return str(getattr(best, "text", best))

    def _load(self) -> Any:
        collection = self.require()
        model = collection.models.ASRModel.restore_from(str(self._path), map_location="cpu")
        model.eval()
        return model
