"""Conv-TasNet: a learned filterbank, a temporal convolutional network that masks it, and a learned synthesis.

Y. Luo and N. Mesgarani, "Conv-TasNet: surpassing ideal time-frequency magnitude masking for speech separation",
IEEE/ACM Trans. ASLP 27(8), 2019; letters as in its table I. One source: the speech. Non-causal with global layer norm
(eq. 11), causal with cumulative layer norm (eq. 12 and 13), and then every state goes in and comes out.

Channels are the last dimension, and a convolution of one tap is a product of matrices: on a CPU that trains twice as
fast as the convolutions that the paper draws.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from unmuffle.train.networks.contract import Estimate, Network

EPSILON = 1e-8
LONGEST_MEMORY = 2.0**20
"""Frames that a cumulative norm counts at most, half an hour or more; a stream may go on for as long as it likes."""


class GlobalLayerNorm(nn.Module):
    """Normalises over channels and time, per clip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise [clips, time, channels]; ``seen`` is given back as it came."""
        return _normalised(x, _moments(x).mean(1, keepdim=True), self.gain, self.bias), seen


class CumulativeLayerNorm(nn.Module):
    """Normalises over channels and the time up to now, per clip."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gain, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Normalise [clips, time, channels] after frames whose number, mean and mean square are ``seen`` [clips, 3]."""
        before, moments = seen[:, None, :1], seen[:, None, 1:]
        count = before + torch.arange(1, x.shape[1] + 1, device=x.device).unsqueeze(-1)
        running = (before * moments + _moments(x).cumsum(1)) / count
        after = torch.cat([count[:, -1].clamp(max=LONGEST_MEMORY), running[:, -1]], -1)
        return _normalised(x, running, self.gain, self.bias), after


def _moments(x: Tensor) -> Tensor:
    """Mean and mean square over channels, [clips, time, 2] of [clips, time, channels]."""
    return torch.stack([x.mean(-1, dtype=torch.float32), x.square().mean(-1, dtype=torch.float32)], -1)


def _normalised(x: Tensor, moments: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    mean, power = moments[..., :1], moments[..., 1:]
    scale = torch.rsqrt((power - mean.square()).clamp(min=0) + EPSILON)
    normed = torch.addcmul((-mean * scale).to(x.dtype), x, scale.to(x.dtype))
    return torch.addcmul(bias.to(x.dtype), normed, gain.to(x.dtype))


class _Prelu(nn.PReLU):
    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        # The same, whose gradient takes a CPU a third of the time.
        slope = self.weight.to(x.dtype)
        return slope * x + (1 - slope) * torch.relu(x)


class _Block(nn.Module):
    """1x1 convolution, depthwise dilated convolution, and the two ways out (figure 1c of the paper)."""

    def __init__(self, b: int, h: int, p: int, skip: int, dilation: int, *, causal: bool) -> None:
        super().__init__()
        norm = CumulativeLayerNorm if causal else GlobalLayerNorm
        self.channels, self.dilation, self.reach = (b, skip), dilation, (p - 1) * dilation
        self.later = 0 if causal else self.reach - self.reach // 2
        self.widen, self.prelu, self.norm = nn.Linear(b, h), _Prelu(), norm(h)
        self.taps = nn.Parameter(torch.empty(p, h).uniform_(-(p**-0.5), p**-0.5))
        self.bias = nn.Parameter(torch.empty(h).uniform_(-(p**-0.5), p**-0.5))
        self.prelu_after, self.norm_after = _Prelu(), norm(h)
        self.out = nn.Linear(h, b + skip)

    def forward(self, x: Tensor, past: Tensor, seen: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what goes on, the skip connection, and the states after: see ``ConvTasNet.start``."""
        time = x.shape[1]
        inner, seen_here = self.norm(self.prelu(self.widen(x)), seen[:, 0])
        whole = pad(torch.cat([past.to(inner.dtype), inner], 1), (0, 0, 0, self.later))
        taps, bias = self.taps.to(inner.dtype), self.bias.to(inner.dtype)
        deep = bias + sum(whole[:, n * self.dilation : n * self.dilation + time] * tap for n, tap in enumerate(taps))
        normed, seen_after = self.norm_after(self.prelu_after(deep), seen[:, 1])
        onward, skip = self.out(normed).split(self.channels, -1)
        return x + onward, skip, whole[:, time:], torch.stack([seen_here, seen_after], 1)


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
        self.causal, self.stride, self.width = causal, l // 2, h
        self.encoder, self.decoder = nn.Linear(l, n, bias=False), nn.Linear(n, l, bias=False)
        self.norm = CumulativeLayerNorm(n) if causal else GlobalLayerNorm(n)
        self.bottleneck = nn.Linear(n, b)
        blocks = [_Block(b, h, p, skip, 2**dilation, causal=causal) for _ in range(r) for dilation in range(x)]
        self.blocks, self.pasts = nn.ModuleList(blocks), [block.reach - block.later for block in blocks]
        self.mask = nn.Sequential(_Prelu(), nn.Linear(skip, n), nn.Sigmoid())

    def enhance(self, noisy: Tensor, sample_rate: int) -> Estimate:  # noqa: ARG002 (any rate is one to it)
        """Enhance waveforms [clips, samples]."""
        clips, samples = noisy.shape
        level = 1.0 if self.causal else noisy.square().mean(-1, keepdim=True).sqrt() + EPSILON
        # The first hop that comes out lies before the first sample.
        hops = (samples + self.stride - 1) // self.stride + 1
        padded = pad(noisy / level, (0, 2 * self.stride))[:, : hops * self.stride]
        enhanced, _ = self(padded, self.start(clips, noisy.device))
        return Estimate(level * enhanced[:, self.stride : self.stride + samples])

    def start(self, clips: int, device: torch.device | None = None) -> list[Tensor]:
        """Return the states before the first sample.

        They are the last hop that came in, and that of the synthesis, [clips, stride] each; what the norms have seen
        [clips, 1 + 2 blocks, 3]; and the frames that each block remembers [clips, frames, h].
        """
        sizes: list[tuple[int, ...]] = [(self.stride,), (self.stride,), (1 + 2 * len(self.blocks), 3)]
        sizes += [(frames, self.width) for frames in self.pasts]
        return [torch.zeros(clips, *size, device=device) for size in sizes]

    def forward(self, waveform: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """Return the estimate of [clips, hops * stride], late by one hop, and the states after."""
        heard, tail, seen, *pasts = states
        hops = waveform.reshape(waveform.shape[0], -1, self.stride)
        before = torch.cat([heard.unsqueeze(1), hops[:, :-1]], 1)
        encoded = torch.relu(self.encoder(torch.cat([before, hops], -1)))
        masks, seen, pasts = self._masks(encoded, seen, pasts)
        pieces = self.decoder(encoded * masks).float()
        early, late = pieces.split(self.stride, -1)
        joined = early + torch.cat([tail.unsqueeze(1), late[:, :-1]], 1)
        return joined.flatten(1), [hops[:, -1], late[:, -1], seen, *pasts]

    def _masks(self, encoded: Tensor, seen: Tensor, pasts: Sequence[Tensor]) -> tuple[Tensor, Tensor, list[Tensor]]:
        normed, first = self.norm(encoded, seen[:, 0])
        x, total = self.bottleneck(normed), 0.0
        seen_after, pasts_after = [first.unsqueeze(1)], []
        for number, (block, past) in enumerate(zip(self.blocks, pasts, strict=True)):
            x, skip, kept, both = block(x, past, seen[:, 1 + 2 * number : 3 + 2 * number])
            total = total + skip
            seen_after.append(both)
            pasts_after.append(kept[:, : past.shape[1]])
        return self.mask(total), torch.cat(seen_after, 1), pasts_after
