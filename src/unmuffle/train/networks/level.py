"""What the spectral networks see: spectra compressed to the power 1/3, with their running level taken off.

The level is the mean compressed energy, averaged with a memory of two seconds and without bias at the start: the first
frame stands for itself. Frames near digital silence do not count, so that a voice after a pause meets the level it had.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from unmuffle.train.networks.recurrence import linear_recurrence

MEMORY_FRAMES = 125.0
FORGET = 1 - 1 / MEMORY_FRAMES
SILENCE = 1e-3
"""Compressed energy of about -90 dBFS."""
TINY = 1e-12


class Levelled(NamedTuple):
    """Compressed spectra, the level by whose square root they are to be divided, and its state."""

    compressed: Tensor
    level: Tensor
    state: Tensor


def compress_and_level(spectra: Tensor, state: Tensor) -> Levelled:
    """Compress spectra and tell their running level.

    Parameters
    ----------
    spectra : Tensor [frames, clips, 2, bins]
        Real and imaginary parts, divided by the hop.
    state : Tensor [clips, 2]
        Running sums of energy and of weight; 0 at the start.

    Returns
    -------
    Levelled
        ``compressed`` as ``spectra``, ``level`` [frames, clips, 1], and the state after.
    """
    power = spectra.square().sum(2, keepdim=True) + TINY
    factor = torch.exp(torch.log(power) * (-1 / 3))
    energy = (power * factor.square()).mean((2, 3))
    counts = energy / (energy + SILENCE)
    drive = torch.stack([energy * counts, counts], -1)
    if drive.shape[0] == 1:
        sums = drive + FORGET * state
    else:
        sums = linear_recurrence(torch.full_like(drive, FORGET), drive, state)
    level = (sums[..., :1] + SILENCE**2) / (sums[..., 1:] + SILENCE)
    return Levelled(spectra * factor, level, sums[-1])
