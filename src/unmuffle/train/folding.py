"""Folding batch norms into the linear maps and convolutions before them, for the export."""

from __future__ import annotations

import copy

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

from unmuffle.errors import InvalidParameterError
from unmuffle.train.networks import Network

NORM = "_norm"


def folded(network: Network) -> Network:
    """Return a copy in evaluation mode that computes the same without batch norms.

    A norm ``x_norm`` belongs to the map ``x`` of the same module.
    """
    network = copy.deepcopy(network).eval()
    for module in list(network.modules()):
        for name, norm in list(module.named_children()):
            if isinstance(norm, nn.BatchNorm1d) and name.endswith(NORM):
                _fold(module, name.removesuffix(NORM), norm)
                setattr(module, name, nn.Identity())
    return network


def _fold(module: nn.Module, name: str, norm: nn.BatchNorm1d) -> None:
    before, mean, variance = getattr(module, name), norm.running_mean, norm.running_var
    if mean is None or variance is None:
        raise InvalidParameterError(f"the norm of {name} keeps no statistics and cannot be folded away")
    fuse = fuse_conv_bn_weights if isinstance(before, nn.Conv1d) else fuse_linear_bn_weights
    before.weight, before.bias = fuse(before.weight, before.bias, mean, variance, norm.eps, norm.weight, norm.bias)
