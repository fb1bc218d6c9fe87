"""Conv-TasNet: a learned filterbank, a temporal convolutional network that masks it, and a learned synthesis.

Y. Luo and N. Mesgarani, "Conv-TasNet: surpassing ideal time-frequency magnitude masking for speech separation",
IEEE/ACM Trans. ASLP 27(8), 2019; letters as in its table I. One source: the speech. Non-causal with global layer norm
(eq. 11), causal with cumulative layer norm (eq. 12 and 13).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from unmuffle.train.networks.contract import Estimate, Network

EPSILON = 1e-8


class GlobalLayerNorm(nn.Module):
    """Normalises over channels and time, per clip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise [clips, channels, time]."""
        mean = x.mean((1, 2), keepdim=True)
        variance = (x - mean).square().mean((1, 2), keepdim=True)
        return self.gain * (x - mean) / torch.sqrt(variance + EPSILON) + self.bias


class CumulativeLayerNorm(nn.Module):
    """Normalises over channels and the time up to now, per clip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(channels, 1))
        self.bias = nn.Parameter(torch.zeros(channels, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise [clips, channels, time]."""
        count = x.shape[1] * torch.arange(1, x.shape[2] + 1, device=x.device)
        mean = x.sum(1).cumsum(-1) / count
        variance = x.square().sum(1).cumsum(-1) / count - mean.square()
        scale = torch.rsqrt(variance.clamp(min=0) + EPSILON).unsqueeze(1)
        return self.gain * (x - mean.unsqueeze(1)) * scale + self.bias


class _Block(nn.Module):
    """1x1 convolution, depthwise dilated convolution, and the two ways out (figure 1c of the paper)."""

    def __init__(self, b: int, h: int, p: int, skip: int, dilation: int, *, causal: bool) -> None:
        super().__init__()
        norm = CumulativeLayerNorm if causal else GlobalLayerNorm
        reach = (p - 1) * dilation
        self.reach = (reach, 0) if causal else (reach // 2, reach - reach // 2)
        self.widen = nn.Sequential(nn.Conv1d(b, h, 1), nn.PReLU(), norm(h))
        self.depthwise = nn.Conv1d(h, h, p, dilation=dilation, groups=h)
        self.after = nn.Sequential(nn.PReLU(), norm(h))
        self.residual, self.skip = nn.Conv1d(h, b, 1), nn.Conv1d(h, skip, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        inner = self.after(self.depthwise(pad(self.widen(x), self.reach)))
        return x + self.residual(inner), self.skip(inner)


class ConvTasNet(Network):
    """Waveform in, waveform out, at any one rate it was trained at.

    Parameters
    ----------
    n, l, b, h, p, x, r : int
        As in the paper: filters, their length in samples (even), channels of the bottleneck and of the blocks, kernel,
        blocks in a repeat, repeats.
    skip : int
        Channels of the skip connections, Sc in the paper.
    causal : bool, default False
        Past only; the look-ahead is then the filter's length.
    """

    def __init__(
        self,
        n: int = 512,
        l: int = 32,  # noqa: E741 (the paper's letter)
        b: int = 128,
        h: int = 512,
        p: int = 3,
        x: int = 8,
        r: int = 3,
        skip: int = 128,
        *,
        causal: bool = False,
    ) -> None:
        super().__init__()
        self.causal, self.stride = causal, l // 2
        self.encoder = nn.Conv1d(1, n, l, self.stride, bias=False)
        self.decoder = nn.ConvTranspose1d(n, 1, l, self.stride, bias=False)
        norm = CumulativeLayerNorm if causal else GlobalLayerNorm
        self.bottleneck = nn.Sequential(norm(n), nn.Conv1d(n, b, 1))
        self.blocks = nn.ModuleList(
            _Block(b, h, p, skip, 2**dilation, causal=causal) for _ in range(r) for dilation in range(x)
        )
        self.mask = nn.Sequential(nn.PReLU(), nn.Conv1d(skip, n, 1), nn.Sigmoid())

    def enhance(self, noisy: Tensor, sample_rate: int) -> Estimate:  # noqa: ARG002 (any rate is one to it)
        """Enhance waveforms [clips, samples]."""
        samples = noisy.shape[-1]
        level = noisy.square().mean(-1, keepdim=True).sqrt() + EPSILON if not self.causal else 1.0
        return Estimate(level * self(noisy / level)[:, :samples])

    def forward(self, waveform: Tensor) -> Tensor:
        """Return the estimate of [clips, samples], a little longer than what came in."""
        samples = waveform.shape[-1]
        padded = pad(waveform, (self.stride, self.stride + -samples % self.stride))
        encoded = torch.relu(self.encoder(padded.unsqueeze(1)))
        x, total = self.bottleneck(encoded), torch.zeros((), device=waveform.device)
        for block in self.blocks:
            x, skip = block(x)
            total = total + skip
        decoded: Tensor = self.decoder((encoded * self.mask(total)).float())
        return decoded[:, 0, self.stride :]
