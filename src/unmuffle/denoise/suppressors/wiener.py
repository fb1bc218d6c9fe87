"""Wiener filtering with the decision-directed a priori SNR: Scalart and Filho 1996; see ``gains/wiener.py``."""

from __future__ import annotations

from unmuffle.denoise.gains import wiener_gain
from unmuffle.denoise.suppressors.a_priori import AprioriSuppressor
from unmuffle.signal.arrays import FloatArray


class WienerFilter(AprioriSuppressor):
    """Minimises the error of the waveform; removes more of the weak parts of speech than ``LogMmse``."""

    def _gain_of(self, a_priori_snr: FloatArray, a_posteriori_snr: FloatArray) -> FloatArray:  # noqa: ARG002
        return wiener_gain(a_priori_snr)
