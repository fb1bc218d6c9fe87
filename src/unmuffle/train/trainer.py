"""The trainer: a config in, checkpoints and a log out, and the same curve whether or not it was interrupted.

The batch of a step is a function of the seed and the step, the learning rate of the step, and the network draws no
random numbers; so a checkpoint is the weights, the optimiser's moments, the averaged weights and the step.
"""

from __future__ import annotations

import copy
import json
import logging
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from unmuffle.errors import OutputExistsError, UnmuffleError
from unmuffle.train.checkpoint import BEST, LAST, check_same_run, load_checkpoint, save_checkpoint
from unmuffle.train.config import TrainConfig, as_tree
from unmuffle.train.crew import Crew
from unmuffle.train.data.mixing import Mixer
from unmuffle.train.data.packing import FULL_RATE, WIDE_RATE
from unmuffle.train.data.shards import load_table
from unmuffle.train.losses import training_loss
from unmuffle.train.networks import build_network
from unmuffle.train.progress import Progress
from unmuffle.train.revision import revision
from unmuffle.train.schedule import Plateau, learning_rate
from unmuffle.train.validation import Validation, quality

LOG = "log.jsonl"
LOG_EVERY_STEPS = 25
SYNCHRONISE_EVERY_STEPS = 100
BAD_STEPS_IN_A_ROW = 20
BATCHES, CLASSES = 0, 1
"""First words of the random streams; validation has the next."""
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
    resume : bool, default False
        Go on from the last checkpoint in the folder.

    Raises
    ------
    OutputExistsError
        If the folder holds a run and ``resume`` is off.
    InvalidParameterError
        If the checkpoint is of another config or of other data.
    """

    def __init__(
        self, config: TrainConfig, folder: Path, crew: Crew, device: str = "cpu", *, resume: bool = False
    ) -> None:
        self.config, self.folder, self.crew, self.device = config, folder, crew, torch.device(device)
        packed = Path(config.data.packed)
        self.data_hash = load_table(packed)["hash"]
        torch.manual_seed(config.seed)
        self.network = build_network(config.network.name, **config.network.sizes).to(self.device)
        self.averaged = copy.deepcopy(self.network).eval().requires_grad_(requires_grad=False)
        rates = (WIDE_RATE, FULL_RATE) if config.data.full_band_share else (WIDE_RATE,)
        self.mixers = {rate: Mixer(packed, rate, config.mix, config.data.seconds) for rate in rates}
        settings = config.optimiser
        self.optimiser = torch.optim.AdamW(
            self.network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self.plateau = Plateau(settings.plateau_patience)
        self.validation = Validation(config, self.device)
        self.step, self.best = 0, float("-inf")
        self._bad_steps = 0
        self._stopping = False
        self._open(resume)

    def run(self, until: int | None = None) -> None:
        """Train to the end of the schedule, or to a step; SIGTERM and SIGINT end it after a checkpoint."""
        if self.crew.leads:
            self._heed_signals()
        end = min(self.config.steps, until or self.config.steps)
        progress = Progress(self.config.steps, self.config.data.clips * self.config.data.seconds)
        saved_at = time.monotonic()
        while self.step < end:
            values = self._train_step()
            progress.add(values)
            due = self.crew.leads and time.monotonic() - saved_at > self.config.checkpoint_every_s
            stop, save = (self.crew.sum(torch.tensor([float(self._stopping), float(due)])) > 0).tolist()
            if self.step % LOG_EVERY_STEPS == 0 and self.crew.leads:
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

    def _train_step(self) -> dict[str, float]:
        rate = self._rate_of_step()
        clips = self.crew.share(self.config.data.clips)
        noisy, target = self.mixers[rate].batch((self.config.seed, BATCHES, self.step), clips)
        self.network.train()
        # Weights that a step does not use have no gradient then, and AdamW leaves them and their moments alone.
        self.optimiser.zero_grad(set_to_none=True)
        loss, terms = self._loss(
            torch.from_numpy(noisy).to(self.device), torch.from_numpy(target).to(self.device), rate
        )
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [weight.grad for weight in self.network.parameters() if weight.grad is not None]
        # A process with more clips than another has more of a say.
        share = len(clips) * self.crew.size / self.config.data.clips
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

    def _rate_of_step(self) -> int:
        random = np.random.default_rng([self.config.seed, CLASSES, self.step])
        return FULL_RATE if random.random() < self.config.data.full_band_share else WIDE_RATE

    def _update(self, values: dict[str, float]) -> None:
        """Take the step, unless something is not finite."""
        rate = learning_rate(self.config, self.step, self.plateau.halvings)
        self.step += 1
        if np.isfinite(values["loss"]) and np.isfinite(values["gradient_norm"]):
            for group in self.optimiser.param_groups:
                group["lr"] = rate
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
        decay = min(self.config.optimiser.average_decay, (1 + self.step) / (10 + self.step))
        if self.step % SYNCHRONISE_EVERY_STEPS == 0:
            self.crew.mean_in_place(_statistics(self.network))
        with torch.no_grad():
            old, new = _floats(self.averaged), _floats(self.network)
            torch._foreach_lerp_(old, new, 1 - decay)

    def _validate(self) -> None:
        self.crew.mean_in_place(_statistics(self.averaged))
        scores = self.validation.run(self.averaged, self.crew)
        found = quality(scores)
        self.plateau.see(found)
        if self.crew.leads:
            self._note({"step": self.step, "validation": scores, "quality": found})
        if found > self.best:
            self.best = found
            self._save(BEST)

    def _open(self, resume: bool) -> None:
        last = self.folder / LAST
        if resume:
            self._restore(load_checkpoint(last))
        elif last.exists():
            raise OutputExistsError(f"{self.folder} already holds a run: add --resume, or name another folder")
        if self.crew.leads:
            self.folder.mkdir(parents=True, exist_ok=True)
            about = {"config": as_tree(self.config), "data_hash": self.data_hash, "revision": revision()}
            self._note({"step": self.step, "processes": self.crew.size, **about})

    def _restore(self, state: dict[str, Any]) -> None:
        check_same_run(state, self.config, self.data_hash)
        self.network.load_state_dict(state["network"])
        self.averaged.load_state_dict(state["averaged"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.plateau.restore(state["plateau"])
        self.step, self.best = state["step"], state["best"]

    def _save(self, name: str) -> None:
        self.crew.mean_in_place([*_statistics(self.network), *_statistics(self.averaged)])
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
        }
        save_checkpoint(self.folder / name, state)

    def _note(self, entry: dict[str, Any]) -> None:
        with (self.folder / LOG).open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(entry) + "\n")
        log.info("%s", {key: value for key, value in entry.items() if key != "config"})

    def _heed_signals(self) -> None:
        def stop(number: int, _: FrameType | None) -> None:
            self._stopping = True
            # A second one ends it at once.
            signal.signal(number, signal.SIG_DFL)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)


def _floats(network: torch.nn.Module) -> list[Tensor]:
    return [tensor for tensor in network.state_dict().values() if tensor.is_floating_point()]


def _statistics(network: torch.nn.Module) -> list[Tensor]:
    """Running means and variances of the batch norms, which each process gathers for itself."""
    return [buffer for name, buffer in network.named_buffers() if "running_" in name]
