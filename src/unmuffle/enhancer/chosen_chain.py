"""The chain that a preset or a text names, with what the caller wants of its denoiser."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from unmuffle.errors import InvalidParameterError
from unmuffle.presets import Preset, StageChoice, find_preset, parse_chain
from unmuffle.presets.chain import DENOISE

DIAGNOSED = "auto"
"""The preset that is none: measuring comes after enhancing in this package, so who calls has to do both."""

PresetName = str | os.PathLike[str]


def chosen_chain(preset: PresetName | None, chain: str | None, wanted: Mapping[str, Any]) -> Preset | None:
    """Return the preset, or one made of the chain's text; None where neither was given.

    Parameters
    ----------
    preset, chain
        At most one of them.
    wanted : mapping
        Options of the denoiser that take the place of those in the chain.

    Raises
    ------
    InvalidParameterError
        If both are given, one of them does not fit, or options are wanted of a denoiser that is not there.
    """
    if preset is not None and chain is not None:
        raise InvalidParameterError(f"the preset {preset} and a chain were given: give one")
    if preset == DIAGNOSED:
        raise InvalidParameterError(
            "the preset auto is chosen for each recording by what is wrong with it: "
            "give chain=str(unmuffle.measure.diagnose(audio, sample_rate)), or use 'unmuffle enhance --preset auto'"
        )
    if preset is not None:
        found = find_preset(preset)
    elif chain is not None:
        found = Preset("chain", "", parse_chain(chain))
    else:
        return None
    if not wanted:
        return found
    if all(choice.name != DENOISE for choice in found.chain):
        raise InvalidParameterError(
            f"{' and '.join(wanted)} is for the denoiser, which {found.name} lacks: leave it out, or add denoise"
        )
    return replace(found, chain=tuple(_with(choice, wanted) for choice in found.chain))


def _with(choice: StageChoice, wanted: Mapping[str, Any]) -> StageChoice:
    return choice if choice.name != DENOISE else StageChoice(choice.name, {**choice.options, **wanted})
