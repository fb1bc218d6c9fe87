"""Loudness and level."""

from unmuffle.level.active_level import active_level_db
from unmuffle.level.k_weighting import k_weighting
from unmuffle.level.loudness import LoudnessMeter, integrated_loudness, loudness_range
from unmuffle.level.meter import LOUDEST, Meter
from unmuffle.level.true_peak import TruePeakMeter, true_peak_dbtp

__all__ = [
    "LOUDEST",
    "LoudnessMeter",
    "Meter",
    "TruePeakMeter",
    "active_level_db",
    "integrated_loudness",
    "k_weighting",
    "loudness_range",
    "true_peak_dbtp",
]
