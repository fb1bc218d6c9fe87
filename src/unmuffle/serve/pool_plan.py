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
from unmuffle.serve.batch_chain import SharedStages, can_share
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
    heeds_empty_blocks = True

    def __init__(self, feed: Feed, run: Callable[[Feed], None]) -> None:
        super().__init__(feed.lane.grid.sample_rate, feed.channels, nonfinite="silence")
        self._feed = feed
        self._run = run

    @property
    def latency(self) -> int:
        """One window, less one sample, and what comes behind the network in the pool."""
        return self._feed.lane.latency

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
    shared : SharedStages or None
        What the pool does for many streams together.
    own : tuple of StageChoice or None
        The rest of its chain, which is its own; None where there is none.
    door : int or None
        Where in its own chain the network is, with the stages that are shared; None where it has no use for it.
    strength : float or "auto"
        Of its own chain.
    share : float
        Of the network's effect that is heard, 0 to 1.
    follows_noise : bool
        Whether the share is less where there is little noise.
    """

    shared: SharedStages | None = None
    own: tuple[StageChoice, ...] | None = None
    door: int | None = None
    strength: Strength = 1.0
    share: float = 1.0
    follows_noise: bool = False

    def processor(self, feed: Feed, run: Callable[[Feed], None]) -> DryWet | None:
        """Return the chain that is the stream's own, with a door to the pool in the place of the network."""
        if self.own is None:
            return None
        rate, channels = feed.lane.grid.sample_rate, feed.channels
        if not self.own:
            return DryWet(PooledNetwork(feed, run), self.strength)
        staged, _ = build_chain(self.own, rate, channels, link_channels=True, nonfinite="silence")
        if self.door is not None:
            members = staged.processors if isinstance(staged, Chain) else (staged,)
            denoiser = members[self.door]
            if isinstance(denoiser, DryWet):
                denoiser.processor = PooledNetwork(feed, run)
        return DryWet(staged, self.strength)


def plan_stream(
    sample_rate: int,
    channels: int,
    model: Model | None,
    preset: PresetName | None,
    strength: Strength,
    *,
    is_default: bool,
) -> StreamPlan:
    """Return what it takes for a stream to sound like a lone one with this preset and strength.

    What the pool can do for many streams at once is left to it: strengths, where they follow the noise of single
    channels, and the stages of single channels, where they can. A denoiser that is something else than the model of the
    pool stays where it is. A model that is not the one of ``"auto"`` was asked for, and takes the place of what a
    preset says.

    Raises
    ------
    InvalidParameterError, ModelError
        See ``unmuffle.open_stream``.
    """
    if preset is None:
        share, follows = wet_share(strength, None), strength == AUTO and channels == 1
        if strength == AUTO and not follows:
            return StreamPlan(own=(), door=0, strength=strength, share=share)
        return StreamPlan(share=share, follows_noise=follows)
    chain = _stages(preset, strength, None if is_default else model)
    stage = _denoiser(chain)
    if stage is None or model is None or _path_of(stage) != model.path:
        return StreamPlan(own=chain)
    own = {"strength": AUTO, "max_attenuation_db": None, "keep": None, **stage.options}
    if own["keep"] is not None or (own["strength"] == AUTO and channels > 1):
        return StreamPlan(own=chain, door=chain.index(stage))
    share, follows = wet_share(own["strength"], own["max_attenuation_db"]), own["strength"] == AUTO
    whole = StageChoice(DENOISE, {**stage.options, "strength": 1.0, "max_attenuation_db": None})
    chain = tuple(whole if other is stage else other for other in chain)
    place = chain.index(whole)
    shared, rest = (None, chain) if channels > 1 else _divided(chain, place, sample_rate)
    return StreamPlan(shared, rest, None if rest is None else place, share=share, follows_noise=follows)


def _divided(
    chain: tuple[StageChoice, ...], place: int, sample_rate: int
) -> tuple[SharedStages | None, tuple[StageChoice, ...] | None]:
    """Return what the pool can do of a chain whose network is in this place, and what is left of it, if anything."""
    before, behind = chain[:place], chain[place + 1 :]
    shares_before, shares_behind = can_share(before, behind, sample_rate)
    if shares_before and shares_behind:
        return SharedStages(before, behind, whole=True), None
    if shares_behind and behind:
        return SharedStages((), behind, whole=False), chain[: place + 1]
    return None, chain


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


def _path_of(stage: StageChoice) -> Path | None:
    """The file of the model that a denoiser runs, None for a method."""
    choice = Choice(stage.options.get("method", "auto"), stage.options.get("model"))
    default = default_model() if choice.is_auto else None
    found = default if choice.model is None else find_model(choice.model)
    return None if found is None else found.path
