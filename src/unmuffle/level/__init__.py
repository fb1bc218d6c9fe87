"""Loudness."""

from unmuffle.level.k_weighting import k_weighting
from unmuffle.level.loudness import LoudnessMeter, integrated_loudness
from unmuffle.level.meter import LOUDEST, Meter

__all__ = ["LOUDEST", "LoudnessMeter", "Meter", "integrated_loudness", "k_weighting"]
