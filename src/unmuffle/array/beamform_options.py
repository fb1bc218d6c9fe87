"""What is done with a recording, and what is told of it afterwards."""

from __future__ import annotations

from dataclasses import dataclass

from unmuffle.array.choice import BeamChoice
from unmuffle.array.directions import Direction
from unmuffle.array.faults import MicrophoneFault
from unmuffle.array.swapped import SwappedChannels


@dataclass(frozen=True)
class BeamformOptions:
    """What is done besides the beam.

    Attributes
    ----------
    choice : BeamChoice
    noise : (start_s, end_s), optional
        Span of the recording that holds noise alone, for ``mvdr`` and ``lcmv``.
    online : bool
        Follow the voice through the recording, as a stream does, where methods with a mask otherwise know all of it.
    denoise : bool
        Have the package's denoiser take what the beam has left.
    wpe : bool
        Take late reverberation off all microphones first.
    check : bool
        Look for faulty microphones and leave them out, and exchange two channels that are swapped.
    """

    choice: BeamChoice
    noise: tuple[float, float] | None = None
    online: bool = False
    denoise: bool = False
    wpe: bool = False
    check: bool = True


@dataclass(frozen=True)
class BeamformReport:
    """What was done.

    Attributes
    ----------
    method : str
    toward : Direction or None
        Of the beam; None where the method has none.
    reference : int or None
        Channel whose voice was kept, for methods with a mask that know the whole recording.
    left_out : tuple of MicrophoneFault
        Microphones that were not used.
    swapped : SwappedChannels or None
        Two channels that were taken the other way round, as the geometry wants them.
    warnings : tuple of str
    """

    method: str
    toward: Direction | None = None
    reference: int | None = None
    left_out: tuple[MicrophoneFault, ...] = ()
    swapped: SwappedChannels | None = None
    warnings: tuple[str, ...] = ()
