"""The Wiener gain.

J. S. Lim and A. V. Oppenheim, "Enhancement and bandwidth compression of noisy speech", Proc. IEEE 67(12), 1979,
written with the a priori SNR (P. Scalart and J. V. Filho, ICASSP 1996).
"""

from __future__ import annotations

from unmuffle.signal.arrays import FloatArray


def wiener_gain(a_priori_snr: FloatArray) -> FloatArray:
    """Return xi / (1 + xi) for a priori SNRs xi >= 0, power ratios of any shape."""
    return a_priori_snr / (1.0 + a_priori_snr)
