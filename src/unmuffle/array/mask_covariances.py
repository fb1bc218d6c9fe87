"""Covariances of voice and noise of a whole recording, by the network's mask: see ``mask_beamformer``."""

from __future__ import annotations

import numpy as np

from unmuffle.array.covariance import weighted_covariance
from unmuffle.array.mask_solver import Solver, check_reference, microphone_snrs
from unmuffle.array.masks import NetworkMasks
from unmuffle.signal.arrays import ComplexArray, FloatArray
from unmuffle.signal.grid import check_channels, grid_for
from unmuffle.signal.stft import StftStream

HOPS_OFFLINE = 4


class MaskCovariances:
    """Covariances of voice and noise of a whole recording, taken in block by block.

    Windows are of 64 ms, which in simulated rooms took out 1.5 dB more than 32 ms; the masks, of a network for 32 ms,
    are those of the frame with the same middle.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int
        Microphones.
    model : str, default ""
        Name or ONNX file of a network of frames; the default one without it.
    """

    def __init__(self, sample_rate: int, channels: int, *, model: str = "") -> None:
        self.grid = grid_for(sample_rate, HOPS_OFFLINE)
        self.channels = check_channels(channels)
        of_network = grid_for(sample_rate)
        self._masks = NetworkMasks(of_network, self.channels, model)
        self._short = StftStream(of_network, self.channels)
        self._stft = StftStream(self.grid, self.channels)
        self._latest = np.zeros((2, 1, of_network.bins))
        shape = self.grid.bins, self.channels, self.channels
        self._speech: ComplexArray = np.zeros(shape, np.complex128)
        self._noise: ComplexArray = np.zeros(shape, np.complex128)
        self._speech_frames: FloatArray = np.zeros(self.grid.bins)
        self._noise_frames: FloatArray = np.zeros(self.grid.bins)

    def process(self, block: FloatArray) -> None:
        """Take the next block [channels, n] in."""
        # Both complete frames with the same samples; the long ones have their middle one hop earlier.
        for spectra, short in zip(self._stft.analyze(block), self._short.analyze(block), strict=True):
            masks = np.concatenate((self._latest, np.stack(self._masks.masks(short))), axis=1)
            self._latest = masks[:, -1:]
            self.add(spectra, *_twice_as_fine(masks[:, :-1]))

    def add(self, spectra: ComplexArray, voice: FloatArray, noise: FloatArray) -> None:
        """Take frames [frames, channels, bins] in, with the weights of voice and noise [frames, bins]."""
        self._speech += weighted_covariance(spectra, voice)
        self._noise += weighted_covariance(spectra, noise)
        self._speech_frames += voice.sum(axis=0)
        self._noise_frames += noise.sum(axis=0)

    @property
    def speech(self) -> ComplexArray:
        """Covariance of the voice, complex128 [bins, microphones, microphones]."""
        return self._speech / np.maximum(self._speech_frames, 1e-6)[:, None, None]

    @property
    def noise(self) -> ComplexArray:
        """Covariance of all else, complex128 [bins, microphones, microphones]."""
        return self._noise / np.maximum(self._noise_frames, 1e-6)[:, None, None]

    def weights(self, solver: Solver | None = None, reference: int = -1) -> ComplexArray:
        """Return the best constant weights for the recording, complex128 [bins, microphones]."""
        check_reference(reference, self.channels)
        chosen = int(microphone_snrs(self.speech, self.noise).argmax()) if reference < 0 else reference
        return (solver or Solver()).weights(self.speech, self.noise, chosen)


def _twice_as_fine(masks: FloatArray) -> FloatArray:
    """Return masks [..., bins] of half the bin width, [..., 2 bins - 1]; those between are means."""
    fine = np.empty((*masks.shape[:-1], 2 * masks.shape[-1] - 1))
    fine[..., ::2] = masks
    fine[..., 1::2] = 0.5 * (masks[..., 1:] + masks[..., :-1])
    return fine
