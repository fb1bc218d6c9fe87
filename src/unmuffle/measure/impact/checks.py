"""What an impact run is told, checked before anything is done."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.impact.noises import NoiseType, as_noises, find_noises
from unmuffle.measure.impact.report import ALL
from unmuffle.measure.impact.trials import CLEAN

PathLike: TypeAlias = "str | os.PathLike[str]"
Noises: TypeAlias = "PathLike | Iterable[PathLike] | Mapping[str, Sequence[PathLike]]"


def size_of(path: Path | None) -> int | None:
    """Return the bytes of a file, None where there is none."""
    return path.stat().st_size if path is not None and path.is_file() else None


def checked_noises(given: Noises | None) -> list[NoiseType]:
    """Return types of noise, with names of their own."""
    if given is None:
        return []
    found = as_noises(given) if isinstance(given, Mapping) else find_noises(given)
    check_names([noise.name for noise in found])
    return found


def check_names(noises: Iterable[str]) -> None:
    """Raise ``InvalidParameterError`` for names of noise that reports use for something else."""
    for name in noises:
        if name in (CLEAN, ALL):
            raise InvalidParameterError(f"a type of noise is called {name!r}, which means something else: rename it")


def checked_snrs(snrs_db: Sequence[float]) -> tuple[float, ...]:
    """Return ratios, rising, each once."""
    if not len(snrs_db) or not np.isfinite(snrs_db).all():
        raise InvalidParameterError(f"snrs_db must be one or more finite numbers, not {list(snrs_db)}")
    return tuple(sorted({float(snr_db) for snr_db in snrs_db}))


def checked_strengths(strengths: Sequence[float]) -> tuple[float, ...]:
    """Return strengths, rising, each once, with 0 and 1 among them."""
    if not all(0.0 <= strength <= 1.0 for strength in strengths):
        raise InvalidParameterError(f"strengths must be from 0 to 1, not {list(strengths)}")
    return tuple(sorted({0.0, 1.0, *(float(strength) for strength in strengths)}))
