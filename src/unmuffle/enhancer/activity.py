"""Meters that listen to a stream through the network: where there is speech, and how far it stands out."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from unmuffle.denoise.choice import ModelName
from unmuffle.denoise.networks import frames_network
from unmuffle.enhancer.speech import SpeechActivity
from unmuffle.errors import ModelError
from unmuffle.level import Meter
from unmuffle.models import Model, default_model, find_model
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import StftStream


class NetworkMeter(Meter):
    """Base of what listens to a stream through a network.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    model : str or path, optional
        Name or ONNX file of a network of frames; the default one without it.

    Raises
    ------
    InvalidParameterError
        If there is no model of that name.
    ModelError
        If there is no default model, or this one cannot be loaded or takes waveforms.
    """

    def __init__(self, sample_rate: int, channels: int = 1, *, model: ModelName | None = None) -> None:
        super().__init__(sample_rate, channels)
        self.grid = grid_for(self.sample_rate)
        self._network = frames_network(_found(model))
        self._network.start(self.grid, self.channels)
        self._stft = StftStream(self.grid, self.channels, self._network.frames_at_once)

    def _process(self, block: FloatArray) -> None:
        for spectra in self._stft.analyze(block):
            self._network.gains(spectra)
            self._hear(spectra, self._network.presence, self._network.local_snr_db)

    @abstractmethod
    def _hear(self, spectra: ComplexArray, presence: FloatArray, local_snr_db: FloatArray) -> None:
        """Take the next frames: spectra [frames, channels, bins], the others [frames, channels]."""


class SpeechActivityMeter(NetworkMeter):
    """Keeps what the network tells of each frame; 0.5 kB a second and channel.

    Parameters
    ----------
    sample_rate, channels, model
        See ``NetworkMeter``.
    """

    def __init__(self, sample_rate: int, channels: int = 1, *, model: ModelName | None = None) -> None:
        super().__init__(sample_rate, channels, model=model)
        self._told: list[FloatArray] = [np.zeros((2, 0, self.channels), np.float32)]

    def _hear(self, spectra: ComplexArray, presence: FloatArray, local_snr_db: FloatArray) -> None:  # noqa: ARG002
        self._told.append(np.stack((presence, local_snr_db)))

    def result(self) -> SpeechActivity:
        """Return what is known of the frames that are complete; more blocks may follow."""
        self._told = [np.concatenate(self._told, axis=1)]
        presence, local_snr_db = self._told[0].swapaxes(1, 2)
        return SpeechActivity(np.arange(presence.shape[1]) * self.grid.hop_s, presence, local_snr_db)


def _found(model: ModelName | None) -> Model:
    if model is not None:
        return find_model(model)
    default = default_model()
    if default is None:
        raise ModelError("no model came with this installation: give model=, the path of an ONNX file")
    return default
