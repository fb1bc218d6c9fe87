"""By how much each channel counts: ITU-R BS.1770-5 (2023), annex 1, table 3, and annex 3, table 4.

A loudspeaker at 60 to 120 degrees to either side weighs +1.5 dB, any other 0 dB, and the one for low frequencies
nothing. The pair behind the listener stands at 110 degrees where it is the only one (quad, 5.1: +1.5 dB) and at 135
where there is one at the sides, too (7.1: 0 dB).
"""

from __future__ import annotations

FRONT, LOW, SURROUND = 1.0, 0.0, 10.0 ** (1.5 / 10.0)
BEHIND = 1.0

_FRONTS = (FRONT,) * 3
_OF_LAYOUT: dict[str, tuple[float, ...]] = {
    "mono": (FRONT,),
    "stereo": (FRONT, FRONT),
    "2.1": (FRONT, FRONT, LOW),
    "3.0": _FRONTS,
    "4.0": (*_FRONTS, BEHIND),
    "quad": (FRONT, FRONT, SURROUND, SURROUND),
    "5.0": (*_FRONTS, SURROUND, SURROUND),
    "5.0(side)": (*_FRONTS, SURROUND, SURROUND),
    "5.1": (*_FRONTS, LOW, SURROUND, SURROUND),
    "5.1(side)": (*_FRONTS, LOW, SURROUND, SURROUND),
    "6.1": (*_FRONTS, LOW, BEHIND, SURROUND, SURROUND),
    "7.1": (*_FRONTS, LOW, BEHIND, BEHIND, SURROUND, SURROUND),
}


def weights_of_layout(layout: str, channels: int) -> tuple[float, ...]:
    """Return the power weights of a layout by its name (``AudioInfo.layout``), one a channel.

    An unknown layout gets what so many channels usually are: five L R C Ls Rs, six L R C LFE Ls Rs, and equal weights
    otherwise.

    Examples
    --------
    >>> [round(weight, 2) for weight in weights_of_layout("7.1", 8)]
    [1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 1.41, 1.41]
    """
    weights = _OF_LAYOUT.get(layout, ())
    return weights if len(weights) == channels else usual_weights(channels)


def usual_weights(channels: int) -> tuple[float, ...]:
    """Return the power weights of so many channels whose layout is not known."""
    return _OF_LAYOUT[f"5.{channels - 5}"] if channels in (5, 6) else (1.0,) * channels
