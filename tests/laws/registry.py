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
from small_models import frames_model, save, stream_model, waveform_model
from unmuffle.denoise import METHODS, SpectralProcessor
from unmuffle.denoise.networks import network_processor
from unmuffle.denoise.noise import NoiseProfile
from unmuffle.denoise.suppressors import LogMmse, MultibandSubtraction, WienerFilter
from unmuffle.level import Compressor, Gain, Gate, HearingCompressor, Leveler, Limiter, NearEndEqualizer
from unmuffle.level.hearing import MultibandCompressor
from unmuffle.models import Model
from unmuffle.presets import StageChoice
from unmuffle.process import Chain, DryWet, Ladder, Processor
from unmuffle.process.processor import NonFinite
from unmuffle.repair import (
    Declicker,
    Declipper,
    DeEsser,
    Dehummer,
    Deplosive,
    HighPass,
    LateReverbSuppressor,
    Wpe,
    WpeOffline,
)
from unmuffle.serve.batch_chain import SharedStages
from unmuffle.serve.pool import StreamPool
from unmuffle.serve.pool_feed import Feed
from unmuffle.serve.pool_plan import PooledNetwork

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
    rare : bool
        It acts on damage only, so that how far it looks ahead seldom shows: that is no farther than told is checked
        here, that it is as far in its own tests.
    """

    name: str
    make: Factory
    tolerance: float = FULL_SCALE_TOLERANCE
    linked: bool = False
    rare: bool = False

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


def _auto_mix(rate: int, channels: int, nonfinite: NonFinite) -> DryWet:
    return DryWet(SpectralProcessor(LogMmse(), rate, channels, nonfinite=nonfinite), "auto")


def _keeping_mix(rate: int, channels: int, nonfinite: NonFinite) -> DryWet:
    return DryWet(SpectralProcessor(LogMmse(), rate, channels, nonfinite=nonfinite), "auto", keep="music")


def _mix_in_chain(rate: int, channels: int, nonfinite: NonFinite) -> Chain:
    return Chain([_mix(rate, channels, nonfinite), SpectralProcessor(WienerFilter(), rate, channels)])


def _chain_in_mix(rate: int, channels: int, nonfinite: NonFinite) -> DryWet:
    return DryWet(_chain(rate, channels, nonfinite), strength=0.8)


def _ladder(rung: int, rate: int, channels: int, nonfinite: NonFinite) -> Ladder:
    denoiser = SpectralProcessor(LogMmse(), rate, channels, nonfinite=nonfinite)
    return Ladder([denoiser, Compressor(rate, channels, threshold_db=-30.0, nonfinite=nonfinite)], rung)


class _ChangingLadder(Ladder):
    """Chooses another rung every 37 ms, some of them before the one chosen last is heard."""

    def _process(self, block: np.ndarray) -> np.ndarray:
        every = round(0.037 * self.sample_rate)
        pieces = [np.zeros((self.channels, 0), np.float32)]
        while block.shape[1]:
            turn, place = divmod(self._received, every)
            if place == 0:
                self.choose((0, 2, 1, 2, 0, 1, 0)[turn % 7])
            pieces.append(super()._process(block[:, : every - place]))
            block = block[:, every - place :]
        return np.concatenate(pieces, axis=1)

    def _reset(self, mask: np.ndarray | None) -> None:
        self._chosen = 0
        super()._reset(mask)


def _changing_ladder(rate: int, channels: int, nonfinite: NonFinite) -> Ladder:
    # What is chosen follows the time of the stream, which a channel that is reset alone does not begin anew.
    rungs = [
        SpectralProcessor(LogMmse(), rate, channels, link_channels=True, nonfinite=nonfinite),
        _network(stream_model, rate, channels, nonfinite),
    ]
    return _ChangingLadder(rungs, warm_s=0.02, fade_s=0.015)


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


def _with(kind: Callable[..., Processor], **options: float | bool | str) -> Factory:
    """Return what makes a processor of this kind with these options."""
    return lambda rate, channels, nonfinite: kind(rate, channels, nonfinite=nonfinite, **options)


class _DrivenFeed(Feed):
    """A feed whose frames are made as soon as they can be, where the pool would make them in its next tick."""

    def __init__(self, pool: StreamPool, rate: int, channels: int, stages: SharedStages | None) -> None:
        engine = pool._engine
        super().__init__(engine.take_lane(rate, channels, stages), pool._slots.take(channels), deadline_s=1.0)
        engine.mix.set(self.slots, 1.0)
        engine.gate.set(self.slots, False)
        self.run = pool._run_to_end

    def push(self, block: np.ndarray) -> None:
        super().push(block)
        self.run(self)


def _pooled(rate: int, channels: int, nonfinite: NonFinite, *, stages: SharedStages | None = None) -> PooledNetwork:
    pool = StreamPool(_saved(frames_model).path, capacity=channels, on_overload="keep")
    feed = _DrivenFeed(pool, rate, channels, stages)
    processor = PooledNetwork(feed, feed.run)
    processor.nonfinite = nonfinite
    return processor


_STAGES = SharedStages((), (StageChoice("level"), StageChoice("limit", {"ceiling_dbtp": -12.0})), whole=False)


class _OfClipped(Declipper):
    """Clips what it is given, so that there is something to rebuild."""

    def _process(self, block: np.ndarray) -> np.ndarray:
        return super()._process(np.clip(block, -0.1, 0.08))


class _OfClicked(Declicker):
    """Adds a click to one sample in a thousand, which are told by their own value."""

    def _process(self, block: np.ndarray) -> np.ndarray:
        chosen = np.abs(block) % 1e-4 > 0.999e-4
        return super()._process(np.where(chosen, block + np.float32(0.7), block))


_fixed_waveform_model = partial(waveform_model, (1, 1, 600), {"sample_rate": "24000", "overlap": "0.5"})


ENTRIES: tuple[Entry, ...] = (
    *(Entry(f"spectral-{name}", partial(_of_method, name)) for name in METHODS),
    Entry("spectral-linked", _linked, linked=True),
    Entry("spectral-noise-profile", _profiled),
    Entry("network", partial(_network, frames_model), NETWORK_TOLERANCE),
    Entry("network-linked", partial(_network, frames_model, link_channels=True), NETWORK_TOLERANCE, linked=True),
    Entry("network-of-hops", partial(_network, stream_model), NETWORK_TOLERANCE, rare=True),
    Entry("network-of-waveforms", partial(_network, waveform_model), NETWORK_TOLERANCE),
    Entry("network-of-fixed-waveforms", partial(_network, _fixed_waveform_model), NETWORK_TOLERANCE),
    Entry("network-in-a-pool", _pooled, NETWORK_TOLERANCE, linked=True),
    Entry("network-and-stages-in-a-pool", partial(_pooled, stages=_STAGES), NETWORK_TOLERANCE, linked=True, rare=True),
    Entry("gain", _with(Gain, gain_db=-7.5)),
    Entry("compressor", _with(Compressor, threshold_db=-30.0, ratio=4.0)),
    Entry("compressor-linked", _with(Compressor, threshold_db=-30.0, link_channels=True), linked=True),
    Entry("limiter", _with(Limiter, ceiling_dbtp=-20.0)),
    Entry("limiter-linked", _with(Limiter, ceiling_dbtp=-12.0, release_ms=30.0, link_channels=True), linked=True),
    # A threshold that the speech of the laws exceeds in half of the cases, but not where the latency is measured.
    Entry("gate", _with(Gate, threshold_db=-4.4, hold_ms=10.0)),
    Entry("gate-linked", _with(Gate, threshold_db=-4.4, hold_ms=10.0, link_channels=True), linked=True),
    Entry("leveler", _with(Leveler, target_lufs=-10.0)),
    Entry("leveler-linked", _with(Leveler, rise_db_per_s=200.0, link_channels=True), linked=True),
    Entry("near-end", _with(NearEndEqualizer)),
    Entry("near-end-linked", _with(NearEndEqualizer, noise="pink", equal="power", link_channels=True), linked=True),
    Entry("hearing", _with(HearingCompressor), rare=True),
    Entry("hearing-linked", _with(HearingCompressor, rule="half-gain", link_channels=True), linked=True, rare=True),
    Entry("multiband", _with(MultibandCompressor, audiogram="250:20,4000:70", keep_loudness=False)),
    Entry("high-pass", _with(HighPass, cutoff_hz=1.0, order=1)),
    Entry("declip", _with(Declipper), rare=True),
    Entry("declip-of-clipped", _with(_OfClipped, tolerance=0.02, headroom_db=3.0), rare=True),
    Entry("declick", _with(Declicker), rare=True),
    Entry("declick-of-clicked", _with(_OfClicked, sensitivity=2.0), rare=True),
    Entry("dehum", _with(Dehummer)),
    Entry("dehum-look-ahead", _with(Dehummer, look_ahead_s=0.1), rare=True),
    Entry("dehum-linked", _with(Dehummer, mains_hz=50.0, link_channels=True), linked=True),
    Entry("deesser", _with(DeEsser, threshold_db=-40.0, max_reduction_db=20.0)),
    Entry("deesser-linked", _with(DeEsser, threshold_db=-40.0, link_channels=True), linked=True),
    Entry("deplosive", _with(Deplosive, threshold_db=-20.0, max_reduction_db=6.0), rare=True),
    Entry("deplosive-linked", _with(Deplosive, max_reduction_db=6.0, link_channels=True), linked=True, rare=True),
    Entry("chain", _chain),
    Entry("dry-wet", _mix),
    Entry("dry-wet-auto", _auto_mix),
    Entry("dry-wet-keep-music", _keeping_mix),
    Entry("dry-wet-residual", partial(_mix, residual=True)),
    Entry("dry-wet-in-chain", _mix_in_chain),
    Entry("ladder", partial(_ladder, 0)),
    Entry("ladder-second", partial(_ladder, 1), rare=True),
    Entry("ladder-bypass", partial(_ladder, 2), rare=True),
    Entry("ladder-changing", _changing_ladder, NETWORK_TOLERANCE, linked=True, rare=True),
    Entry("wpe", _with(Wpe, taps=4)),
    Entry("wpe-linked", _with(Wpe, taps=3, memory_s=2.0, link_channels=True), linked=True),
    Entry("wpe-offline", _with(WpeOffline, taps=4, iterations=2, block_s=0.13)),
    Entry("wpe-offline-linked", _with(WpeOffline, taps=3, iterations=1, block_s=0.1, link_channels=True), linked=True),
    Entry("late-reverb", _with(LateReverbSuppressor)),
    Entry("late-reverb-linked", _with(LateReverbSuppressor, rt60_s=0.6, link_channels=True), linked=True),
    Entry("chain-in-dry-wet", _chain_in_mix),
)


def unregistered(entries: Iterable[Entry]) -> set[str]:
    """Names of the concrete processors of the package that no entry makes.

    Those of arrays make one channel out of many: tests/array holds them to the laws.
    """
    _import_everything()
    covered = {type(entry.new(16_000)) for entry in entries}
    return {kind.__qualname__ for kind in _concrete_subclasses(Processor) if kind not in covered}


def _import_everything() -> None:
    for module in pkgutil.walk_packages(unmuffle.__path__, "unmuffle."):
        # Integrations import frameworks that warn of their own, and hold no processor.
        if module.name.endswith("__main__") or module.name.startswith("unmuffle.integrations."):
            continue
        try:
            importlib.import_module(module.name)
        except ModuleNotFoundError as error:
            # An extra that is not installed; a module of our own that is missing is an error.
            if (error.name or "unmuffle").startswith("unmuffle"):
                raise


def _concrete_subclasses(kind: type) -> Iterator[type]:
    for subclass in kind.__subclasses__():
        room = subclass.__module__
        if not inspect.isabstract(subclass) and room.startswith("unmuffle") and room.split(".")[1] != "array":
            yield subclass
        yield from _concrete_subclasses(subclass)
