"""Gain functions: pure, one paper each."""

from unmuffle.denoise.gains.log_mmse import log_mmse_gain
from unmuffle.denoise.gains.mmse_stsa import mmse_stsa_gain
from unmuffle.denoise.gains.subtraction import (
    magnitude_subtraction_gain,
    oversubtraction_factor,
    power_subtraction_gain,
)
from unmuffle.denoise.gains.wiener import wiener_gain

__all__ = [
    "log_mmse_gain",
    "magnitude_subtraction_gain",
    "mmse_stsa_gain",
    "oversubtraction_factor",
    "power_subtraction_gain",
    "wiener_gain",
]
