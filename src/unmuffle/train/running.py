"""A run in one or several processes."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from unmuffle.errors import InvalidParameterError
from unmuffle.train.config import TrainConfig
from unmuffle.train.crew import Crew, run_crew
from unmuffle.train.trainer import Trainer


def run_training(
    config: TrainConfig,
    folder: Path,
    processes: int = 1,
    device: str = "cpu",
    *,
    resume: bool = False,
    until: int | None = None,
) -> None:
    """Train a network.

    Parameters
    ----------
    config : TrainConfig
        What to do.
    folder : Path
        Where checkpoints and the log go.
    processes : int, default 1
        Processes that share each batch, one a core; 1 on a GPU.
    device : str, default "cpu"
        Or ``cuda``.
    resume : bool, default False
        Go on from the last checkpoint in the folder; the number of processes may differ.
    until : int, optional
        Stop after this step instead of at the end of the schedule.

    Raises
    ------
    InvalidParameterError
        If there are more processes than clips in a batch, or the run to resume is another one.
    """
    if not 1 <= processes <= config.data.clips:
        raise InvalidParameterError(f"processes must be 1 to data.clips, which is {config.data.clips}, not {processes}")
    folder.mkdir(parents=True, exist_ok=True)
    run_crew(_work, processes, config, folder, device, resume, until)


def _work(crew: Crew, config: TrainConfig, folder: Path, device: str, resume: bool, until: int | None) -> None:
    if crew.size > 1:
        torch.set_num_threads(1)
    if crew.rank:
        # One of them tells.
        logging.disable()
    Trainer(config, folder, crew, device, resume=resume).run(until)
