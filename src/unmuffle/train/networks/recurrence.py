"""The gated linear recurrence h[t] = a[t] h[t-1] + b[t], and its gradient.

The gates do not depend on the state (J. Martin and C. Cundy, "Parallelizing linear recurrent neural nets over
sequence length", ICLR 2018; L. Feng et al., "Were RNNs all we needed?", 2024), so all the products over the inputs are
taken for the whole clip at once and what remains over time is one multiply-add a value. On a CPU the plain loop over
time, with the gradient written out, touches each value once; a parallel scan touches it log2(T) times and was slower.

    forward    h[t] = a[t] h[t-1] + b[t]
    backward   g[t] = dh[t] + a[t+1] g[t+1];   db[t] = g[t];   da[t] = g[t] h[t-1];   dh[-1] = a[0] g[0]
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor


class _LinearRecurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, decay: Tensor, drive: Tensor, start: Tensor) -> Tensor:
        states = torch.empty_like(drive)
        before = start
        for now, gate, value in zip(states.unbind(), decay.unbind(), drive.unbind(), strict=True):
            torch.addcmul(value, gate, before, out=now)
            before = now
        ctx.save_for_backward(decay, states, start)
        return states

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        decay, states, start = ctx.saved_tensors
        total = gradients[0].clone(memory_format=torch.contiguous_format)
        steps, gates = total.unbind(), decay.unbind()
        for later in range(len(steps) - 1, 0, -1):
            steps[later - 1].addcmul_(gates[later], steps[later])
        of_decay = torch.empty_like(decay)
        torch.mul(total[1:], states[:-1], out=of_decay[1:])
        torch.mul(total[0], start, out=of_decay[0])
        return of_decay, total, total[0] * decay[0]


def linear_recurrence(decay: Tensor, drive: Tensor, start: Tensor) -> Tensor:
    """Return all states h[t] = decay[t] h[t-1] + drive[t] with h[-1] = ``start``.

    Parameters
    ----------
    decay, drive : Tensor [time, ...]
        Of one shape; float32, since a long memory needs gates closer to 1 than half precision can tell.
    start : Tensor [...]
        The state before the first step.
    """
    if torch.compiler.is_exporting():
        return _exported(decay, drive, start)
    states: Tensor = _LinearRecurrence.apply(decay, drive, start)  # type: ignore[no-untyped-call]
    return states


@torch.library.custom_op("unmuffle::linear_recurrence", mutates_args=())
def _exported(decay: Tensor, drive: Tensor, start: Tensor) -> Tensor:
    """Stand for the recurrence in an exported graph, where a loop over an unknown number of steps cannot be traced."""
    return torch.stack(list(_steps(decay, drive, start)))


@_exported.register_fake
def _(decay: Tensor, drive: Tensor, start: Tensor) -> Tensor:  # noqa: ARG001 (one signature with the above)
    return torch.empty_like(drive)


def _steps(decay: Tensor, drive: Tensor, start: Tensor) -> Iterator[Tensor]:
    for gate, value in zip(decay, drive, strict=True):
        start = value + gate * start
        yield start
