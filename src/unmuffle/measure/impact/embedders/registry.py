"""Speaker embeddings by name, and a function of the user's own as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.impact.embedders.base import SpeakerEmbedder
from unmuffle.measure.impact.embedders.resemblyzer import Resemblyzer
from unmuffle.signal.arrays import FloatArray

Embed: TypeAlias = Callable[[FloatArray, int], FloatArray]
NO_EMBEDDER = "none"


class CallableEmbedder:
    """A function that takes (audio float32 [samples], rate in Hz) and returns a vector.

    Parameters
    ----------
    embed : callable
        With more than one job it has to be a module's function or an object that can be pickled.
    name, version : str, optional
        Its name is otherwise that of the function.
    sample_rate : int, default 16000
        What it wants, in Hz.
    """

    def __init__(self, embed: Embed, name: str | None = None, version: str = "1", sample_rate: int = 16_000) -> None:
        self.name = name or str(getattr(embed, "__name__", type(embed).__name__))
        self.version = version
        self.sample_rate = sample_rate
        self._embed = embed

    def embed(self, audio: FloatArray, rate: int) -> FloatArray:
        """Return what the function returns."""
        return self._embed(audio, rate)


def find_embedder(embedder: str | SpeakerEmbedder | Embed | None) -> SpeakerEmbedder | None:
    """Return a speaker embedder; None for None and ``"none"``.

    Parameters
    ----------
    embedder : str, SpeakerEmbedder, callable or None
        ``"resemblyzer"``, or one of your own, which may be a function of (audio, rate).

    Raises
    ------
    InvalidParameterError
        If there is none of that name.
    """
    if embedder is None or embedder == NO_EMBEDDER:
        return None
    if isinstance(embedder, str):
        if embedder.strip().lower() != Resemblyzer.name:
            raise InvalidParameterError(f"there is no speaker embedder {embedder!r}: give resemblyzer or none")
        return Resemblyzer()
    if isinstance(embedder, SpeakerEmbedder):
        return embedder
    if callable(embedder):
        return CallableEmbedder(embedder)
    raise InvalidParameterError(f"an embedder is resemblyzer, a SpeakerEmbedder or a function, not {embedder!r}")
