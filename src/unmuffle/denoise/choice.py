"""What does the work: the model or the method that was asked for, or what stands in for a model that cannot run."""

from __future__ import annotations

import os
from dataclasses import dataclass

from unmuffle.denoise.methods import AUTO, find_method
from unmuffle.denoise.networks import network_processor
from unmuffle.denoise.noise import NoiseEstimator
from unmuffle.denoise.spectral import SpectralProcessor
from unmuffle.errors import InvalidParameterError, ModelError, ModelRuntimeError
from unmuffle.models import default_model, find_model
from unmuffle.process.processor import NonFinite, Processor

FALLBACK = "log_mmse"
"""The method that stands in for a model."""

ModelName = str | os.PathLike[str]


@dataclass(frozen=True)
class Choice:
    """A method or a model.

    Attributes
    ----------
    method : str
        See ``find_method``.
    model : str or path, optional
        See ``find_model``.

    Raises
    ------
    InvalidParameterError
        If there is none of that name, or both are given.
    ModelError
        If there is no such file.
    """

    method: str = "auto"
    model: ModelName | None = None

    def __post_init__(self) -> None:
        find_method(self.method)
        if self.model is None:
            return
        if not self.is_auto:
            raise InvalidParameterError(f"the model {self.model} and the method {self.method!r} were given: give one")
        find_model(self.model)

    @property
    def is_auto(self) -> bool:
        """Whether no method was named."""
        return self.method.strip().lower() == "auto"

    def processor(
        self,
        sample_rate: int,
        channels: int,
        noise: NoiseEstimator | None = None,
        *,
        link_channels: bool = False,
        nonfinite: NonFinite = "raise",
    ) -> tuple[Processor, str | None]:
        """Return a processor, and a warning if it is not what was asked for.

        A noise profile is for the classical methods: with it, ``auto`` is the best of them.

        Raises
        ------
        InvalidParameterError
            If there are a model and a noise profile, or the rate or the channels are out of range.
        ModelError, ModelRuntimeError
            If a model that was named cannot be loaded and nothing stands in for it.
        """
        if self.model is not None and noise is not None:
            raise InvalidParameterError(
                f"the model {self.model} takes no noise profile: leave it out, or choose a method instead of the model"
            )
        method, warning = self.method, None
        if self.model is not None or (self.is_auto and noise is None):
            try:
                model = default_model() if self.model is None else find_model(self.model)
                if model is not None:
                    linked = network_processor(
                        model, sample_rate, channels, link_channels=link_channels, nonfinite=nonfinite
                    )
                    return linked, None
            except ModelError as error:
                if not self._has_stand_in(error):
                    raise
                method, warning = FALLBACK, f"{error}; {FALLBACK} is used instead"
        suppressor = find_method(method).make(noise)
        spectral = SpectralProcessor(
            suppressor, sample_rate, channels, link_channels=link_channels, nonfinite=nonfinite
        )
        return spectral, warning

    def _has_stand_in(self, error: ModelError) -> bool:
        """Whether a classical method may do the work: not where a file that the user named is at fault."""
        if self.model is None:
            return True
        return isinstance(error, ModelRuntimeError) and find_model(self.model).shipped


def chosen_name() -> str:
    """Return the name of what ``auto`` is: a model or a method."""
    try:
        model = default_model()
    except ModelError:
        return FALLBACK
    return AUTO if model is None else model.name
