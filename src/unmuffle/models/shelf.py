"""Which models there are: the ``.onnx`` files that lie with their cards in this folder, and any file that is named."""

from __future__ import annotations

import os
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from unmuffle.errors import InvalidParameterError, ModelError
from unmuffle.models.card import SUFFIX, ModelCard, read_card

FOLDER = Path(__file__).parent
"""Where the models lie that come with the package."""


@dataclass(frozen=True)
class Model:
    """A model that was found; nothing of it has been loaded.

    Attributes
    ----------
    name : str
        That of its card, else that of its file.
    path : Path
    card : ModelCard or None
        Those that ship have one; that of another file is read if it lies beside it.
    shipped : bool
        Whether it came with the package.
    """

    name: str
    path: Path
    card: ModelCard | None = None
    shipped: bool = False


def list_models() -> tuple[Model, ...]:
    """Return the models that come with the package, by name.

    Raises
    ------
    ModelError
        If a card cannot be read.
    """
    files = sorted(FOLDER.glob(f"*{SUFFIX}"))
    cards = [(file, read_card(file)) for file in files]
    return tuple(Model(card.name, _model_of(file), card, shipped=True) for file, card in cards)


def default_model() -> Model | None:
    """Return the model that ``method="auto"`` is, or None where none of them is.

    Raises
    ------
    ModelError
        If a card cannot be read.
    """
    return next((model for model in list_models() if model.card is not None and model.card.default), None)


def find_model(name_or_path: str | os.PathLike[str]) -> Model:
    """Return a model by the name of one that ships, or by the path of an ONNX file.

    Raises
    ------
    InvalidParameterError
        If there is none of that name; the message lists what there is.
    ModelError
        If there is no such file, or its card cannot be read.
    """
    given = os.fspath(name_or_path)
    shipped = {_plain(model.name): model for model in list_models()}
    found = shipped.get(_plain(given))
    if found is not None:
        return found
    path = Path(given)
    if path.is_file():
        card = path.with_name(path.stem + SUFFIX)
        return Model(path.stem, path, read_card(card) if card.is_file() else None)
    if path.suffix.lower() == ".onnx" or len(path.parts) > 1 or isinstance(name_or_path, os.PathLike):
        raise ModelError(f"the model {given} {'is a folder, not a file' if path.is_dir() else 'does not exist'}")
    close = get_close_matches(_plain(given), shipped, n=1)
    hint = f" (did you mean {shipped[close[0]].name}?)" if close else ""
    there = ", ".join(model.name for model in shipped.values()) or "none in this version"
    raise InvalidParameterError(
        f"there is no model {given!r}{hint}; there are: {there}; or give the path of an .onnx file"
    )


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_")


def _model_of(card: Path) -> Path:
    return card.with_name(card.name.removesuffix(SUFFIX) + ".onnx")
