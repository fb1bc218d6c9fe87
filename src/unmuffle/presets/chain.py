"""Chains: stages with their options, written as text, checked for their order, and built for a rate.

highpass:cutoff_hz=80,dehum,denoise:strength=.8,level
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from unmuffle.denoise.noise import NoiseEstimator
from unmuffle.errors import InvalidParameterError
from unmuffle.presets.stages import STAGES, Stage, checked_options, find_stage
from unmuffle.process import Chain, Processor
from unmuffle.process.processor import NonFinite

DENOISE = "denoise"


@dataclass(frozen=True)
class StageChoice:
    """A stage and the options it is given.

    Attributes
    ----------
    name : str
        Of one of ``STAGES``.
    options : mapping
        Those that differ from the stage's own.

    Raises
    ------
    InvalidParameterError
        If there is no such stage or option, or a value does not fit.
    """

    name: str
    options: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        stage = find_stage(self.name)
        object.__setattr__(self, "name", stage.name)
        object.__setattr__(self, "options", checked_options(stage, self.options))

    @property
    def stage(self) -> Stage:
        """What it is a choice of."""
        return STAGES[self.name]

    def __str__(self) -> str:
        return ":".join((self.name, *(f"{name}={value}" for name, value in self.options.items())))


def parse_chain(text: str) -> tuple[StageChoice, ...]:
    """Read a chain from text.

    Parameters
    ----------
    text : str
        Stages with commas between them, each followed by its options: ``NAME:OPTION=VALUE:OPTION=VALUE``.

    Raises
    ------
    InvalidParameterError
        If it is empty or cannot be read, or a stage stands where it cannot do its work.
    """
    chain = tuple(_parse_stage(word) for word in _stages_in(text) if word.strip())
    if not chain:
        raise InvalidParameterError("the chain is empty: name stages with commas between them, as in highpass,denoise")
    return check_order(chain)


def _stages_in(text: str) -> list[str]:
    """Cut at commas, but not before a number: points of an audiogram have commas between them, too."""
    words: list[str] = []
    for word in text.split(","):
        if words and word.strip()[:1].isdigit():
            words[-1] += "," + word
        else:
            words.append(word)
    return words


def _parse_stage(text: str) -> StageChoice:
    name, *words = text.split(":")
    options: dict[str, str] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if sign:
            options[key.strip()] = value.strip()
        elif options:
            # Values such as the points of an audiogram hold colons themselves.
            options[list(options)[-1]] += ":" + word
        else:
            raise InvalidParameterError(
                f"{word.strip()!r} in {text.strip()!r} is no option: write them as {name.strip()}:OPTION=VALUE"
            )
    return StageChoice(name, options)


def check_order(chain: Sequence[StageChoice]) -> tuple[StageChoice, ...]:
    """Return the chain if each stage stands where it can do its work.

    Raises
    ------
    InvalidParameterError
        If one stands too late, with the reason and the order that works.
    """
    places = list(STAGES)
    for before, after in pairwise(chain):
        if places.index(after.name) < places.index(before.name):
            ordered = sorted(chain, key=lambda choice: places.index(choice.name))
            raise InvalidParameterError(
                f"{after.name} comes after {before.name}, but it {after.stage.reason}: "
                f"the order that works is {','.join(map(str, ordered))}"
            )
        if after.name == before.name:
            raise InvalidParameterError(f"the chain has {after.name} twice: leave one out")
    return tuple(chain)


def build_chain(
    chain: Sequence[StageChoice],
    sample_rate: int,
    channels: int = 1,
    *,
    noise: NoiseEstimator | None = None,
    link_channels: bool = False,
    nonfinite: NonFinite = "raise",
) -> tuple[Processor, tuple[str, ...]]:
    """Return the processor of a chain, and warnings where one is not what was asked for.

    Parameters
    ----------
    chain : sequence of StageChoice
        At least one.
    sample_rate, channels, nonfinite
        See ``Processor``.
    noise : NoiseEstimator, optional
        For the denoiser.
    link_channels : bool, default False
        Same gains for all channels, wherever a stage has gains.
    """
    warnings: list[str] = []
    stages = []
    for choice in chain:
        given: dict[str, Any] = {"nonfinite": nonfinite}
        if _can_link(choice.stage):
            given["link_channels"] = link_channels
        if choice.name == DENOISE:
            given |= {"noise": noise, "warnings": warnings}
        stages.append(choice.stage.load()(sample_rate, channels, **given, **choice.options))
    return stages[0] if len(stages) == 1 else Chain(stages), tuple(warnings)


def _can_link(stage: Stage) -> bool:
    return "link_channels" in inspect.signature(stage.load()).parameters
