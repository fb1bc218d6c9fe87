"""Suppressors: what gain each bin of each frame is given."""

from unmuffle.denoise.suppressors.base import NoiseSuppressor, Suppressor
from unmuffle.denoise.suppressors.log_mmse import LogMmse
from unmuffle.denoise.suppressors.mmse_stsa import MmseStsa
from unmuffle.denoise.suppressors.multiband_subtraction import MultibandSubtraction
from unmuffle.denoise.suppressors.om_lsa import OmLsa
from unmuffle.denoise.suppressors.oversubtraction import Oversubtraction
from unmuffle.denoise.suppressors.spectral_subtraction import SpectralSubtraction
from unmuffle.denoise.suppressors.wiener import WienerFilter

__all__ = [
    "LogMmse",
    "MmseStsa",
    "MultibandSubtraction",
    "NoiseSuppressor",
    "OmLsa",
    "Oversubtraction",
    "SpectralSubtraction",
    "Suppressor",
    "WienerFilter",
]
