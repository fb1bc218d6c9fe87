"""What all beamformers share: frames of many channels in, of one channel out."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from unmuffle.array.postfilter import PostFilter
from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite
from unmuffle.process.stft_processor import StftProcessor
from unmuffle.signal.arrays import BoolArray, ComplexArray
from unmuffle.signal.grid import grid_for


class Beamformer(StftProcessor):
    """Weighs the microphones frequency by frequency and adds them: a processor of many channels in and one out.

    All laws of a processor hold with ``channels_out`` rows of output. Channels are one recording: none can be reset
    alone.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int
        Microphones, at least 2.
    hops_a_window : int, default 2
        Hops of about 16 ms in a window; see ``grid_for``.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Attributes
    ----------
    post_filter : PostFilter or None
        Takes out what the beam has left.

    Raises
    ------
    InvalidParameterError
        If there is a single channel, or the rate is out of range.
    """

    def __init__(
        self, sample_rate: int, channels: int, *, hops_a_window: int = 2, nonfinite: NonFinite = "raise"
    ) -> None:
        super().__init__(sample_rate, channels, grid=grid_for(sample_rate, hops_a_window), nonfinite=nonfinite)
        self.post_filter: PostFilter | None = None
        if self.channels < 2:
            raise InvalidParameterError(
                "a beamformer needs at least 2 microphones: for a single channel use unmuffle.enhance, or "
                "'unmuffle enhance'"
            )

    @property
    def channels_out(self) -> int:
        """Rows of the output: 1."""
        return 1

    @property
    def linked(self) -> bool:
        """True: the microphones are one recording."""
        return True

    @abstractmethod
    def _combine(self, spectra: ComplexArray) -> ComplexArray:
        """Return the output [frames, bins] of frames [frames, microphones, bins]."""

    @abstractmethod
    def _start_over(self) -> None:
        """Forget all that was learnt."""

    def combine(self, spectra: ComplexArray) -> ComplexArray:
        """Return the output [frames, bins] of the next frames [frames, microphones, bins]."""
        if self.post_filter is None:
            return self._combine(spectra)
        gains = self.post_filter.gains(spectra)
        return gains * self._combine(spectra)

    def start_over(self) -> None:
        """Forget the frames that came in by ``combine``."""
        self._start_over()
        if self.post_filter is not None:
            self.post_filter.reset()

    def _change(self, spectra: ComplexArray) -> ComplexArray:
        return self.combine(spectra)[:, None, :].astype(np.complex64, copy=False)

    def _forget(self, mask: BoolArray | None) -> None:  # noqa: ARG002
        self.start_over()


class FixedBeamformer(Beamformer):
    """Applies weights that do not change.

    Parameters
    ----------
    sample_rate : int
        In Hz, 8,000 to 192,000.
    weights : complex [bins, microphones]
        The output is w^H x; of the bins of ``unmuffle.signal.grid.grid_for(sample_rate, hops_a_window)``.
    hops_a_window : int, default 2
        2 for windows of 32 ms; with 4, of 64 ms, more of a room's reverberation is within reach.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.

    Raises
    ------
    InvalidParameterError
        If the weights have another number of bins, are not finite, or the rate is out of range.
    """

    def __init__(
        self, sample_rate: int, weights: ComplexArray, *, hops_a_window: int = 2, nonfinite: NonFinite = "raise"
    ) -> None:
        given = np.asarray(weights)
        if given.ndim != 2 or not np.isfinite(given).all():
            raise InvalidParameterError(
                f"weights must be finite numbers [bins, microphones], not an array of shape {list(given.shape)}"
            )
        super().__init__(sample_rate, given.shape[1], hops_a_window=hops_a_window, nonfinite=nonfinite)
        if len(given) != self.grid.bins:
            raise InvalidParameterError(
                f"there are weights of {len(given)} bins; at {self.sample_rate} Hz there are {self.grid.bins}"
            )
        self.weights: ComplexArray = given.astype(np.complex64)
        self._rows = np.ascontiguousarray(self.weights.conj().T)

    def _combine(self, spectra: ComplexArray) -> ComplexArray:
        return np.einsum("fmk,mk->fk", spectra, self._rows)

    def _start_over(self) -> None:
        """There is nothing to forget."""


def apply_weights(weights: ComplexArray, spectra: ComplexArray) -> ComplexArray:
    """Return w^H x of frames [..., microphones, bins] by weights [bins, microphones]."""
    return np.einsum("...mk,km->...k", spectra, weights.conj())


def response(weights: ComplexArray, steering: ComplexArray) -> ComplexArray:
    """Return w^H d of each bin, for weights and steering vectors [bins, microphones]."""
    return np.einsum("km,km->k", weights.conj(), steering)
