"""What all spectral methods share: a suppressor gives the gains of the bins."""

from __future__ import annotations

from unmuffle.denoise.noise.base import QUIETEST_PSD
from unmuffle.denoise.suppressors import Suppressor
from unmuffle.process.processor import NonFinite
from unmuffle.process.stft_processor import StftProcessor
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray


class SpectralProcessor(StftProcessor):
    """Runs a suppressor over the short-time spectrum of a stream.

    Parameters
    ----------
    suppressor : Suppressor
        Owned by the processor from now on.
    sample_rate : int
        In Hz, 8,000 to 192,000.
    channels : int, default 1
        Rows of every block.
    link_channels : bool, default False
        Give all channels the same gains, the mean of their own weighted by their power, so that a voice keeps its place
        between the loudspeakers. The channels then are one recording: none of them can be reset alone.
    nonfinite : {"raise", "silence"}, default "raise"
        See ``Processor``.
    """

    def __init__(
        self,
        suppressor: Suppressor,
        sample_rate: int,
        channels: int = 1,
        *,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> None:
        super().__init__(sample_rate, channels, frames_at_once=suppressor.frames_at_once, nonfinite=nonfinite)
        self.suppressor = suppressor
        self.link_channels = link_channels and self.channels > 1
        suppressor.start(self.grid, self.channels)

    @property
    def linked(self) -> bool:
        """Whether the channels share their gains."""
        return self.link_channels

    @property
    def latest_speech(self) -> tuple[FloatArray, FloatArray] | None:
        """What a network tells of its latest frame, see ``NetworkSuppressor.latest``; None for other suppressors."""
        from unmuffle.denoise.suppressors.network import NetworkSuppressor

        return self.suppressor.latest if isinstance(self.suppressor, NetworkSuppressor) else None

    def _change(self, spectra: ComplexArray) -> ComplexArray:
        gains = self.suppressor.gains(spectra)
        spectra *= linked_gains(gains, spectra) if self.link_channels else gains
        return spectra

    def _forget(self, mask: BoolArray | None) -> None:
        self.suppressor.reset(mask)


def linked_gains(gains: FloatArray | ComplexArray, spectra: ComplexArray) -> FloatArray | ComplexArray:
    """Mean of the channels' gains weighted by their power, [frames, 1, bins]."""
    powers = spectra.real**2 + spectra.imag**2 + QUIETEST_PSD
    return (gains * powers).sum(axis=1, keepdims=True) / powers.sum(axis=1, keepdims=True)
