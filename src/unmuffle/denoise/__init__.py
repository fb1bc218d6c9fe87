"""Noise estimators, suppressors and the spectral processor that runs them."""

from unmuffle.denoise.methods import AUTO, METHODS, Method, find_method
from unmuffle.denoise.spectral import SpectralProcessor

__all__ = ["AUTO", "METHODS", "Method", "SpectralProcessor", "find_method"]
