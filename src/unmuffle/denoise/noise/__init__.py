"""Noise estimators: what the noise power spectral density is now."""

from unmuffle.denoise.noise.base import NoiseEstimator
from unmuffle.denoise.noise.imcra import Imcra
from unmuffle.denoise.noise.minimum_statistics import MinimumStatistics
from unmuffle.denoise.noise.mmse_spp import SppMmse
from unmuffle.denoise.noise.profile import NoiseProfile

__all__ = ["Imcra", "MinimumStatistics", "NoiseEstimator", "NoiseProfile", "SppMmse"]
