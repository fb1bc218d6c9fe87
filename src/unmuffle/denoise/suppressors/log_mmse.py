"""Log-spectral amplitude estimation (log-MMSE, LSA): Ephraim and Malah 1985; see ``gains/log_mmse.py``."""

from __future__ import annotations

from unmuffle.denoise.gains import log_mmse_gain
from unmuffle.denoise.suppressors.a_priori import AprioriSuppressor
from unmuffle.signal.arrays import FloatArray


class LogMmse(AprioriSuppressor):
    """Minimises the error of the logarithm of the amplitude, which is close to what is heard."""

    def _gain_of(self, a_priori_snr: FloatArray, a_posteriori_snr: FloatArray) -> FloatArray:
        return log_mmse_gain(a_priori_snr, a_posteriori_snr)
