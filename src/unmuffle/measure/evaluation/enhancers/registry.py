"""Enhancers by the names that a user gives."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.evaluation.enhancers import external, own, rnnoise, spectral_gate
from unmuffle.measure.evaluation.enhancers.contract import ClipEnhancer
from unmuffle.measure.results import UNPROCESSED

ENHANCER_NAMES = (*own.NAMES, *spectral_gate.NAMES, rnnoise.NAME)

_NAMED_COMMAND = re.compile(rf"([\w.+-]+)={external.PREFIX}(.*)", re.DOTALL)
_MODEL = re.compile(rf"(?:([\w.+-]+)=)?{own.MODEL_PREFIX}(.+)", re.DOTALL)


def find_enhancer(name: str) -> ClipEnhancer:
    """Return an enhancer.

    Parameters
    ----------
    name : str
        ``auto`` or another of our methods, ``noisereduce``, ``noisereduce-stationary``, ``rnnoise``,
        ``model:NAME``, ``model:FILE.onnx``, ``NAME=model:FILE.onnx``,
        ``command:tool {in} {out}``, or ``NAME=command:tool {in} {out}``.

    Raises
    ------
    InvalidParameterError
        If there is none of that name; the message lists what there is.
    ModelError
        If there is no such model file.
    MissingExtraError
        If its package is not installed.
    """
    model = _MODEL.fullmatch(name)
    if model is not None:
        return own.own_model(model[2], model[1])
    named = _NAMED_COMMAND.fullmatch(name)
    if named is not None:
        return external.external_command(named[2], named[1])
    if name.startswith(external.PREFIX):
        return external.external_command(name)
    wanted = name.strip().lower()
    if wanted.replace("-", "_") in own.NAMES:
        return own.own_method(wanted.replace("-", "_"))
    if wanted in spectral_gate.NAMES:
        return spectral_gate.spectral_gate(wanted)
    if wanted == rnnoise.NAME:
        return rnnoise.rnnoise()
    close = get_close_matches(wanted, ENHANCER_NAMES, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    raise InvalidParameterError(
        f"there is no enhancer {name!r}{hint}; there are {', '.join(ENHANCER_NAMES)}, "
        f"{own.MODEL_PREFIX}FILE.onnx and {external.PREFIX}'tool {{in}} {{out}}'"
    )


def find_enhancers(wanted: Iterable[str | ClipEnhancer]) -> list[ClipEnhancer]:
    """Return enhancers, each with a name of its own.

    Raises
    ------
    InvalidParameterError
        If two have the same name, or one has that of the untouched input.
    MissingExtraError
        If the package of one is not installed.
    """
    found = [find_enhancer(one) if isinstance(one, str) else one for one in wanted]
    taken = {UNPROCESSED}
    for enhancer in found:
        if enhancer.name in taken:
            raise InvalidParameterError(
                f"two enhancers are called {enhancer.name!r}: give a command a name of its own, "
                f"as in NAME={external.PREFIX}'tool {{in}} {{out}}'"
            )
        taken.add(enhancer.name)
    return found
