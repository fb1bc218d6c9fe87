"""Post-filters by their names."""

from __future__ import annotations

from types import MappingProxyType

from unmuffle.array.covariance import diffuse_covariance
from unmuffle.array.directions import DirectionLike
from unmuffle.array.geometry import ArrayGeometry
from unmuffle.array.postfilter import PostFilter
from unmuffle.array.postfilter_mccowan import McCowanFilter
from unmuffle.array.postfilter_zelinski import ZelinskiFilter
from unmuffle.array.steering import steering_vectors
from unmuffle.errors import InvalidParameterError
from unmuffle.signal.grid import Grid

POST_FILTERS = MappingProxyType(
    {
        "none": "the beam as it is",
        "zelinski": "takes out what the microphones do not share: their own noise, far microphones",
        "mccowan": "takes out noise from all sides, also where it is alike at the microphones",
    }
)


def check_post_filter(name: str) -> str:
    """Return the name of a post-filter, or raise ``InvalidParameterError`` if there is none such."""
    if name not in POST_FILTERS:
        raise InvalidParameterError(f"there is no post-filter {name!r}: choose among {', '.join(POST_FILTERS)}")
    return name


def make_post_filter(
    name: str, grid: Grid, geometry: ArrayGeometry, toward: DirectionLike, temperature_c: float
) -> PostFilter | None:
    """Return a post-filter for a beam toward a direction; None for "none".

    Raises
    ------
    InvalidParameterError
        If there is none of the name, or the direction or temperature is out of range.
    """
    if check_post_filter(name) == "none":
        return None
    hz = grid.frequencies_hz
    steering = steering_vectors(geometry, toward, hz, temperature_c=temperature_c)
    if name == "zelinski":
        return ZelinskiFilter(grid, steering)
    return McCowanFilter(grid, steering, diffuse_covariance(geometry, hz, temperature_c=temperature_c))
