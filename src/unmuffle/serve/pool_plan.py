"""What a stream of a pool needs beside the network: nothing, or the chain of a lone stream, with a door to the pool."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unmuffle.denoise.choice import Choice
from unmuffle.enhancer.chosen_chain import PresetName, chosen_chain
from unmuffle.models import Model, default_model, find_model
from unmuffle.presets import StageChoice, build_chain
from unmuffle.presets.chain import DENOISE
from unmuffle.process import Chain, DryWet
from unmuffle.process.dry_wet import AUTO, Strength, wet_share
from unmuffle.process.processor import Processor
from unmuffle.process.stft_processor import StftProcessor
from unmuffle.serve.pool_feed import Feed
from unmuffle.signal.arrays import BoolArray, FloatArray


class PooledNetwork(Processor):
    """Gives samples to a feed, and what has come back from there.

    Parameters
    ----------
    feed : Feed
    run : callable
        Moves the feed on until there is no hop left; for the end of a stream, which cannot wait.
    """

    loudest = StftProcessor.loudest

    def __init__(self, feed: Feed, run: Callable[[Feed], None]) -> None:
        super().__init__(feed.lane.grid.sample_rate, feed.channels, nonfinite="silence")
        self._feed = feed
        self._run = run

    @property
    def latency(self) -> int:
        """One window, less one sample."""
        return self._feed.lane.grid.window - 1

    @property
    def block_period(self) -> int:
        """The hop."""
        return self._feed.hop

    @property
    def linked(self) -> bool:
        """Channels of one stream always are."""
        return self.channels > 1

    def _process(self, block: FloatArray) -> FloatArray:
        if block.shape[1]:
            self._feed.push(block)
        return self._feed.take()

    def _flush(self) -> FloatArray:
        self._feed.end()
        self._run(self._feed)
        return self._feed.take()

    def _reset(self, mask: BoolArray | None) -> None:  # noqa: ARG002
        self._feed.reset()


@dataclass(frozen=True)
class StreamPlan:
    """What a stream needs beside the network.

    Attributes
    ----------
    processor : DryWet or None
        Its chain, with a door to the pool in the place of the network; None where there is only the network.
    share : float
        Of the network's effect that is heard, 0 to 1.
    follows_noise : bool
        Whether the share is less where there is little noise.
    """

    processor: DryWet | None
    share: float
    follows_noise: bool


def plan_stream(
    feed: Feed,
    run: Callable[[Feed], None],
    model: Model | None,
    preset: PresetName | None,
    strength: Strength,
    *,
    is_default: bool,
) -> StreamPlan:
    """Return what it takes for a stream to sound like a lone one with this preset and strength.

    Strengths are left to the pool where it can do what is asked for: it follows the noise of single channels. A
    denoiser that is something else than the model of the pool stays where it is. A model that is not the one of
    ``"auto"`` was asked for, and takes the place of what a preset says.

    Raises
    ------
    InvalidParameterError, ModelError
        See ``unmuffle.open_stream``.
    """
    if preset is None:
        follows = strength == AUTO and feed.channels == 1
        alone = strength != AUTO or follows
        door = None if alone else DryWet(PooledNetwork(feed, run), strength)
        return StreamPlan(door, wet_share(strength, None), follows)
    chain = _stages(preset, strength, None if is_default else model)
    stage = _denoiser(chain)
    if stage is None or model is None or _path_of(stage) != model.path:
        return StreamPlan(_chain_of(chain, feed), 1.0, follows_noise=False)
    share, follows = 1.0, False
    own = {"strength": AUTO, "max_attenuation_db": None, "keep": None, **stage.options}
    if own["keep"] is None and (own["strength"] != AUTO or feed.channels == 1):
        share, follows = wet_share(own["strength"], own["max_attenuation_db"]), own["strength"] == AUTO
        whole = StageChoice(DENOISE, {**stage.options, "strength": 1.0, "max_attenuation_db": None})
        chain = tuple(whole if other is stage else other for other in chain)
    processor = _chain_of(chain, feed)
    staged = processor.processor
    members = staged.processors if isinstance(staged, Chain) else (staged,)
    denoiser = next(member for member in members if isinstance(member, DryWet))
    denoiser.processor = PooledNetwork(feed, run)
    return StreamPlan(processor, share, follows)


def _stages(preset: PresetName, strength: Strength, model: Model | None) -> tuple[StageChoice, ...]:
    """Return the chain of a preset, with a strength unless that is 1, and a model unless it has no use for one."""
    wanted: dict[str, Any] = {} if strength == 1.0 else {"strength": strength}
    plain = chosen_chain(preset, None, {})
    stage = None if plain is None else _denoiser(plain.chain)
    if model is not None and stage is not None and stage.options.get("method", AUTO) == AUTO:
        wanted["model"] = str(model.path)
    chosen = chosen_chain(preset, None, wanted)
    return () if chosen is None else chosen.chain


def _denoiser(chain: Sequence[StageChoice]) -> StageChoice | None:
    return next((stage for stage in chain if stage.name == DENOISE), None)


def _chain_of(chain: Sequence[StageChoice], feed: Feed) -> DryWet:
    rate, channels = feed.lane.grid.sample_rate, feed.channels
    staged, _ = build_chain(chain, rate, channels, link_channels=True, nonfinite="silence")
    return DryWet(staged)


def _path_of(stage: StageChoice) -> Path | None:
    """The file of the model that a denoiser runs, None for a method."""
    choice = Choice(stage.options.get("method", "auto"), stage.options.get("model"))
    default = default_model() if choice.is_auto else None
    found = default if choice.model is None else find_model(choice.model)
    return None if found is None else found.path
