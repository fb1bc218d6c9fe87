"""What the trainer asks of a network: a noisy waveform in, an ``Estimate`` out."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from unmuffle.signal.grid import Grid
from unmuffle.signal.stft import sqrt_hann


@dataclass(frozen=True)
class Estimate:
    """What a network makes of a batch.

    Attributes
    ----------
    waveform : Tensor [clips, samples]
        The enhanced speech, aligned with the input.
    spectrum : Tensor or None
        Complex [frames, clips, bins] before synthesis, where the network works on the house grid.
    presence, local_snr : Tensor or None
        Per frame [frames, clips]: logit of the speech presence, and the local SNR on the scale of
        ``losses.LOCAL_SNR_DB`` from 0 to 1.
    mask : Tensor or None
        Real mask [frames, clips, bins] that is to be like the ideal mask ``mask_kind`` of ``train.masks``.
    """

    waveform: Tensor
    spectrum: Tensor | None = None
    presence: Tensor | None = None
    local_snr: Tensor | None = None
    mask: Tensor | None = None
    mask_kind: str = ""


class Network(nn.Module):
    """Base of all networks."""

    causal = True

    def enhance(self, noisy: Tensor, sample_rate: int) -> Estimate:
        """Enhance waveforms [clips, samples] at any rate the network works at."""
        raise NotImplementedError


def analyse(waveform: Tensor, grid: Grid) -> Tensor:
    """House STFT of [clips, samples], complex [frames, clips, bins], divided by the hop.

    So divided, a full-scale sine stands near 0.64 at every rate. Frame k covers the samples from (k - 1) hop to
    (k + 1) hop, as in ``signal.stft``; the clip is followed by enough silence to complete its last sample.
    """
    hop = grid.hop
    frames = -(-waveform.shape[-1] // hop) + 1
    padded = nn.functional.pad(waveform, (hop, frames * hop - waveform.shape[-1]))
    window = torch.from_numpy(sqrt_hann(grid.window)).to(waveform)
    return torch.fft.rfft(padded.unfold(-1, grid.window, hop).transpose(0, 1) * (window / hop))


def synthesise(spectrum: Tensor, grid: Grid, samples: int) -> Tensor:
    """Inverse of ``analyse``: waveforms [clips, samples] from [frames, clips, bins]."""
    hop = grid.hop
    window = torch.from_numpy(sqrt_hann(grid.window)).to(spectrum.device)
    pieces = (torch.fft.irfft(spectrum, grid.window) * (window * hop)).transpose(0, 1)
    clips, frames, _ = pieces.shape
    # The later half of each frame meets the earlier half of the next.
    whole = pieces[:, :-1, hop:] + pieces[:, 1:, :hop]
    return whole.reshape(clips, (frames - 1) * hop)[:, :samples]
