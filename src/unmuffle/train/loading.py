"""A trained network back from its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unmuffle.train.checkpoint import load_checkpoint
from unmuffle.train.config import config_from
from unmuffle.train.networks import Network, build_network


def load_network(checkpoint: Path) -> tuple[Network, dict[str, Any]]:
    """Return the averaged network of a checkpoint in evaluation mode, and the checkpoint's state.

    Raises
    ------
    AudioFileError
        If the file is missing, damaged or not a checkpoint.
    """
    state = load_checkpoint(checkpoint)
    described = config_from(state["config"]).network
    network = build_network(described.name, **described.sizes)
    network.load_state_dict(state["averaged"])
    return network.eval(), state
