"""Short-time spectral amplitude estimation (MMSE-STSA): Ephraim and Malah 1984; see ``gains/mmse_stsa.py``."""

from __future__ import annotations

from unmuffle.denoise.gains import mmse_stsa_gain
from unmuffle.denoise.suppressors.a_priori import AprioriSuppressor
from unmuffle.signal.arrays import FloatArray


class MmseStsa(AprioriSuppressor):
    """Minimises the error of the amplitude; leaves more noise than ``LogMmse``, and evens it."""

    def _gain_of(self, a_priori_snr: FloatArray, a_posteriori_snr: FloatArray) -> FloatArray:
        return mmse_stsa_gain(a_priori_snr, a_posteriori_snr)
