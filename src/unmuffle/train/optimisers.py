"""Optimisers by name: AdamW, and Muon for the matrices with AdamW for the rest.

Muon makes every matrix's step an orthogonal one (K. Jordan et al., "Muon: an optimizer for hidden layers in neural
networks", 2024), scaled so that learning rate and decay of AdamW fit it too (J. Liu et al., "Muon is scalable for LLM
training", arXiv 2502.16982, eq. 4). Vectors, kernels of convolutions and maps to very few outputs stay with AdamW.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from unmuffle.errors import InvalidParameterError

OPTIMISERS = ("adamw", "muon")
NARROW = 8
"""A matrix with a side of no more is a bundle of vectors."""


class Optimisers:
    """Several optimisers that take their steps together, each for weights of its own."""

    def __init__(self, parts: list[torch.optim.Optimizer]) -> None:
        self.parts = parts

    def set_learning_rate(self, learning_rate: float) -> None:
        """Set the rate of all."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = learning_rate

    def zero_grad(self) -> None:
        """Forget the gradients: a weight that a step does not use then has none, and is left alone with its moments."""
        for part in self.parts:
            part.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Take a step with all."""
        for part in self.parts:
            part.step()

    def state_dict(self) -> Any:
        """Return the state of the one, or a list of all their states."""
        states = [part.state_dict() for part in self.parts]
        return states[0] if len(states) == 1 else states

    def load_state_dict(self, states: Any) -> None:
        """Go on from a state."""
        for part, state in zip(self.parts, states if isinstance(states, list) else [states], strict=True):
            part.load_state_dict(state)


def make_optimisers(network: nn.Module, name: str, learning_rate: float, weight_decay: float) -> Optimisers:
    """Return the optimisers of a network's weights.

    Raises
    ------
    InvalidParameterError
        If there is none of that name.
    """
    if name == "adamw":
        return Optimisers([torch.optim.AdamW(network.parameters(), learning_rate, weight_decay=weight_decay)])
    if name != "muon":
        raise InvalidParameterError(f"optimiser.name is {name!r}; there are {', '.join(OPTIMISERS)}")
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for weight in network.parameters():
        (matrices if weight.ndim == 2 and min(weight.shape) > NARROW else rest).append(weight)
    muon = torch.optim.Muon(matrices, learning_rate, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw")
    return Optimisers([muon, torch.optim.AdamW(rest, learning_rate, weight_decay=weight_decay)])
