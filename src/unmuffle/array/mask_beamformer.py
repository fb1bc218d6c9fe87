"""Beamformers that need neither geometry nor direction: a network's mask tells voice from noise.

J. Heymann, L. Drude and R. Haeb-Umbach, "Neural network based spectral mask estimation for acoustic beamforming",
ICASSP 2016, and for streams T. Higuchi, N. Ito, S. Araki, T. Yoshioka, M. Delcroix and T. Nakatani, "Online MVDR
beamformer based on complex Gaussian mixture model with spatial prior for noise robust ASR", IEEE/ACM Trans. ASLP 25(4),
2017, whose recursive covariances are taken, not its mixture model. The reference microphone is that of the best
estimated SNR (H. Erdogan, J. R. Hershey, S. Watanabe, M. I. Mandel and J. Le Roux, "Improved MVDR beamforming using
single-channel mask prediction networks", Interspeech 2016).
"""

from __future__ import annotations

import numpy as np

from unmuffle.array.beamformer import Beamformer, apply_weights
from unmuffle.array.covariance import (
    RecursiveCovariance,
    mean_power,
    outer_products,
)
from unmuffle.array.mask_solver import LEAST_SPEECH_POWER, LOADING_DB, Solver, check_reference, microphone_snrs
from unmuffle.array.masks import NetworkMasks
from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite
from unmuffle.signal.arrays import ComplexArray

FRAMES_BETWEEN_WEIGHTS = 4
CHANGE_REFERENCE_DB = 3.0
"""By how much another microphone must be better before a stream changes to it."""


class MaskBeamformer(Beamformer):
    """Follows voice and noise through a stream and keeps what is spatially the voice.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int
        Microphones, at least 2.
    method : {"mvdr", "gev", "mwf"}, default "mvdr"
        MVDR keeps the voice as it is, GEV and MWF take out more noise and change its timbre.
    reference : int, default -1
        Microphone whose voice is kept; -1 for that of the best estimated SNR.
    memory_s : float, default 2
        Time constant in seconds, 0.1 to 60, of frames that are all voice or all noise.
    loading_db : float, default -60
        See ``diagonal_loaded``.
    trade_off : float, default 1
        0 to 100, for MWF: how much noise counts against what the voice loses.
    model : str, default ""
        Name or ONNX file of a network of frames; the default one without it.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If a parameter is not as above.
    ModelError
        If there is no model, or it cannot be loaded or takes waveforms.
    """

    def __init__(
        self,
        sample_rate: int,
        channels: int,
        *,
        method: str = "mvdr",
        reference: int = -1,
        memory_s: float = 2.0,
        loading_db: float = LOADING_DB,
        trade_off: float = 1.0,
        model: str = "",
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, nonfinite=nonfinite)
        if not 0.1 <= memory_s <= 60.0:
            raise InvalidParameterError(f"memory_s is {memory_s!r}; it must be 0.1 to 60 s, for instance 2")
        self._solver = Solver(method, loading_db, trade_off)
        self._given_reference = check_reference(reference, self.channels)
        self._masks = NetworkMasks(self.grid, self.channels, model)
        pole = self.grid.smoothing(memory_s)
        self._speech = RecursiveCovariance(self.grid.bins, self.channels, pole)
        self._noise = RecursiveCovariance(self.grid.bins, self.channels, pole)
        self._start_weights()

    @property
    def reference(self) -> int:
        """Microphone whose voice is kept now."""
        return self._reference

    def _start_weights(self) -> None:
        self._frames = 0
        self._reference = max(self._given_reference, 0)
        self._weights: ComplexArray = np.zeros((self.grid.bins, self.channels), np.complex128)
        self._weights[:, self._reference] = 1.0

    def _start_over(self) -> None:
        self._masks.reset()
        self._speech.reset()
        self._noise.reset()
        self._start_weights()

    def _combine(self, spectra: ComplexArray) -> ComplexArray:
        out = np.empty((len(spectra), self.grid.bins), np.complex128)
        voice, noise = self._masks.masks(spectra)
        for frame, products in enumerate(outer_products(spectra)):
            sounding = mean_power(products) > LEAST_SPEECH_POWER
            self._speech.update(products, voice[frame] * sounding)
            self._noise.update(products, noise[frame] * sounding)
            if self._frames % FRAMES_BETWEEN_WEIGHTS == 0:
                self._solve()
            self._frames += 1
            out[frame] = apply_weights(self._weights, spectra[frame])
        return out

    def _solve(self) -> None:
        if self._given_reference < 0:
            snrs = microphone_snrs(self._speech.value, self._noise.value)
            best = int(snrs.argmax())
            if snrs[best] > 10.0 ** (CHANGE_REFERENCE_DB / 10.0) * snrs[self._reference]:
                self._reference = best
        self._weights = self._solver.weights(self._speech.value, self._noise.value, self._reference)
