"""The noise-reduction methods by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType
from typing import TypeAlias

from unmuffle.denoise.noise import Imcra, NoiseEstimator
from unmuffle.denoise.suppressors import (
    LogMmse,
    MmseStsa,
    MultibandSubtraction,
    OmLsa,
    Oversubtraction,
    SpectralSubtraction,
    Suppressor,
    WienerFilter,
)
from unmuffle.errors import InvalidParameterError

MakeSuppressor: TypeAlias = Callable[[NoiseEstimator | None], Suppressor]

AUTO = "om_lsa"
"""What ``method="auto"`` is: the best there is."""


@dataclass(frozen=True)
class Method:
    """A method as a user chooses it.

    Attributes
    ----------
    name : str
        For ``method=`` and ``--method``.
    summary : str
        One line on what it is and when to use it.
    make : callable
        Takes a noise estimator, or None for the method's own choice, and returns a new suppressor.
    """

    name: str
    summary: str
    make: MakeSuppressor


def _om_lsa_imcra(noise: NoiseEstimator | None) -> Suppressor:
    return OmLsa(noise or Imcra())


METHODS: Mapping[str, Method] = MappingProxyType(
    {
        method.name: method
        for method in (
            Method(
                "om_lsa",
                "OM-LSA, Cohen 2002, with cepstral smoothing: clearest of the classical methods",
                OmLsa,
            ),
            Method("log_mmse", "log-MMSE, Ephraim and Malah 1985: even residual noise, least delicate", LogMmse),
            Method("mmse_stsa", "MMSE-STSA, Ephraim and Malah 1984: gentler, leaves more noise", MmseStsa),
            Method(
                "wiener",
                "Wiener filter, decision-directed: strongest on weak sounds, noise and voice alike",
                WienerFilter,
            ),
            Method(
                "om_lsa_imcra",
                "OM-LSA on IMCRA noise tracking, Cohen 2003: slow to follow, hard to fool",
                _om_lsa_imcra,
            ),
            Method(
                "multiband",
                "multi-band spectral subtraction, Kamath and Loizou 2002: for coloured noise",
                MultibandSubtraction,
            ),
            Method(
                "oversubtraction",
                "spectral subtraction with oversubtraction and floor, Berouti 1979",
                Oversubtraction,
            ),
            Method(
                "spectral_subtraction",
                "spectral subtraction, Boll 1979: the baseline of all",
                SpectralSubtraction,
            ),
        )
    }
)


def find_method(name: str) -> Method:
    """Return a method by name; ``auto`` is the best there is, and ``-`` may stand for ``_``.

    Raises
    ------
    InvalidParameterError
        If there is none of that name; the message lists all and guesses which was meant.
    """
    wanted = name.strip().lower().replace("-", "_")
    found = METHODS.get(AUTO if wanted == "auto" else wanted)
    if found is None:
        close = get_close_matches(wanted, METHODS, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InvalidParameterError(f"there is no method {name!r}{hint}; there are auto, {', '.join(METHODS)}")
    return found
