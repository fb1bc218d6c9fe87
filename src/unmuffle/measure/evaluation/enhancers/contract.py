"""What an evaluation demands of an enhancer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from unmuffle.signal.arrays import AnyArray, FloatArray


def no_latency_told(_: int) -> float | None:
    """Return None: nothing is known of an enhancer that takes whole files."""


@dataclass(frozen=True)
class ClipEnhancer:
    """An enhancer by name.

    Attributes
    ----------
    name : str
        What tables call it.
    enhance : callable
        Takes float32 ``[channels, samples]`` and the rate in Hz, and returns the same shape or nearly the same length.
        To be sent to worker processes it must be a function of a module, or a ``functools.partial`` of one.
    latency_ms : callable
        Takes the rate in Hz and returns by how much its output is behind its input when it runs live, or None.
    version : str
        Of what does the work.
    warms_up : bool, default True
        Whether the first call in a process takes longer than those that follow, and is not to be counted.
    """

    name: str
    enhance: Callable[[FloatArray, int], AnyArray]
    latency_ms: Callable[[int], float | None] = no_latency_told
    version: str = ""
    warms_up: bool = True
