"""Ideal masks: what a mask estimator learns towards.

- ``irm``, ideal ratio mask: sqrt(S^2 / (S^2 + N^2)) (D. Wang and J. Chen, "Supervised speech separation based on deep
  learning: an overview", IEEE/ACM Trans. ASLP 26(10), 2018, eq. 2);
- ``ibm``, ideal binary mask: 1 where speech is above noise (same, eq. 1, local criterion 0 dB);
- ``psm``, phase-sensitive mask: S / Y cos(angle between), cut to 0 to 1 (H. Erdogan et al., ICASSP 2015, eq. 5).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

TINY = 1e-12


def _power(spectrum: Tensor) -> Tensor:
    return spectrum.real.square() + spectrum.imag.square()


def ideal_ratio_mask(target: Tensor, noisy: Tensor) -> Tensor:
    """Return the ideal ratio mask of complex spectra of one shape, 0 to 1."""
    speech = _power(target)
    return torch.sqrt(speech / (speech + _power(noisy - target) + TINY))


def ideal_binary_mask(target: Tensor, noisy: Tensor) -> Tensor:
    """Return the ideal binary mask of complex spectra of one shape, 0 or 1."""
    return (_power(target) > _power(noisy - target)).to(target.real.dtype)


def phase_sensitive_mask(target: Tensor, noisy: Tensor) -> Tensor:
    """Return the phase-sensitive mask of complex spectra of one shape, 0 to 1."""
    return ((target * noisy.conj()).real / (_power(noisy) + TINY)).clamp(0, 1)


IDEAL_MASKS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "irm": ideal_ratio_mask,
    "ibm": ideal_binary_mask,
    "psm": phase_sensitive_mask,
}
