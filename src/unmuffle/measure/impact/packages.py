"""Packages that recognisers and embedders need: loaded when first asked for, and named where they are missing."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from unmuffle.errors import AudioFileError
from unmuffle.measure.extras import load_package


def version_of(package: str) -> str:
    """Return the version of an installed package, ``not installed`` where it is not."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def model_path(given: str, name: str, example: str) -> Path:
    """Return where a model lies, or raise ``AudioFileError``: nothing is ever downloaded."""
    path = Path(given)
    if not given or not path.exists():
        found = f"there is none at {given}" if given else "none was given"
        raise AudioFileError(
            f"{name} needs the path of a model on this machine and {found}: "
            f"download one yourself and give it, such as {name}:{example}"
        )
    return path


class Lazy:
    """Loads its model when it is first used, in the process that uses it; pickled, it leaves the model behind.

    A class of it says in ``_package`` which module it needs, and what ``pip install`` is told for it.
    """

    _package: tuple[str, str]
    _loaded: Any = None

    def require(self) -> Any:
        """Return the module it needs, or raise ``MissingExtraError``; a long run asks before it begins."""
        return load_package(*self._package)

    @property
    def model(self) -> Any:
        """What ``_load`` returns, once."""
        if self._loaded is None:
            self._loaded = self._load()
        return self._loaded

    def _load(self) -> Any:
        raise NotImplementedError

    def __getstate__(self) -> Mapping[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_loaded"}
