"""What an overloaded stream can step down to: smaller models, then log-MMSE, then nothing but the input.

In a chain the denoiser alone steps down first, so that what follows it, such as a leveller, keeps what it knows. Then
log-MMSE takes the place of the whole chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from unmuffle.denoise import METHODS, SpectralProcessor
from unmuffle.denoise.choice import FALLBACK, Choice
from unmuffle.denoise.methods import find_method
from unmuffle.denoise.networks import network_processor
from unmuffle.denoise.noise import NoiseEstimator
from unmuffle.enhancer.overload import Step
from unmuffle.errors import ModelError
from unmuffle.models import Model, default_model, find_model, list_models
from unmuffle.presets import Preset, StageChoice
from unmuffle.presets.chain import DENOISE
from unmuffle.presets.denoising import denoise
from unmuffle.process import Chain, DryWet, Ladder, Processor

BYPASS = "bypass"
AS_LIGHT = frozenset({FALLBACK, "mmse_stsa", "wiener"})
"""Methods that log-MMSE would save nothing over."""
REHEARSED_BLOCKS, REHEARSED_BLOCK_S = 50, 0.01


@dataclass(frozen=True)
class Asked:
    """What a stream was asked to do.

    Attributes
    ----------
    choice : Choice
        The denoiser, where there is no preset.
    preset : Preset or None
    noise : callable or None
        Makes the noise estimator, where one was given.
    link_channels : bool
    stood_in : bool
        Whether log-MMSE already stands in for a model that cannot run.
    """

    choice: Choice
    preset: Preset | None
    noise: Callable[[], NoiseEstimator] | None
    link_channels: bool
    stood_in: bool

    @property
    def name(self) -> str:
        """What the best step is called."""
        return _name_of(self.choice, self) if self.preset is None else self.preset.name

    def new_noise(self) -> NoiseEstimator | None:
        """Return a noise estimator for one more denoiser."""
        return None if self.noise is None else self.noise()

    @property
    def denoiser(self) -> StageChoice | None:
        """The denoiser of the chain."""
        stages = () if self.preset is None else self.preset.chain
        return next((stage for stage in stages if stage.name == DENOISE), None)


def only_step(asked: Asked) -> list[Step]:
    """Return the step of a stream that keeps to what it was asked to do."""
    return [Step(asked.name)]


def lay_steps(mix: DryWet, asked: Asked) -> list[Step]:
    """Put ladders into the processor of a stream that has not begun, and return its steps."""
    if asked.preset is None:
        return _steps_of_denoiser(mix, asked)
    if isinstance(mix.processor, DryWet):
        return _steps_of_denoiser(mix.processor, asked)
    return _steps_of_chain(mix, asked)


def _steps_of_denoiser(mix: DryWet, asked: Asked) -> list[Step]:
    stage = asked.denoiser
    choice = asked.choice if stage is None else _choice_of(stage)
    lighter = _lighter(choice, mix, asked)
    ladder = _ladder([mix.processor, *(processor for _, processor in lighter)])
    mix.processor = ladder
    names = [asked.name, *(name for name, _ in lighter), BYPASS]
    return [Step(name, [(ladder, rung)]) for rung, name in enumerate(names)]


def _steps_of_chain(mix: DryWet, asked: Asked) -> list[Step]:
    chain, stage = mix.processor, asked.denoiser
    if stage is None:
        ladder = mix.processor = _ladder([chain])
        return [Step(asked.name, [(ladder, 0)]), Step(BYPASS, [(ladder, 1)])]
    denoiser = _denoiser_in(chain)
    lighter = _lighter(_choice_of(stage), denoiser, asked)
    within = denoiser.processor = _ladder([denoiser.processor, *(processor for _, processor in lighter)])
    alone = denoise(
        mix.sample_rate,
        mix.channels,
        **{**stage.options, "method": FALLBACK, "model": None},
        link_channels=asked.link_channels,
        nonfinite=mix.nonfinite,
        noise=asked.new_noise(),
    )
    whole = mix.processor = _ladder([chain, alone])
    names = [asked.name, *(f"{asked.name} with {name}" for name, _ in lighter)]
    # The ladder within comes first: it begins anew when the chain does.
    steps = [Step(name, [(within, rung), (whole, 0)]) for rung, name in enumerate(names)]
    return [*steps, Step(FALLBACK, [(whole, 1)]), Step(BYPASS, [(whole, 2)])]


def _denoiser_in(chain: Processor) -> DryWet:
    members = chain.processors if isinstance(chain, Chain) else (chain,)
    return next(member for member in members if isinstance(member, DryWet))


def _choice_of(stage: StageChoice) -> Choice:
    return Choice(stage.options.get("method", "auto"), stage.options.get("model"))


def _lighter(choice: Choice, like: Processor, asked: Asked) -> list[tuple[str, Processor]]:
    """What takes less time than a denoiser, by name: smaller models that ship, and log-MMSE."""
    found = _smaller_networks(_model_of(choice, asked), like, asked.link_channels)
    if _name_of(choice, asked) in AS_LIGHT:
        return found
    suppressor = METHODS[FALLBACK].make(asked.new_noise())
    log_mmse = SpectralProcessor(
        suppressor, like.sample_rate, like.channels, link_channels=asked.link_channels, nonfinite=like.nonfinite
    )
    return [*found, (FALLBACK, log_mmse)]


def _smaller_networks(model: Model | None, like: Processor, link_channels: bool) -> list[tuple[str, Processor]]:
    """Networks of the models that ship and are smaller than this one, the largest first."""
    if model is None:
        return []
    smaller = [other for other in list_models() if _size(other) < _size(model)]
    found: list[tuple[str, Processor]] = []
    for other in sorted(smaller, key=_size, reverse=True):
        try:
            network = network_processor(
                other, like.sample_rate, like.channels, link_channels=link_channels, nonfinite=like.nonfinite
            )
        except ModelError:
            # What cannot run here is no way out.
            continue
        found.append((other.name, network))
    return found


def _size(model: Model) -> int:
    return model.path.stat().st_size


def _model_of(choice: Choice, asked: Asked) -> Model | None:
    """The model that a choice came to, if it came to one."""
    if asked.stood_in:
        return None
    if choice.model is not None:
        return find_model(choice.model)
    return default_model() if choice.is_auto and asked.noise is None else None


def _name_of(choice: Choice, asked: Asked) -> str:
    """The name of what a choice came to."""
    if asked.stood_in:
        return FALLBACK
    model = _model_of(choice, asked)
    return find_method(choice.method).name if model is None else model.name


def _ladder(processors: Sequence[Processor]) -> Ladder:
    """Make a ladder of processors that have run before: the first time takes longer, and would count as overload."""
    for processor in processors:
        samples = round(REHEARSED_BLOCK_S * processor.sample_rate)
        block = 0.01 * np.random.default_rng(0).standard_normal((processor.channels, samples), np.float32)
        for _ in range(REHEARSED_BLOCKS):
            processor.process(block)
        processor.reset()
    return Ladder(processors)
