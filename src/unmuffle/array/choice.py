"""Which beamformer does the work, by its name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy.typing as npt

from unmuffle.array.beamformer import Beamformer
from unmuffle.array.das import DelayAndSum
from unmuffle.array.directions import DirectionLike, as_direction, as_directions
from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.gsc import SidelobeCanceller
from unmuffle.array.lcmv import Lcmv
from unmuffle.array.mask_beamformer import MaskBeamformer
from unmuffle.array.mask_solver import Solver
from unmuffle.array.mvdr import Mvdr
from unmuffle.array.postfilter_choice import check_post_filter
from unmuffle.array.steering import TEMPERATURE_C
from unmuffle.array.superdirective import Superdirective
from unmuffle.errors import InvalidParameterError
from unmuffle.process.processor import NonFinite

METHODS = MappingProxyType(
    {
        "mask-mvdr": "by the network's mask: least noise, the voice unchanged; needs neither geometry nor direction",
        "gev": "by the network's mask: highest SNR",
        "mwf": "by the network's mask: most noise taken, the voice a little less",
        "mvdr": "toward a direction: least of the noise of a sample, or of diffuse noise",
        "lcmv": "toward a direction, with other directions taken out",
        "das": "toward a direction: delay and sum",
        "superdirective": "toward a direction: most directive, for small arrays in diffuse noise",
        "gsc": "toward a direction, adapting to the noise as it changes",
    }
)
_SOLVERS = MappingProxyType({"mask-mvdr": "mvdr", "gev": "gev", "mwf": "mwf"})


@dataclass(frozen=True)
class BeamChoice:
    """A method and what it is told.

    Attributes
    ----------
    method : str
        One of ``METHODS``.
    toward : Direction, float or str
        Of the voice; ``"auto"`` has it found.
    nulls : str
        Directions to take out, for ``lcmv``.
    reference : int
        Microphone whose voice is kept by methods with a mask; -1 for that of the best SNR.
    temperature_c : float
        Of the air.
    postfilter : {"none", "zelinski", "mccowan"}
        What takes out noise that the beam has left, for methods that are steered.

    Raises
    ------
    InvalidParameterError
        If there is no such method or post-filter, or a direction is none.
    """

    method: str = "mask-mvdr"
    toward: DirectionLike = "auto"
    nulls: str = ""
    reference: int = -1
    temperature_c: float = TEMPERATURE_C
    postfilter: str = "none"

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise InvalidParameterError(f"there is no beamformer {self.method!r}: choose among {', '.join(METHODS)}")
        if not self.is_auto:
            as_direction(self.toward)
        if as_directions(self.nulls) and self.method != "lcmv":
            raise InvalidParameterError(f"directions to take out are for lcmv, not for {self.method}")
        if check_post_filter(self.postfilter) != "none" and self.solver is not None:
            raise InvalidParameterError(
                f"the post-filter {self.postfilter} needs the direction of the voice, and {self.method} knows none: "
                "choose das, superdirective, mvdr, lcmv or gsc, or denoise in its place"
            )

    @property
    def is_auto(self) -> bool:
        """Whether the direction is to be found."""
        return isinstance(self.toward, str) and self.toward.strip().lower() == "auto"

    @property
    def solver(self) -> Solver | None:
        """How weights follow from covariances, for methods with a mask; None for those with a direction."""
        return Solver(_SOLVERS[self.method]) if self.method in _SOLVERS else None

    @property
    def takes_noise(self) -> bool:
        """Whether the method makes use of a sample of noise."""
        return self.method in ("mvdr", "lcmv")

    def for_microphones(self, microphones: int) -> BeamChoice:
        """Return the choice with no more directions to take out than so many microphones can."""
        if len(as_directions(self.nulls)) < microphones:
            return self
        kept = as_directions(self.nulls)[: microphones - 1]
        return replace(self, nulls=";".join(f"{at.azimuth_deg},{at.elevation_deg},{at.distance_m}" for at in kept))

    def online(
        self,
        sample_rate: int,
        channels: int,
        geometry: ArrayGeometry | None,
        toward: DirectionLike,
        noise: npt.ArrayLike | None = None,
        nonfinite: NonFinite = "raise",
        hops_a_window: int = 2,
    ) -> Beamformer:
        """Return the beamformer for a stream; of ``mvdr``, the windows may be longer.

        Raises
        ------
        InvalidParameterError
            If the method wants a geometry and there is none, or takes no sample of noise.
        """
        if noise is not None and not self.takes_noise:
            raise InvalidParameterError(f"{self.method} takes no sample of noise: choose mvdr or lcmv, or leave it out")
        if self.solver is not None:
            return MaskBeamformer(
                sample_rate, channels, method=self.solver.method, reference=self.reference, nonfinite=nonfinite
            )
        if geometry is None:
            raise InvalidParameterError(
                f"{self.method} needs to know where the microphones are: give a geometry, or use mask-mvdr"
            )
        common = {
            "toward": toward,
            "postfilter": self.postfilter,
            "temperature_c": self.temperature_c,
            "nonfinite": nonfinite,
        }
        if self.method == "mvdr":
            return Mvdr(sample_rate, geometry, noise=noise, hops_a_window=hops_a_window, **common)  # type: ignore[arg-type]
        if self.method == "lcmv":
            return Lcmv(sample_rate, geometry, nulls=self.nulls, noise=noise, **common)  # type: ignore[arg-type]
        kind = {"das": DelayAndSum, "superdirective": Superdirective, "gsc": SidelobeCanceller}[self.method]
        return kind(sample_rate, geometry, **common)
