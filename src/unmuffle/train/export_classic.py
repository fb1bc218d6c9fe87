"""Export of the two classic networks, each in the form that its variants allow.

- A causal ``MaskBlstm`` takes frames of the house grid, as the flagship does, and streams with 32 ms.
- A causal ``ConvTasNet`` takes hops of a waveform and states, and streams with the length of its filters.
- What looks at a whole clip takes a waveform and gives one, and is run in chunks of about the length it was trained on.

The heads of a mask estimator are made of its mask: the share of the power that passes is the presence of speech, and
its ratio to what does not pass the local SNR.
"""

from __future__ import annotations

from math import log
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from unmuffle._version import __version__
from unmuffle.signal.grid import grid_for
from unmuffle.signal.stft import sqrt_hann
from unmuffle.train.export_tracing import IR_VERSION, frames_metadata, save, traced
from unmuffle.train.losses import LOCAL_SNR_DB
from unmuffle.train.networks import ConvTasNet, MaskBlstm, Network
from unmuffle.train.networks.bands import GRID_BINS
from unmuffle.train.networks.mask_blstm import BINS, spread

STREAM_FORMAT = "unmuffle-stream-1"
WIDE_RATE_HZ = 16_000
OVERLAP = 0.25
TRACED_FRAMES, TRACED_STREAMS = 5, 3
SILENT_KEPT, SILENT_LEFT = 1e-12, 1e-9
DB_PER_NEPER = 10 / log(10)


class _MaskFrames(nn.Module):
    """A mask for all bins of the grid, and heads made of it."""

    def __init__(self, network: MaskBlstm) -> None:
        super().__init__()
        self.network = network

    def forward(self, spectra: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        masks, after = self.network(spectra[:, :, :BINS], states)
        masks = spread(masks, GRID_BINS)
        power = spectra.square().sum(-1)
        kept, total = (masks.square() * power).sum(-1), power.sum(-1)
        log_ratio = torch.log(kept + SILENT_KEPT) - torch.log((total - kept).clamp(min=0) + SILENT_LEFT)
        low_db, high_db = LOCAL_SNR_DB
        local_snr = ((DB_PER_NEPER * log_ratio - low_db) / (high_db - low_db)).clamp(0, 1)
        gains = torch.stack([masks, torch.zeros_like(masks)], -1)
        return gains, torch.stack([log_ratio, local_snr], -1), *after


class _MaskWaveform(nn.Module):
    """Analysis, mask and synthesis of waveforms, with Fourier transforms as products of matrices."""

    analysis: Tensor
    synthesis: Tensor

    def __init__(self, network: MaskBlstm) -> None:
        super().__init__()
        self.network = network
        grid = grid_for(WIDE_RATE_HZ)
        self.hop = grid.hop
        window = torch.from_numpy(sqrt_hann(grid.window)).double()
        spectra = torch.view_as_real(torch.fft.rfft(torch.diag(window / grid.hop)))
        one_bin = torch.view_as_complex(torch.eye(2 * BINS, dtype=torch.float64).reshape(-1, BINS, 2))
        pieces = torch.fft.irfft(one_bin, grid.window) * (window * grid.hop)
        self.register_buffer("analysis", spectra.flatten(1).float())
        self.register_buffer("synthesis", pieces.float())

    def forward(self, audio: Tensor) -> Tensor:
        clips, samples = audio.shape
        hops = (samples + self.hop - 1) // self.hop + 2
        padded = pad(audio, (self.hop, 2 * self.hop))[:, : hops * self.hop].reshape(clips, hops, self.hop)
        frames = torch.cat([padded[:, :-1], padded[:, 1:]], -1) @ self.analysis
        spectra = frames.reshape(clips, hops - 1, BINS, 2).transpose(0, 1)
        masks, _ = self.network(spectra, self.network.start(clips))
        masked = (spectra * masks.unsqueeze(-1)).transpose(0, 1).flatten(2)
        early, late = (masked @ self.synthesis).split(self.hop, -1)
        return (early[:, 1:] + late[:, :-1]).flatten(1)[:, :samples]


class _WholeClip(nn.Module):
    """A network of waveforms as it is trained."""

    def __init__(self, network: ConvTasNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, audio: Tensor) -> Tensor:
        return self.network.enhance(audio, WIDE_RATE_HZ).waveform


class _FlatStates(nn.Module):
    """States as separate inputs and outputs."""

    def __init__(self, network: ConvTasNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, audio: Tensor, *states: Tensor) -> tuple[Tensor, ...]:
        enhanced, after = self.network(audio, states)
        return enhanced, *after


def export_mask_frames(network: MaskBlstm, path: Path, metadata: dict[str, Any]) -> None:
    """Write a causal mask estimator as ONNX that takes frames."""
    streams, frames = torch.export.Dim("streams", min=1, max=4096), torch.export.Dim("frames", min=2, max=65536)
    states = network.start(TRACED_STREAMS)
    model = traced(
        _MaskFrames(network),
        (torch.zeros(TRACED_FRAMES, TRACED_STREAMS, GRID_BINS, 2), *states),
        ({0: frames, 1: streams}, *({0: streams} for _ in states)),
        ["spectra", *(f"state_{n}" for n in range(len(states)))],
        ["gains", "heads", *(f"next_{n}" for n in range(len(states)))],
    )
    _save(model, network, path, frames_metadata() | metadata)


def export_hops(network: ConvTasNet, path: Path, metadata: dict[str, Any]) -> None:
    """Write a causal Conv-TasNet as ONNX that takes hops and states."""
    streams, hops = torch.export.Dim("streams", min=1, max=4096), torch.export.Dim("hops", min=2, max=65536)
    states = network.start(TRACED_STREAMS)
    model = traced(
        _FlatStates(network),
        (torch.zeros(TRACED_STREAMS, TRACED_FRAMES * network.stride), *states),
        ({0: streams, 1: network.stride * hops}, *({0: streams} for _ in states)),
        ["audio", *(f"state_{n}" for n in range(len(states)))],
        ["enhanced", *(f"next_{n}" for n in range(len(states)))],
    )
    told = {"format": STREAM_FORMAT, "hop": network.stride, "delay": network.stride}
    _save(model, network, path, told | metadata)


def export_clips(network: MaskBlstm | ConvTasNet, path: Path, metadata: dict[str, Any]) -> None:
    """Write a network that looks at whole clips as ONNX that takes waveforms of any length."""
    module = _MaskWaveform(network) if isinstance(network, MaskBlstm) else _WholeClip(network)
    streams, samples = torch.export.Dim("streams", min=1, max=4096), torch.export.Dim("samples", min=2, max=2**24)
    dynamic = {0: streams, 1: samples}
    model = traced(module, (0.1 * torch.randn(TRACED_STREAMS, 4_000),), (dynamic,), ["audio"], ["enhanced"])
    _save(model, network, path, {"overlap": OVERLAP} | metadata)


def export_classic(network: MaskBlstm | ConvTasNet, path: Path, metadata: dict[str, Any]) -> None:
    """Write a classic network in the form that its variant allows."""
    if not network.causal:
        export_clips(network, path, metadata)
    elif isinstance(network, MaskBlstm):
        export_mask_frames(network, path, metadata)
    else:
        export_hops(network, path, metadata)


def _save(model: Any, network: Network, path: Path, metadata: dict[str, Any]) -> None:
    model.ir_version = IR_VERSION
    model.producer_name = "unmuffle"
    parameters = sum(weight.numel() for weight in network.parameters())
    save(model, path, {"version": __version__, "parameters": parameters} | metadata)
