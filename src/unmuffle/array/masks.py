"""Which bins hold voice: the network's gains of each microphone, and their median over the microphones.

J. Heymann, L. Drude and R. Haeb-Umbach, "Neural network based spectral mask estimation for acoustic beamforming",
ICASSP 2016: with a mask that knows nothing of space, neither geometry nor direction is needed, and the median over the
microphones takes away what goes wrong on one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from unmuffle.errors import ModelError
from unmuffle.signal.arrays import BoolArray, ComplexArray, FloatArray
from unmuffle.signal.grid import Grid

if TYPE_CHECKING:
    from unmuffle.denoise.suppressors.network import NetworkSuppressor


class NetworkMasks:
    """Masks of a stream by the package's own network, or another of frames.

    Parameters
    ----------
    grid : Grid
        With two hops in a window.
    channels : int
        Microphones.
    model : str, default ""
        Name or ONNX file of a network of frames; the default one without it.

    Raises
    ------
    ModelError
        If there is no model, or this one cannot be loaded or takes waveforms.
    InvalidParameterError
        If there is none of the name.
    """

    def __init__(self, grid: Grid, channels: int, model: str = "") -> None:
        self._network = _network(model)
        self._network.start(grid, channels)

    def masks(self, spectra: ComplexArray, used: BoolArray | None = None) -> tuple[FloatArray, FloatArray]:
        """Return by how much each bin of the next frames counts as voice and as noise, float64 [frames, bins] each.

        With a gain g these are g^2 and (1 - g)^2, 0 to 1: what is neither counts little, which on simulated rooms gave
        1 dB more than shares that add up to 1.

        Parameters
        ----------
        spectra : complex64 [frames, channels, bins]
        used : bool [channels], optional
            Microphones of which the median is taken; without, of all.
        """
        gains = self._network.gains(spectra)
        gain = np.median(np.abs(gains if used is None else gains[:, used]), axis=1).astype(np.float64)
        np.minimum(gain, 1.0, out=gain)
        return gain**2, (1.0 - gain) ** 2

    @property
    def presence(self) -> FloatArray:
        """Probability of speech in the frames of the last call, median over the microphones, float64 [frames]."""
        return np.median(self._network.presence, axis=1).astype(np.float64)

    def reset(self) -> None:
        """Forget the past."""
        self._network.reset()


def _network(model: str) -> NetworkSuppressor:
    from unmuffle.denoise.networks import frames_network
    from unmuffle.models import default_model, find_model

    found = find_model(model) if model else default_model()
    if found is None:
        raise ModelError("no model came with this installation: give model=, the path of an ONNX file")
    return frames_network(found)
