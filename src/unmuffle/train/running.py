"""A run in one or several processes."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from unmuffle.errors import InvalidParameterError
from unmuffle.train.config import TrainConfig
from unmuffle.train.crew import Crew, run_crew
from unmuffle.train.trainer import Trainer, Watch


def run_training(
    config: TrainConfig,
    folder: Path,
    processes: int = 1,
    device: str = "cpu",
    *,
    resume: bool = False,
    start_from: Path | None = None,
    until: int | None = None,
    compiled: bool = False,
    workers: int = 0,
    watch: Watch = lambda *_: None,
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
    start_from : Path, optional
        Checkpoint of another run whose averaged weights are the first ones.
    until : int, optional
        Stop after this step instead of at the end of the schedule.
    compiled : bool, default False
        Whether the network goes through ``torch.compile``.
    workers : int, default 0
        Processes that mix ahead of a GPU.
    watch : callable
        Called after each step with its number, its loss and the speed as a multiple of real time.

    Raises
    ------
    InvalidParameterError
        If there are more processes than clips in a batch, several on a GPU or with mixing workers, both a run to
        resume and one to start from, or the run to resume is another one.
    """
    if not 1 <= processes <= config.data.clips:
        raise InvalidParameterError(f"processes must be 1 to data.clips, which is {config.data.clips}, not {processes}")
    if processes > 1 and device != "cpu":
        raise InvalidParameterError(f"processes must be 1 on {device}, not {processes}: several share a CPU only")
    if processes > 1 and workers:
        raise InvalidParameterError(f"workers must be 0 with {processes} processes, which mix for themselves")
    if resume and start_from is not None:
        raise InvalidParameterError("a run is either resumed or started from another's weights: leave one of them out")
    folder.mkdir(parents=True, exist_ok=True)
    options = {"resume": resume, "start_from": start_from, "compiled": compiled, "workers": workers}
    run_crew(_work, processes, config, folder, device, options, until, _Here(watch))


@dataclass
class _Here:
    """What stays in this process: in the others, which get a copy, nobody watches."""

    watch: Watch

    def __reduce__(self) -> tuple[Any, ...]:
        return _Here, (_unwatched,)


def _unwatched(step: int, loss: float, real_time: float) -> None:
    pass


def _work(
    crew: Crew,
    config: TrainConfig,
    folder: Path,
    device: str,
    options: dict[str, Any],
    until: int | None,
    here: _Here,
) -> None:
    if crew.size > 1:
        torch.set_num_threads(1)
    if crew.rank:
        # One of them tells.
        logging.disable()
    Trainer(config, folder, crew, device, watch=here.watch, **options).run(until)
