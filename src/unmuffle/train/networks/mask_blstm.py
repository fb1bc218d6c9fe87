"""A mask estimated by recurrent layers from magnitudes: the classic before convolutions took over.

Two bidirectional LSTM layers look at the whole clip and give a mask between 0 and 1 for each bin (F. Weninger et al.,
"Speech enhancement with LSTM recurrent neural networks and its application to noise-robust ASR", LVA/ICA 2015), learned
towards one of the ideal masks of ``train.masks``. The causal variant has one direction, and then it streams.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.grid import grid_for
from unmuffle.train.masks import IDEAL_MASKS
from unmuffle.train.networks.bands import CORE_BINS
from unmuffle.train.networks.contract import Estimate, Network, analyse, synthesise
from unmuffle.train.networks.level import compress_and_level

BINS = CORE_BINS + 1


class MaskBlstm(Network):
    """Mask estimator for 16 kHz.

    Parameters
    ----------
    target : str, default "psm"
        Ideal mask to learn: ``irm``, ``ibm`` or ``psm``.
    units : int, default 256
        Of each layer and direction.
    layers : int, default 2
        LSTM layers.
    causal : bool, default False
        One direction only.

    Raises
    ------
    InvalidParameterError
        If there is no such target.
    """

    def __init__(self, target: str = "psm", units: int = 256, layers: int = 2, *, causal: bool = False) -> None:
        super().__init__()
        if target not in IDEAL_MASKS:
            raise InvalidParameterError(f"target must be one of {', '.join(IDEAL_MASKS)}, not {target!r}")
        self.target, self.causal = target, causal
        self.norm = nn.BatchNorm1d(BINS)
        self.recurrence = nn.LSTM(BINS, units, layers, bidirectional=not causal)
        self.mask = nn.Linear(units if causal else 2 * units, BINS)

    def enhance(self, noisy: Tensor, sample_rate: int) -> Estimate:
        """Enhance waveforms [clips, samples] at 16 kHz."""
        grid = grid_for(sample_rate)
        if grid.bins != BINS:
            raise InvalidParameterError(f"this network works at 16000 Hz, not at {sample_rate} Hz")
        spectrum = analyse(noisy, grid)
        masks = self(torch.view_as_real(spectrum))
        enhanced = spectrum * masks
        return Estimate(synthesise(enhanced, grid, noisy.shape[-1]), enhanced, mask=masks, mask_kind=self.target)

    def forward(self, spectra: Tensor) -> Tensor:
        """Masks [frames, clips, BINS] of spectra [frames, clips, BINS, 2] divided by the hop."""
        frames, clips = spectra.shape[:2]
        parts = spectra.transpose(2, 3)
        levelled = compress_and_level(parts, parts.new_zeros(clips, 2))
        magnitudes = ((levelled.compressed.square().sum(2) + 1e-6) / levelled.level).sqrt()
        normed = self.norm(magnitudes.reshape(-1, BINS)).reshape(frames, clips, BINS)
        with torch.autocast(normed.device.type, enabled=False):
            states, _ = self.recurrence(normed.float())
        return torch.sigmoid(self.mask(states).float())
