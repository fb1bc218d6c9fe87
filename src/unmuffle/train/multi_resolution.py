"""Distance of two waveforms in short-time spectra of several resolutions at once.

R. Yamamoto, E. Song and J.-M. Kim, "Parallel WaveGAN: a fast waveform generation model based on generative adversarial
networks with multi-resolution spectrogram", ICASSP 2020, eq. 4 to 6: spectral convergence and the mean distance of log
magnitudes, averaged over windows of several lengths.
"""

from __future__ import annotations

import torch
from torch import Tensor

WINDOWS_S = (0.016, 0.032, 0.064)
HOPS_A_WINDOW = 4
FLOOR = 1e-3
"""Magnitudes below this, of waveforms of level 1, are all alike: they are not heard, and their logarithms run away."""
QUIETEST = 1e-7
"""Of the power of a whole target: below it there is none whose share could be taken."""


def multi_resolution_distance(estimate: Tensor, target: Tensor, sample_rate: int) -> Tensor:
    """Return the distance, averaged over clips and resolutions, a scalar.

    Parameters
    ----------
    estimate, target : Tensor [clips, samples]
        Of a level about 1.
    sample_rate : int
        In Hz; windows are of 16, 32 and 64 ms.
    """
    distances = []
    for window_s in WINDOWS_S:
        size = round(window_s * sample_rate)
        own, wanted = (_magnitudes(waveform, size) for waveform in (estimate, target))
        convergence = (own - wanted).square().sum((1, 2)) / wanted.square().sum((1, 2)).clamp(min=QUIETEST)
        # A silent target has no share to converge to; the logarithms still say what is too much.
        convergence = torch.where(wanted.square().sum((1, 2)) > QUIETEST, (convergence + 1e-12).sqrt(), 0.0)
        logarithms = (own.clamp(min=FLOOR).log() - wanted.clamp(min=FLOOR).log()).abs().mean((1, 2))
        distances.append((convergence + logarithms).mean())
    return torch.stack(distances).mean()


def _magnitudes(waveform: Tensor, size: int) -> Tensor:
    """Magnitudes [clips, bins, frames] by Hann windows, 1 for a sine of amplitude 2."""
    window = torch.hann_window(size, device=waveform.device, dtype=waveform.dtype)
    spectrum = torch.stft(waveform, size, size // HOPS_A_WINDOW, window=window, return_complex=True) / window.sum()
    return (spectrum.real.square() + spectrum.imag.square() + 1e-12).sqrt()
