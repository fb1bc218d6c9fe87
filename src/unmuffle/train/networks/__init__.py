"""The networks, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from unmuffle.errors import InvalidParameterError
from unmuffle.train.networks.contract import Estimate, Network
from unmuffle.train.networks.conv_tasnet import ConvTasNet
from unmuffle.train.networks.flagship import UnmuffleS
from unmuffle.train.networks.mask_blstm import MaskBlstm

NETWORKS: dict[str, Callable[..., Network]] = {
    "unmuffle_s": UnmuffleS,
    "mask_blstm": MaskBlstm,
    "conv_tasnet": ConvTasNet,
}

__all__ = ["NETWORKS", "ConvTasNet", "Estimate", "MaskBlstm", "Network", "UnmuffleS", "build_network"]


def build_network(name: str, **sizes: Any) -> Network:
    """Return a network with fresh weights.

    Raises
    ------
    InvalidParameterError
        If there is no network of that name or it has no such size.
    """
    if name not in NETWORKS:
        raise InvalidParameterError(f"there is no network {name!r}; there are {', '.join(NETWORKS)}")
    try:
        return NETWORKS[name](**sizes)
    except TypeError as error:
        raise InvalidParameterError(f"network {name}: {error}") from error
