"""Checkpoints: everything a run needs to go on as if it had not stopped, written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from unmuffle.errors import AudioFileError, InvalidParameterError
from unmuffle.train.config import TrainConfig, config_from, differences

LAST, BEST = "last.pt", "best.pt"


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a state of plain values and tensors; a reader finds the old file or the new one."""
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint.

    Raises
    ------
    AudioFileError
        If there is none, or what is there is not a checkpoint.
    """
    if not path.is_file():
        raise AudioFileError(f"{path} does not exist: name a checkpoint that a run has written")
    try:
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise AudioFileError(f"{path} is not a checkpoint or is damaged: {error}") from error
    if not isinstance(state, dict) or "config" not in state:
        raise AudioFileError(f"{path} is not a checkpoint of a training run")
    return state


def check_same_run(state: dict[str, Any], config: TrainConfig, data_hash: str) -> None:
    """Raise ``InvalidParameterError``, naming the differences, unless a checkpoint is of this config and data."""
    found = differences(config_from(state["config"]), config, state["step"])
    if state["data_hash"] != data_hash:
        found.append(f"the packed corpora were {state['data_hash']} and are {data_hash}")
    if found:
        raise InvalidParameterError(f"cannot resume, the run is another one: {'; '.join(found)}")
