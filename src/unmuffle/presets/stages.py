"""The stages a chain can be made of: what each is for, where it stands, and the options it takes.

The order is the one in which the faults came in, backwards: what the recorder did last is undone first, and what only
shapes the result comes at the end.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any

from unmuffle.errors import InvalidParameterError

GIVEN = frozenset({"sample_rate", "channels", "link_channels", "nonfinite", "noise", "warnings", "presence"})
"""Parameters that the chain fills in."""


@dataclass(frozen=True)
class Stage:
    """A kind of processor under the name it has in chains.

    Attributes
    ----------
    name : str
    summary : str
        What it does, in one line.
    reason : str
        Why it stands where it stands, as the end of a sentence that begins with its name.
    target : str
        ``module:name`` of what makes it, imported when it is used.
    """

    name: str
    summary: str
    reason: str
    target: str

    def load(self) -> Any:
        """Return the class or function that makes the processor."""
        module, _, name = self.target.partition(":")
        return getattr(import_module(module), name)


def _table(*stages: Stage) -> Mapping[str, Stage]:
    return MappingProxyType({stage.name: stage for stage in stages})


STAGES = _table(
    Stage(
        "declip",
        "rebuild peaks that were cut off",
        "finds cut peaks by their flat tops, which no stage before it may have bent",
        "unmuffle.repair:Declipper",
    ),
    Stage(
        "declick",
        "take out clicks, and fill gaps of lost samples",
        "looks for what the samples around cannot explain, which filters would smear",
        "unmuffle.repair:Declicker",
    ),
    Stage(
        "highpass",
        "take off rumble and DC",
        "clears away what would take up the room of all that measures levels",
        "unmuffle.repair:HighPass",
    ),
    Stage(
        "dehum",
        "find mains hum and take out its harmonics",
        "follows steady tones, which a denoiser would leave in pieces",
        "unmuffle.repair:Dehummer",
    ),
    Stage(
        "deplosive",
        "soften pops of breath",
        "works on single bursts, before anything averages over them",
        "unmuffle.repair:Deplosive",
    ),
    Stage(
        "dereverb",
        "shorten the sound of the room",
        "predicts the room's tail by a linear filter, which holds only until gains vary with time",
        "unmuffle.repair:Wpe",
    ),
    Stage(
        "denoise",
        "take off noise",
        "needs the noise as even as it was recorded, and must come before what raises quiet sounds",
        "unmuffle.presets.denoising:denoise",
    ),
    Stage(
        "gate",
        "close in pauses",
        "closes on what the denoiser has left",
        "unmuffle.level:Gate",
    ),
    Stage(
        "deess",
        "soften sharp sibilants",
        "judges sibilants against a voice that is already clean",
        "unmuffle.repair:DeEsser",
    ),
    Stage(
        "level",
        "even out talkers and distances",
        "raises what is quiet, which must no longer be noise",
        "unmuffle.level:Leveler",
    ),
    Stage(
        "compress",
        "narrow the dynamic range",
        "evens what is left within words when the level of the talkers is even",
        "unmuffle.level:Compressor",
    ),
    Stage(
        "clarify",
        "shape the voice to be understood in noise around the listener",
        "moves power between bands of the finished voice",
        "unmuffle.level:NearEndEqualizer",
    ),
    Stage(
        "hearing",
        "make up for a hearing loss, by an audiogram",
        "is fitted to the listener, and so comes after all that is fitted to the voice",
        "unmuffle.level:HearingCompressor",
    ),
    Stage(
        "gain",
        "a fixed gain",
        "sets the level that the limiter is to hold",
        "unmuffle.level:Gain",
    ),
    Stage(
        "limit",
        "hold true peaks under a ceiling",
        "must be the last, since anything after it could raise the peaks again",
        "unmuffle.level:Limiter",
    ),
)
"""All stages, in the order in which they belong."""


def find_stage(name: str) -> Stage:
    """Return a stage by name.

    Raises
    ------
    InvalidParameterError
        If there is none; the message lists all and guesses which was meant.
    """
    stage = STAGES.get(name.strip().lower().replace("_", "-").replace("high-pass", "highpass"))
    if stage is None:
        close = get_close_matches(name, STAGES, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        raise InvalidParameterError(f"there is no stage {name!r}{hint}; there are {', '.join(STAGES)}")
    return stage


@cache
def options_of(stage: Stage) -> Mapping[str, inspect.Parameter]:
    """Return the options that a stage takes, by name."""
    parameters = inspect.signature(stage.load(), eval_str=False).parameters
    return MappingProxyType({name: entry for name, entry in parameters.items() if name not in GIVEN})


def checked_options(stage: Stage, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return options with values of the right types; numbers and words may come as text.

    Raises
    ------
    InvalidParameterError
        If the stage has no such option, or the value does not fit it.
    """
    known = options_of(stage)
    checked = {}
    for name, value in options.items():
        key = name.strip().replace("-", "_")
        if key not in known:
            close = get_close_matches(key, known, n=1)
            hint = f" (did you mean {close[0]}?)" if close else ""
            raise InvalidParameterError(
                f"the stage {stage.name} has no option {name!r}{hint}; it has {', '.join(known) or 'none'}"
            )
        checked[key] = _fitting(value, str(known[key].annotation), f"{stage.name}:{key}")
    return checked


def _fitting(value: Any, annotation: str, name: str) -> Any:
    """Return the value as the first of the types of an annotation that takes it."""
    allowed = [word.strip() for word in annotation.split("|")]
    if "None" in allowed and str(value).strip().lower() == "none":
        return None
    for kind in allowed:
        found = _READERS.get(kind, _as_word)(value)
        if found is not None:
            return found
    raise InvalidParameterError(f"{name} is {value!r}; it must be of type {' or '.join(allowed)}")


def _as_number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _as_whole(value: Any) -> int | None:
    number = _as_number(value)
    return None if number is None or number != int(number) else int(number)


def _as_flag(value: Any) -> bool | None:
    words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
    return value if isinstance(value, bool) else words.get(str(value).strip().lower())


def _as_word(value: Any) -> str | None:
    return value if isinstance(value, str) else None


_READERS = {"float": _as_number, "int": _as_whole, "bool": _as_flag, "None": lambda _: None}
