"""What is told of a model, in a TOML file beside it: ``unmuffle_s.card.toml`` for ``unmuffle_s.onnx``."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from unmuffle.errors import ModelError
from unmuffle.toml import parse_toml

SUFFIX = ".card.toml"


@dataclass(frozen=True)
class ModelCard:
    """The card of a model.

    Attributes
    ----------
    name, version : str
    sha256 : str
        Of the ONNX file, in hexadecimal.
    summary : str
        One line on what it is.
    default : bool
        Whether ``method="auto"`` is this model.
    latency_ms : float or None
    licence : str
        Of the weights.
    training_data : tuple of str
        One entry a corpus, with its licence.
    figures : dict
        What was measured: names of measures and numbers.
    """

    name: str
    version: str
    sha256: str
    summary: str
    default: bool = False
    latency_ms: float | None = None
    licence: str = ""
    training_data: tuple[str, ...] = ()
    figures: dict[str, float] = field(default_factory=dict, hash=False)


_KINDS: dict[str, tuple[type, ...]] = {
    "default": (bool,),
    "latency_ms": (int, float),
    "training_data": (list,),
    "figures": (dict,),
}


def read_card(path: Path) -> ModelCard:
    """Read a card.

    Raises
    ------
    ModelError
        If it cannot be read, lacks an entry, or has one that is not known or of another type.
    """
    entries = _read_toml(path)
    known = {entry.name: entry for entry in fields(ModelCard)}
    for name, value in entries.items():
        if name not in known:
            raise ModelError(f"{path} has an entry {name!r}; a card has {', '.join(known)}")
        wanted = _KINDS.get(name, (str,))
        if not isinstance(value, wanted):
            raise ModelError(f"{path}: {name} is {value!r}; it must be of type {wanted[-1].__name__}")
    for name, entry in known.items():
        if name not in entries and entry.default is MISSING and entry.default_factory is MISSING:
            raise ModelError(f"{path} has no entry {name!r}")
    return ModelCard(**entries | {"training_data": tuple(entries.get("training_data", ()))})


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"the card {path} cannot be read: {' '.join(str(error).split())}") from error
