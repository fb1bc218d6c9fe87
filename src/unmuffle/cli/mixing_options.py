"""The options that say what is mixed, shared by the commands that mix."""

from __future__ import annotations

import os
from typing import Annotated, TypeAlias

import typer

from unmuffle.errors import InvalidParameterError

SpeechOption: TypeAlias = Annotated[
    str | None, typer.Option("--speech", metavar="FOLDER", help="Clean speech, a folder for each talker.")
]
NoiseOption: TypeAlias = Annotated[
    str | None, typer.Option("--noise", metavar="FOLDER", help="Noise, a folder for each kind.")
]
RoomsOption: TypeAlias = Annotated[
    str | None,
    typer.Option("--rooms", metavar="FOLDER", help="Impulse responses of rooms; all speech is played in one."),
]
SnrOption: TypeAlias = Annotated[str, typer.Option("--snr", metavar="DB,DB,...", help="Ratios, taken in turn.")]
CountOption: TypeAlias = Annotated[int, typer.Option("--count", min=1, help="How many clips.")]
SecondsOption: TypeAlias = Annotated[float, typer.Option("--seconds", help="Length of each.")]
RateOption: TypeAlias = Annotated[int, typer.Option("--rate", help="Sample rate in Hz.")]
SeedOption: TypeAlias = Annotated[int, typer.Option("--seed", min=0, help="Another seed, other clips.")]

JobsOption: TypeAlias = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="Clips at the same time. [default: by the cores]")
]

DEFAULT_SNRS = "-5,0,5,10,15"


def jobs_for(clips: int, worth: int) -> int:
    """Return how many processes to start for so many clips: one for each core, if it gets as many as it is worth."""
    return max(1, min(os.cpu_count() or 1, clips // worth))


def parse_snrs(text: str) -> tuple[float, ...]:
    """Return the numbers in text such as ``-5,0,5``, or raise ``InvalidParameterError``."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise InvalidParameterError(
            f"--snr is {text!r}; give numbers with commas between, as in {DEFAULT_SNRS}"
        ) from None
