"""Where a run begins: fresh weights, those of its own last checkpoint, or the averaged ones of another run."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from unmuffle.errors import InvalidParameterError
from unmuffle.train.checkpoint import load_checkpoint
from unmuffle.train.config import NetworkConfig, config_from
from unmuffle.train.networks import NETWORKS


def weights_to_start_from(checkpoint: Path, wanted: NetworkConfig) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the averaged weights of a checkpoint, and what is told of where they come from.

    Raises
    ------
    AudioFileError
        If the file is missing, damaged or not a checkpoint.
    InvalidParameterError
        If they are of another network than the one wanted; its differences are named.
    """
    state = load_checkpoint(checkpoint)
    found = differences_of_networks(config_from(state["config"]).network, wanted)
    if found:
        raise InvalidParameterError(f"cannot start from {checkpoint}, its network is another one: {'; '.join(found)}")
    told = {key: state[key] for key in ("step", "revision", "data_hash")}
    return state["averaged"], {"checkpoint": checkpoint.name, **told}


def differences_of_networks(old: NetworkConfig, new: NetworkConfig) -> list[str]:
    """Name what differs between two networks; a size that is left out is its default."""
    if old.name != new.name:
        return [f"network.name was {old.name!r} and is {new.name!r}"]
    before, after = _all_sizes(old), _all_sizes(new)
    return [
        f"network.{key} was {before.get(key)!r} and is {after.get(key)!r}"
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _all_sizes(network: NetworkConfig) -> dict[str, Any]:
    parameters = inspect.signature(NETWORKS[network.name]).parameters
    return {name: item.default for name, item in parameters.items()} | network.sizes
