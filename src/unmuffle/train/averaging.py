"""The averaged weights: an exponential mean over the steps, which is what is validated, exported and started from.

B. T. Polyak and A. B. Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 30(4),
1992; the exponential form is common practice.
"""

from __future__ import annotations

import torch
from torch import Tensor


def move_average(averaged: torch.nn.Module, network: torch.nn.Module, decay: float) -> None:
    """Move every number of ``averaged`` towards that of ``network`` by the share 1 - ``decay`` of their distance."""
    with torch.no_grad():
        torch._foreach_lerp_(_floats(averaged), _floats(network), 1 - decay)


def statistics(network: torch.nn.Module) -> list[Tensor]:
    """Running means and variances of the batch norms, which each process gathers for itself."""
    return [buffer for name, buffer in network.named_buffers() if "running_" in name]


def _floats(network: torch.nn.Module) -> list[Tensor]:
    return [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]
