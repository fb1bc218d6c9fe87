"""A trained network back from its checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from unmuffle.train.checkpoint import load_checkpoint
from unmuffle.train.config import config_from
from unmuffle.train.data.decoding import FULL_RATE, WIDE_RATE
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


def story_of(state: dict[str, Any]) -> dict[str, Any]:
    """Return what an exported file tells of its training: revision, data, rate and length of the clips."""
    data = state["config"]["data"]
    told = {key: state[key] for key in ("step", "revision", "data_hash")} | {"network": state["config"]["network"]}
    return told | {
        "sample_rate": FULL_RATE if data["full_band_share"] == 1.0 else WIDE_RATE,
        "chunk_s": data["seconds"],
    }
