"""The trainer: a config in, checkpoints and a log out, and the same curve whether or not it was interrupted.

The batch of a step is a function of the seed and the step, the learning rate of the step, and the network draws no
random numbers; so a checkpoint is the weights, the optimiser's moments, the averaged weights and the step.
"""

from __future__ import annotations

import copy
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unmuffle.errors import AudioFileError, OutputExistsError, UnmuffleError
from unmuffle.train.averaging import move_average, statistics
from unmuffle.train.checkpoint import BEST, LAST, check_same_run, load_checkpoint, save_checkpoint
from unmuffle.train.config import TrainConfig, as_tree
from unmuffle.train.crew import Crew
from unmuffle.train.data.batches import Batch, Batches, BatchPlan
from unmuffle.train.data.shards import load_table
from unmuffle.train.devices import check_device
from unmuffle.train.journal import Journal
from unmuffle.train.losses import training_loss
from unmuffle.train.networks import build_network
from unmuffle.train.optimisers import make_optimisers
from unmuffle.train.progress import Progress
from unmuffle.train.revision import revision
from unmuffle.train.schedule import Plateau, learning_rate
from unmuffle.train.signals import call_on_signals
from unmuffle.train.starting import weights_to_start_from
from unmuffle.train.validation import Validation, quality

LOG_EVERY_STEPS = 25
SYNCHRONISE_EVERY_STEPS = 100
BAD_STEPS_IN_A_ROW = 20
Watch = Callable[[int, float, float], None]
log = logging.getLogger(__name__)


class TrainingDivergedError(UnmuffleError):
    """The loss was not finite for many steps in a row."""


class Trainer:
    """One run in one process of a crew.

    Parameters
    ----------
    config : TrainConfig
        What to do.
    folder : Path
        Where checkpoints and the log go.
    crew : Crew
        The processes that share the work.
    device : str, default "cpu"
        Or ``cuda``.
    resume, start_from, compiled, workers, watch
        As of ``running.run_training``.

    Raises
    ------
    OutputExistsError
        If the folder holds a run and ``resume`` is off.
    InvalidParameterError
        If the checkpoint is of another config or of other data, the one to start from is of another network, or there
        is no such device.
    """

    def __init__(
        self,
        config: TrainConfig,
        folder: Path,
        crew: Crew,
        device: str = "cpu",
        *,
        resume: bool = False,
        start_from: Path | None = None,
        compiled: bool = False,
        workers: int = 0,
        watch: Watch = lambda *_: None,
    ) -> None:
        self.config, self.folder, self.crew, self.device = config, folder, crew, check_device(device)
        self._watch = watch
        packed = Path(config.data.packed)
        self.data_hash = load_table(packed)["hash"]
        torch.manual_seed(config.seed)
        self.network = build_network(config.network.name, **config.network.sizes).to(self.device)
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(requires_grad=False)
        settings = config.optimiser
        self.optimiser = make_optimisers(self.network, settings.name, settings.learning_rate, settings.weight_decay)
        self.plateau = Plateau(settings.plateau_patience)
        self.validation = Validation(config, self.device)
        self.step, self.best = 0, float("-inf")
        self._bad_steps = 0
        self._stopping = False
        self.origin: dict[str, Any] | None = None
        self._open(resume, start_from)
        if compiled:
            # After the copy and the restoring: the compiled one shares its weights with them by name.
            self.network.compile()
        data = config.data
        clips = crew.share(data.clips)
        plan = BatchPlan(packed, config.mix, data.seconds, data.full_band_share, config.seed, clips)
        self.batches = Batches(plan, workers)

    def run(self, until: int | None = None) -> None:
        """Train to the end of the schedule, or to a step; SIGTERM and SIGINT end it after a checkpoint."""
        if self.crew.leads:
            call_on_signals(self._stop)
        try:
            self._train(min(self.config.steps, until or self.config.steps))
        finally:
            self.batches.close()
            if self.journal is not None:
                self.journal.close()

    def _stop(self) -> None:
        self._stopping = True

    def _train(self, end: int) -> None:
        progress = Progress(self.config.steps, self.config.data.clips * self.config.data.seconds)
        saved_at = time.monotonic()
        batches = self.batches.from_step(self.step)
        while self.step < end:
            values = self._train_step(next(batches))
            progress.add(values)
            self._watch(self.step, values["loss"], progress.real_time)
            due = self.crew.leads and time.monotonic() - saved_at > self.config.checkpoint_every_s
            stop, save = (self.crew.sum(torch.tensor([float(self._stopping), float(due)])) > 0).tolist()
            if self.step % LOG_EVERY_STEPS == 0:
                self._note(progress.summary(self.step))
            if self.step % self.config.validation.every_steps == 0 or self.step == self.config.steps:
                self._validate()
                save = True
            if save or stop:
                self._save(LAST)
                saved_at = time.monotonic()
            if stop:
                if self.crew.leads:
                    log.warning("stopped at step %d; go on with --resume", self.step)
                return
        self._save(LAST)

    def _train_step(self, batch: Batch) -> dict[str, float]:
        noisy, target, rate = batch
        self.network.train()
        self.optimiser.zero_grad()
        loss, terms = self._loss(
            torch.from_numpy(noisy).to(self.device), torch.from_numpy(target).to(self.device), rate
        )
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [weight.grad for weight in self.network.parameters() if weight.grad is not None]
        # A process with more clips than another has more of a say.
        share = len(noisy) * self.crew.size / self.config.data.clips
        values = torch.stack([loss.detach(), *terms.values()])
        for tensor in (*gradients, values):
            tensor *= share
        self.crew.mean_in_place([*gradients, values])
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.config.optimiser.clip_norm)
        named = dict(zip(("loss", *terms), values.tolist(), strict=True)) | {"gradient_norm": float(norm)}
        self._update(named)
        return named | {"rate": rate}

    def _loss(self, noisy: Tensor, target: Tensor, rate: int) -> tuple[Tensor, dict[str, Tensor]]:
        half = self.config.half_precision
        with torch.autocast(self.device.type, torch.bfloat16, enabled=half):
            estimate = self.network.enhance(noisy, rate)
        return training_loss(estimate, noisy, target, rate, self.config.loss)

    def _update(self, values: dict[str, float]) -> None:
        """Take the step, unless something is not finite."""
        rate = learning_rate(self.config, self.step, self.plateau.halvings)
        self.step += 1
        if np.isfinite(values["loss"]) and np.isfinite(values["gradient_norm"]):
            self.optimiser.set_learning_rate(rate)
            self.optimiser.step()
            self._average()
            self._bad_steps = 0
            return
        self._bad_steps += 1
        log.warning("step %d left out: its loss or gradient is not finite", self.step)
        if self._bad_steps >= BAD_STEPS_IN_A_ROW:
            raise TrainingDivergedError(
                f"the loss was not finite for {self._bad_steps} steps in a row, up to step {self.step}: "
                "lower optimiser.learning_rate and start from the last checkpoint's weights"
            )

    def _average(self) -> None:
        """Move the averaged weights towards the current ones, faster at first."""
        if self.step % SYNCHRONISE_EVERY_STEPS == 0:
            self.crew.mean_in_place(statistics(self.network))
        decay = min(self.config.optimiser.average_decay, (1 + self.step) / (10 + self.step))
        move_average(self.averaged, self.network, decay)

    def _validate(self) -> None:
        self.crew.mean_in_place(statistics(self.averaged))
        scores = self.validation.run(self.averaged, self.crew)
        if not scores:
            return
        found = quality(scores)
        self.plateau.see(found)
        self._note({"step": self.step, "validation": scores, "quality": found})
        if found > self.best:
            self.best = found
            self._save(BEST)

    def _open(self, resume: bool, start_from: Path | None) -> None:
        last = self.folder / LAST
        if resume:
            if not last.is_file():
                raise AudioFileError(f"{last} does not exist: start the run without --resume")
            self._restore(load_checkpoint(last))
        elif last.exists():
            raise OutputExistsError(f"{self.folder} already holds a run: add --resume, or name another folder")
        elif start_from is not None:
            weights, self.origin = weights_to_start_from(start_from, self.config.network)
            self.network.load_state_dict(weights)
            self.averaged.load_state_dict(weights)
        self.journal = Journal(self.folder) if self.crew.leads else None
        about = {"config": as_tree(self.config), "data_hash": self.data_hash, "revision": revision()}
        self._note({"step": self.step, "processes": self.crew.size, "from": self.origin, **about})

    def _restore(self, state: dict[str, Any]) -> None:
        check_same_run(state, self.config, self.data_hash)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.plateau.restore(state["plateau"])
        self.step, self.best, self.origin = state["step"], state["best"], state.get("from")

    def _save(self, name: str) -> None:
        self.crew.mean_in_place([*statistics(self.network), *statistics(self.averaged)])
        if not self.crew.leads:
            return
        state = {
            "config": as_tree(self.config),
            "data_hash": self.data_hash,
            "revision": revision(),
            "network": self.network.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "plateau": self.plateau.state(),
            "step": self.step,
            "best": self.best,
            "from": self.origin,
        }
        save_checkpoint(self.folder / name, state)

    def _note(self, entry: dict[str, Any]) -> None:
        if self.journal is not None:
            self.journal.note(entry)
