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
from unmuffle.signal.arrays import BoolArray, ComplexArray

FRAMES_BETWEEN_WEIGHTS = 4
UNKNOWN_NOISE = 16.0
"""Noise of microphones that come back, against that of the others, until it is learnt: with less, weights lean on them
before it is known how their noise goes with that of the others, and take up to 2 dB off the voice."""
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
        self._used: BoolArray = np.ones(self.channels, np.bool_)
        self._start_weights()

    @property
    def reference(self) -> int:
        """Microphone whose voice is kept now."""
        return self._reference

    def use(self, used: BoolArray) -> None:
        """Use only some microphones from the next frame on, bool [channels], at least one."""
        if np.array_equal(used, self._used):
            return
        back = np.flatnonzero(used & ~self._used)
        level = np.einsum("kmm->km", self._noise.value).real[:, self._used].mean(axis=1)
        # What was heard while they were out was not what they hear: they begin with no voice and noise of their own.
        for known in (self._speech.value, self._noise.value):
            known[:, back, :] = 0.0
            known[:, :, back] = 0.0
        self._noise.value[:, back, back] = UNKNOWN_NOISE * level[:, None]
        self._used = used.copy()
        self._solve()

    def _start_weights(self) -> None:
        self._frames = 0
        self._reference = max(self._given_reference, 0)
        self._weights: ComplexArray = np.zeros((self.grid.bins, self.channels), np.complex128)
        self._weights[:, self._reference] = 1.0

    def _start_over(self) -> None:
        self._masks.reset()
        self._speech.reset()
        self._noise.reset()
        self._used = np.ones(self.channels, np.bool_)
        self._start_weights()

    def _combine(self, spectra: ComplexArray) -> ComplexArray:
        out = np.empty((len(spectra), self.grid.bins), np.complex128)
        voice, noise = self._masks.masks(spectra, None if self._used.all() else self._used)
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
        self._choose_reference()
        if self._used.all():
            self._weights = self._solver.weights(self._speech.value, self._noise.value, self._reference)
            return
        places = np.flatnonzero(self._used)
        speech, noise = (known.value[:, places[:, None], places] for known in (self._speech, self._noise))
        weights: ComplexArray = np.zeros_like(self._weights)
        weights[:, places] = self._solver.weights(speech, noise, int(np.searchsorted(places, self._reference)))
        self._weights = weights

    def _choose_reference(self) -> None:
        if self._given_reference >= 0 and self._used[self._given_reference]:
            self._reference = self._given_reference
            return
        snrs = np.where(self._used, microphone_snrs(self._speech.value, self._noise.value), -1.0)
        best = int(snrs.argmax())
        if snrs[best] > 10.0 ** (CHANGE_REFERENCE_DB / 10.0) * snrs[self._reference]:
            self._reference = best
