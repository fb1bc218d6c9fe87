"""A training run described in TOML: what is trained, on what, for how long.

Every key has a default but ``network.name`` and ``data.packed``; a key that does not exist is refused, and so is
resuming a run with another config, since the curve would no longer be of one thing.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from unmuffle.errors import InvalidParameterError
from unmuffle.toml import parse_toml
from unmuffle.train.data.settings import MixSettings
from unmuffle.train.losses import LossWeights

SectionT = TypeVar("SectionT")


@dataclass(frozen=True)
class DataConfig:
    """``[data]``: the packed corpora, and how a batch is cut from them."""

    packed: str = ""
    clips: int = 16
    seconds: float = 3.0
    full_band_share: float = 0.25


@dataclass(frozen=True)
class OptimiserConfig:
    """``[optimiser]``: ``adamw`` or ``muon``, its warm-up, and how its rate falls.

    ``cosine`` falls all along; ``trapezoid`` is constant and falls over the last ``cool_down_share`` of the steps, so
    that ``steps`` may still be changed on resuming before that; ``plateau`` halves when validation stops improving.
    """

    name: str = "adamw"
    learning_rate: float = 2e-3
    final_learning_rate: float = 1e-5
    schedule: str = "cosine"
    cool_down_share: float = 0.25
    plateau_patience: int = 3
    warm_up_steps: int = 500
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    average_decay: float = 0.999


@dataclass(frozen=True)
class ValidationConfig:
    """``[validation]``: fixed mixtures of held-out talkers and noises."""

    every_steps: int = 1000
    clips: int = 24
    seconds: float = 4.0


@dataclass(frozen=True)
class NetworkConfig:
    """``[network]``: its name, and its sizes where they are not the defaults."""

    name: str = ""
    sizes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class TrainConfig:
    """A whole run."""

    network: NetworkConfig
    data: DataConfig
    steps: int = 100_000
    seed: int = 1
    half_precision: bool = True
    checkpoint_every_s: float = 180.0
    mix: MixSettings = field(default_factory=MixSettings)
    loss: LossWeights = field(default_factory=LossWeights)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)


SECTIONS: dict[str, type[Any]] = {
    "data": DataConfig,
    "mix": MixSettings,
    "loss": LossWeights,
    "optimiser": OptimiserConfig,
    "validation": ValidationConfig,
}
SCHEDULES = ("cosine", "trapezoid", "plateau")
OF_THE_RUN_ONLY = ("checkpoint_every_s", "data.packed")
"""Keys that may change from one part of a run to the next: they do not change what is learned.

The packed corpora are compared by what is in them, not by where they lie.
"""


def read_config(path: Path, packed: Path | None = None) -> TrainConfig:
    """Read a config file; ``packed`` takes the place of ``data.packed``.

    Raises
    ------
    InvalidParameterError
        If the file is not TOML, names a key that does not exist or leaves out a needed one.
    """
    try:
        tree = parse_toml(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidParameterError(f"{path} is not TOML: {error}") from error
    if packed is not None:
        tree["data"] = tree.get("data", {}) | {"packed": str(packed)}
    try:
        return config_from(tree)
    except InvalidParameterError as error:
        raise InvalidParameterError(f"{path}: {error}") from error


def config_from(tree: dict[str, Any]) -> TrainConfig:
    """Return the config of a tree of keys, as TOML gives it or ``as_tree`` made it."""
    tree = dict(tree)
    network = dict(tree.pop("network", {}))
    sections: dict[str, Any] = {name: _section(name, kind, tree.pop(name, {})) for name, kind in SECTIONS.items()}
    name = network.pop("name", "")
    if not name:
        raise InvalidParameterError("network.name is missing: say which network to train")
    sizes = network.pop("sizes", network)
    config = _section("", TrainConfig, tree | sections | {"network": NetworkConfig(name, dict(sizes))})
    _check(config)
    return config


def as_tree(config: TrainConfig) -> dict[str, Any]:
    """Return the config as a tree of plain values."""
    return dataclasses.asdict(config)


def cool_down_from(config: TrainConfig) -> int:
    """Return the step from which on the length of the run matters to the learning rate."""
    if config.optimiser.schedule != "trapezoid":
        return 0
    return round(config.steps * (1 - config.optimiser.cool_down_share))


def differences(old: TrainConfig, new: TrainConfig, step: int) -> list[str]:
    """Name every key that differs and matters to what was learned up to a step, with both values."""
    before, after = _flat(as_tree(old)), _flat(as_tree(new))
    free = {*OF_THE_RUN_ONLY}
    if step <= min(cool_down_from(old), cool_down_from(new)):
        free.add("steps")
    keys = [key for key in sorted({*before, *after}) if key not in free]
    return [
        f"{key} was {before.get(key)!r} and is {after.get(key)!r}" for key in keys if before.get(key) != after.get(key)
    ]


def _section(name: str, kind: type[SectionT], values: dict[str, Any]) -> SectionT:
    if not isinstance(values, dict):
        raise InvalidParameterError(f"{name} must be a table, not {values!r}")
    known = {item.name: item for item in dataclasses.fields(kind)}  # type: ignore[arg-type]
    for key in values:
        if key not in known:
            where = f"{name}.{key}" if name else key
            raise InvalidParameterError(f"{where} does not exist; there are {', '.join(known)}")
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


def _check(config: TrainConfig) -> None:
    if not config.data.packed:
        raise InvalidParameterError("data.packed is missing: name the folder that unmuffle train prepare wrote")
    schedule = config.optimiser.schedule
    if schedule not in SCHEDULES:
        raise InvalidParameterError(f"optimiser.schedule must be one of {', '.join(SCHEDULES)}, not {schedule!r}")
    for key, value in (
        ("steps", config.steps),
        ("data.clips", config.data.clips),
        ("data.seconds", config.data.seconds),
    ):
        if not value > 0:
            raise InvalidParameterError(f"{key} must be above 0, not {value!r}")


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = tuple(value) if isinstance(value, list) else value
    return flat
