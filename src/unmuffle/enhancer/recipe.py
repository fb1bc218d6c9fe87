"""All that changes an enhancement but the audio itself, for the keys of a cache."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from unmuffle.cache.keys import described, sha256_of_file
from unmuffle.denoise.choice import Choice
from unmuffle.enhancer.noise_sample import NoiseSample
from unmuffle.errors import UnmuffleError
from unmuffle.level.targets import LoudnessTarget
from unmuffle.models import Model, default_model, find_model
from unmuffle.models.card import SUFFIX
from unmuffle.presets import Preset
from unmuffle.presets.chain import DENOISE

if TYPE_CHECKING:
    from unmuffle.enhancer.enhancer import Enhancer

LIBRARIES = ("numpy", "scipy", "soxr", "soundfile", "av", "onnxruntime")
"""Another version of one of them may round, resample, decode or encode in another way."""

_BY_CONTENT = frozenset({"model", "noise_profile", "preset", "chain", "loudness", "true_peak"})
"""Settings that name something: what they name counts, not the name."""

_MARK_OF_OTHER_FILES = b"location"
"""An ONNX file holds this word where part of its weights lies in other files."""


class NotCacheableError(UnmuffleError):
    """What an enhancement is made of cannot be told in full; the message says why."""


@dataclass(frozen=True)
class Recipe:
    """Settings by their content, and the checksum of the network, if there is one.

    Its name, and the strength of the denoiser unless that follows the audio, are told for people alone.
    """

    parameters: dict[str, Any]
    model_checksum: str | None
    model_name: str | None = None
    strength: float | None = None


def recipe_of(settings: Enhancer, preset: Preset | None, target: LoudnessTarget | None) -> Recipe:
    """Tell settings by their content: of a preset its stages, of a noise file its bytes.

    Raises
    ------
    NotCacheableError
        If a network has part of its weights in other files.
    UnmuffleError, OSError
        If a file that is named cannot be read.
    """
    plain = {entry.name: getattr(settings, entry.name) for entry in fields(settings) if entry.name not in _BY_CONTENT}
    if preset is None:
        choices = [Choice(settings.method, settings.model)]
        chain, strengths = None, {settings.strength}
    else:
        denoisers = [stage.options for stage in preset.chain if stage.name == DENOISE]
        choices = [Choice(options.get("method", "auto"), options.get("model")) for options in denoisers]
        chain = [[stage.name, _without_model(stage.options)] for stage in preset.chain]
        strengths = {options.get("strength", "auto") for options in denoisers}
    parameters = {
        **plain,
        "chain": chain,
        "target": None if target is None else [target.lufs, target.true_peak_dbtp],
        "noise": _noise(settings.noise_profile),
        "libraries": _versions(),
    }
    models = [model for model in map(_model_of, choices) if model is not None]
    strength = strengths.pop() if len(strengths) == 1 else None
    return Recipe(
        parameters,
        "+".join(map(_checksum_of, models)) or None,
        "+".join(model.name for model in models) or None,
        None if strength is None or isinstance(strength, str) else float(strength),
    )


def _without_model(options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if name != "model"}


def _noise(sample: NoiseSample | None) -> Any:
    if sample is None or isinstance(sample, tuple):
        return None if sample is None else [float(second) for second in sample]
    if isinstance(sample, (str, os.PathLike)):
        return {**described(sample), "suffix": Path(sample).suffix.lower()}
    return described(np.asarray(sample))


def _model_of(choice: Choice) -> Model | None:
    return find_model(choice.model) if choice.model is not None else default_model() if choice.is_auto else None


def _checksum_of(model: Model) -> str:
    parts = [model.path] if model.card is None else [model.path, model.path.with_name(model.path.stem + SUFFIX)]
    return "+".join(_checksum(path, _stamp(path)) for path in parts)


def _stamp(path: Path) -> tuple[int, ...]:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


@lru_cache(maxsize=16)
def _checksum(path: Path, _changed: tuple[int, ...]) -> str:
    if path.suffix != ".toml" and _MARK_OF_OTHER_FILES in path.read_bytes():
        raise NotCacheableError(f"the model {path} may keep part of its weights in other files")
    return sha256_of_file(path)


@lru_cache(maxsize=1)
def _versions() -> dict[str, str | None]:
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
