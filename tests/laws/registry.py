"""Every processor that has to keep the laws. A new one is added to ENTRIES and needs no other law test."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from onnx import ModelProto

import unmuffle
from small_models import frames_model, save, waveform_model
from unmuffle.denoise import METHODS, SpectralProcessor
from unmuffle.denoise.networks import network_processor
from unmuffle.denoise.noise import NoiseProfile
from unmuffle.denoise.suppressors import LogMmse, MultibandSubtraction, WienerFilter
from unmuffle.models import Model
from unmuffle.process import Chain, DryWet, Processor
from unmuffle.process.processor import NonFinite

Factory = Callable[[int, int, NonFinite], Processor]

FULL_SCALE_TOLERANCE = 1e-6
NETWORK_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Entry:
    """One processor under the laws.

    Attributes
    ----------
    name : str
        In the names of the tests.
    make : callable
        Takes the sample rate, the number of channels and ``nonfinite``; returns a new processor.
    tolerance : float
        How far the result may depend on how a stream is cut, of full scale.
    linked : bool
        Its channels depend on each other, so that none can be reset alone.
    """

    name: str
    make: Factory
    tolerance: float = FULL_SCALE_TOLERANCE
    linked: bool = False

    def new(self, rate: int, channels: int = 1, nonfinite: NonFinite = "raise") -> Processor:
        return self.make(rate, channels, nonfinite)


def _of_method(name: str, rate: int, channels: int, nonfinite: NonFinite) -> SpectralProcessor:
    return SpectralProcessor(METHODS[name].make(None), rate, channels, nonfinite=nonfinite)


def _linked(rate: int, channels: int, nonfinite: NonFinite) -> SpectralProcessor:
    return SpectralProcessor(LogMmse(), rate, channels, link_channels=True, nonfinite=nonfinite)


def _profiled(rate: int, channels: int, nonfinite: NonFinite) -> SpectralProcessor:
    noise = 0.02 * np.random.default_rng(0).standard_normal(rate // 4)
    return SpectralProcessor(WienerFilter(NoiseProfile(noise, rate)), rate, channels, nonfinite=nonfinite)


def _chain(rate: int, channels: int, nonfinite: NonFinite) -> Chain:
    return Chain(
        [
            SpectralProcessor(MultibandSubtraction(), rate, channels, nonfinite=nonfinite),
            SpectralProcessor(LogMmse(), rate, channels, nonfinite=nonfinite),
        ]
    )


def _mix(rate: int, channels: int, nonfinite: NonFinite, *, residual: bool = False) -> DryWet:
    inner = SpectralProcessor(LogMmse(), rate, channels, nonfinite=nonfinite)
    return DryWet(inner, strength=0.5, max_attenuation_db=12.0, residual=residual)


def _mix_in_chain(rate: int, channels: int, nonfinite: NonFinite) -> Chain:
    return Chain([_mix(rate, channels, nonfinite), SpectralProcessor(WienerFilter(), rate, channels)])


def _chain_in_mix(rate: int, channels: int, nonfinite: NonFinite) -> DryWet:
    return DryWet(_chain(rate, channels, nonfinite), strength=0.8)


_folders: list[tempfile.TemporaryDirectory[str]] = []


@cache
def _saved(make: Callable[[], ModelProto]) -> Model:
    """Keep a small model in a file for as long as the tests run."""
    folder = tempfile.TemporaryDirectory(prefix="unmuffle-laws-")
    _folders.append(folder)
    return Model("small", save(make(), Path(folder.name) / "small.onnx"))


def _network(
    make: Callable[[], ModelProto], rate: int, channels: int, nonfinite: NonFinite, *, link_channels: bool = False
) -> Processor:
    return network_processor(_saved(make), rate, channels, link_channels=link_channels, nonfinite=nonfinite)


_fixed_waveform_model = partial(waveform_model, (1, 1, 600), {"sample_rate": "24000", "overlap": "0.5"})


ENTRIES: tuple[Entry, ...] = (
    *(Entry(f"spectral-{name}", partial(_of_method, name)) for name in METHODS),
    Entry("spectral-linked", _linked, linked=True),
    Entry("spectral-noise-profile", _profiled),
    Entry("network", partial(_network, frames_model), NETWORK_TOLERANCE),
    Entry("network-linked", partial(_network, frames_model, link_channels=True), NETWORK_TOLERANCE, linked=True),
    Entry("network-of-waveforms", partial(_network, waveform_model), NETWORK_TOLERANCE),
    Entry("network-of-fixed-waveforms", partial(_network, _fixed_waveform_model), NETWORK_TOLERANCE),
    Entry("chain", _chain),
    Entry("dry-wet", _mix),
    Entry("dry-wet-residual", partial(_mix, residual=True)),
    Entry("dry-wet-in-chain", _mix_in_chain),
    Entry("chain-in-dry-wet", _chain_in_mix),
)


def unregistered(entries: Iterable[Entry]) -> set[str]:
    """Names of the concrete processors of the package that no entry makes."""
    _import_everything()
    covered = {type(entry.new(16_000)) for entry in entries}
    return {kind.__qualname__ for kind in _concrete_subclasses(Processor) if kind not in covered}


def _import_everything() -> None:
    for module in pkgutil.walk_packages(unmuffle.__path__, "unmuffle."):
        if module.name.endswith("__main__"):
            continue
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            # An extra that is not installed; a module of our own that is missing is an error.
            if (error.name or "unmuffle").startswith("unmuffle"):
                raise


def _concrete_subclasses(kind: type) -> Iterator[type]:
    for subclass in kind.__subclasses__():
        if not inspect.isabstract(subclass) and subclass.__module__.startswith("unmuffle"):
            yield subclass
        yield from _concrete_subclasses(subclass)
