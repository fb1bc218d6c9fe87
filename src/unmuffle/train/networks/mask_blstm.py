"""A mask estimated by recurrent layers from magnitudes: the classic before convolutions took over.

Two bidirectional LSTM layers look at the whole clip and give a mask between 0 and 1 for each bin (F. Weninger et al.,
"Speech enhancement with LSTM recurrent neural networks and its application to noise-robust ASR", LVA/ICA 2015), learned
towards one of the ideal masks of ``train.masks``. The causal variant has one direction, and then it streams.

The network sees 0 to 8 kHz. Bins above take the mean of the mask from 6 to 7.5 kHz: one bin alone would
flutter, and what was recorded at 16 kHz has nothing in the last few.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from unmuffle.errors import InvalidParameterError
from unmuffle.signal.grid import grid_for
from unmuffle.train.masks import IDEAL_MASKS
from unmuffle.train.networks.bands import CORE_BINS
from unmuffle.train.networks.contract import Estimate, Network, analyse, synthesise
from unmuffle.train.networks.level import compress_and_level
from unmuffle.train.networks.lstm import Lstm

BINS = CORE_BINS + 1
HOLD_BINS = slice(192, 240)
States = tuple[Tensor, Tensor, Tensor]


class MaskBlstm(Network):
    """Mask estimator for speech up to 8 kHz, at any rate.

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
        self.recurrence = Lstm(BINS, units, layers, bidirectional=not causal)
        self.mask = nn.Linear(units if causal else 2 * units, BINS)

    def start(self, clips: int) -> States:
        """States before the first frame: level [clips, 2], and those of ``Lstm``."""
        return (self.norm.weight.new_zeros(clips, 2), *self.recurrence.start(clips))

    def enhance(self, noisy: Tensor, sample_rate: int) -> Estimate:
        """Enhance waveforms [clips, samples] at any rate."""
        grid = grid_for(sample_rate)
        spectrum = analyse(noisy, grid)
        # Bins that a rate does not have are empty, those that the network does not know are left out.
        known = pad(torch.view_as_real(spectrum), (0, 0, 0, BINS - grid.bins))
        masks, _ = self(known, self.start(len(noisy)))
        masks = spread(masks, grid.bins)
        enhanced = spectrum * masks
        return Estimate(synthesise(enhanced, grid, noisy.shape[-1]), enhanced, mask=masks, mask_kind=self.target)

    def forward(self, spectra: Tensor, states: States) -> tuple[Tensor, States]:
        """Masks [frames, clips, BINS] of spectra [frames, clips, BINS, 2] divided by the hop, and the states after."""
        frames = spectra.shape[0]
        level, *inner = states
        levelled = compress_and_level(spectra.transpose(2, 3), level)
        magnitudes = ((levelled.compressed.square().sum(2) + 1e-6) / levelled.level).sqrt()
        normed = self.norm(magnitudes.reshape(-1, BINS)).reshape(frames, -1, BINS)
        with torch.autocast(normed.device.type, enabled=False):
            found, after = self.recurrence.run(normed.float(), (inner[0], inner[1]))
        return torch.sigmoid(self.mask(found).float()), (levelled.state, *after)


def spread(masks: Tensor, bins: int) -> Tensor:
    """Masks for so many bins of masks [..., BINS]."""
    above = masks[..., HOLD_BINS].mean(-1, keepdim=True)
    return torch.cat([masks[..., :bins], above.expand(*above.shape[:-1], max(0, bins - BINS))], -1)
