"""Which measures an evaluation takes, and whether they can be taken."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from difflib import get_close_matches

from unmuffle.errors import InvalidParameterError
from unmuffle.measure.catalogue import COST_MEASURES, MEASURES, measure_of
from unmuffle.measure.damage.scores import DAMAGE_MEASURES
from unmuffle.measure.damage.transparency import TRANSPARENCY_MEASURES
from unmuffle.measure.evaluation.clips import Clip
from unmuffle.measure.extras import DNSMOS, METRICS, missing_package
from unmuffle.measure.reference.scorecard import REFERENCE_MEASURES
from unmuffle.measure.scores import Measure
from unmuffle.measure.single.blind_scores import BLIND_MEASURES

_DEFAULT_REFERENCE = ("snr_db", "si_sdr_db", "pesq_wideband", "stoi", "estoi")
_DEFAULT_BLIND = ("clipping_share",)
_DEFAULT_TRANSPARENCY = ("transparency_si_sdr_db", "transparency_pesq")

DEFAULT_MEASURES: tuple[str, ...] = (
    *_DEFAULT_REFERENCE,
    *_DEFAULT_BLIND,
    *(measure.key for measure in DAMAGE_MEASURES),
    *_DEFAULT_TRANSPARENCY,
    *(measure.key for measure in COST_MEASURES),
)
"""Keys of what is measured unless something else is asked for: gain, damage and cost, at little cost."""

REFERENCE_KEYS = frozenset(measure.key for measure in REFERENCE_MEASURES)
DAMAGE_KEYS = frozenset(measure.key for measure in DAMAGE_MEASURES)
BLIND_KEYS = frozenset(measure.key for measure in BLIND_MEASURES)
TRANSPARENCY_KEYS = frozenset(measure.key for measure in TRANSPARENCY_MEASURES)
_NEEDS_REFERENCE = REFERENCE_KEYS | TRANSPARENCY_KEYS

_INSTALLED_BY = {"pesq": METRICS, "pystoi": METRICS, "speechmos": DNSMOS}


def chosen_measures(wanted: Sequence[str] | None, clips: Collection[Clip]) -> tuple[Measure, ...]:
    """Return the measures to take.

    Parameters
    ----------
    wanted : sequence of str or None
        Keys; ``DEFAULT_MEASURES`` for None, of which those that need a reference are left out where there is none.
    clips : collection of Clip
        What is measured.

    Raises
    ------
    InvalidParameterError
        If a key is not known, or needs a reference and no clip has one.
    MissingExtraError
        If the package of one that was asked for by its key is not installed.
    """
    referenced = any(clip.has_reference for clip in clips)
    if wanted is None:
        keys = (key for key in DEFAULT_MEASURES if referenced or key not in _NEEDS_REFERENCE)
        return tuple(measure_of(key) for key in keys)
    for key in wanted:
        if key not in MEASURES:
            close = [known for known in MEASURES if key in known] or get_close_matches(key, MEASURES, n=1)
            hint = f" (did you mean {' or '.join(close)}?)" if close else ""
            raise InvalidParameterError(f"there is no measure {key!r}{hint}; there are {', '.join(MEASURES)}")
        if key in _NEEDS_REFERENCE and not referenced:
            raise InvalidParameterError(f"{key} compares with a clean reference, and no clip has one: leave it out")
        _check_installed(MEASURES[key])
    return tuple(MEASURES[key] for key in dict.fromkeys(wanted))


def _check_installed(measure: Measure) -> None:
    if measure.package in _INSTALLED_BY and "not installed" in measure.implementation:
        raise missing_package(measure.package, _INSTALLED_BY[measure.package], measure.key)
