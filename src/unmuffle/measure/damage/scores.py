"""All measures of what an enhancer broke, side by side, from one analysis of the pair."""

from __future__ import annotations

from collections.abc import Collection

import numpy.typing as npt

from unmuffle.errors import InvalidAudioError
from unmuffle.measure.damage.artefact_score import EXPOSURES, NEEDED, combine
from unmuffle.measure.damage.border_clicks import clicks_per_second_of
from unmuffle.measure.damage.floor_motion import floor_motion_of
from unmuffle.measure.damage.high_band_loss import high_band_loss_of
from unmuffle.measure.damage.image_shift import image_shift_of
from unmuffle.measure.damage.musical_noise import musical_noise_of
from unmuffle.measure.damage.onset_loss import onset_loss_of
from unmuffle.measure.damage.pair_spectra import PairSpectra
from unmuffle.measure.damage.spectral_distortion import spectral_distortion_of
from unmuffle.measure.damage.speech_level import speech_level_change_of
from unmuffle.measure.scores import Measure, Score, Table, measures_of, take


def _floor_motion(spectra: PairSpectra) -> tuple[float, float]:
    motion = floor_motion_of(spectra)
    return motion.gating_db, motion.pumping_db


_TABLE: Table = (
    (musical_noise_of, (Measure("musical_noise", "musical noise", more_is_better=False),)),
    (
        spectral_distortion_of,
        (Measure("spectral_distortion_db", "spectral distortion of speech", "dB", more_is_better=False),),
    ),
    (onset_loss_of, (Measure("onset_loss_db", "onset loss", "dB", more_is_better=False),)),
    (
        lambda spectra: high_band_loss_of(spectra).worst_db,
        (Measure("high_band_loss_db", "high-band loss", "dB", more_is_better=None),),
    ),
    (
        _floor_motion,
        (
            Measure("gating_db", "gating", "dB", more_is_better=False),
            Measure("pumping_db", "pumping", "dB", more_is_better=False),
        ),
    ),
    (
        clicks_per_second_of,
        (Measure("border_clicks", "added clicks", "per second", more_is_better=False),),
    ),
    (
        speech_level_change_of,
        (Measure("speech_level_change_db", "change of speech level", "dB", more_is_better=None),),
    ),
    (
        lambda spectra: image_shift_of(spectra).level_db,
        (Measure("image_shift_db", "shift of the stereo image", "dB", more_is_better=False),),
    ),
)
_ARTEFACT = Measure("artefact_score", "artefact score", more_is_better=False)

DAMAGE_MEASURES: tuple[Measure, ...] = (*measures_of(_TABLE), _ARTEFACT)


def score_damage(
    original: npt.ArrayLike,
    enhanced: npt.ArrayLike,
    sample_rate: int,
    reference: npt.ArrayLike | None = None,
    keys: Collection[str] | None = None,
) -> list[Score]:
    """Measure what an enhancer broke.

    Parameters
    ----------
    original, enhanced : array_like
        ``[samples]`` or ``[channels, samples]``, of one shape and in step; see ``align``. At least 0.25 s.
    sample_rate : int
        In Hz, 8,000 to 192,000; everything is measured at this rate.
    reference : array_like, optional
        The clean speech of the original, of its shape and in step with it. With it, it is known where speech is and
        where noise; without, it is found from the levels of the original.
    keys : collection of str, optional
        Only these of ``DAMAGE_MEASURES``; all unless given.

    Returns
    -------
    list of Score
        One for each measure; one that has nothing to measure in this audio has no value and tells why. None has where
        shapes differ, there is too little audio, a sample is NaN or infinite, or original or reference is silent.

    Raises
    ------
    InvalidParameterError
        If the rate is out of range.
    """
    try:
        spectra = PairSpectra(original, enhanced, sample_rate, reference)
    except InvalidAudioError as error:
        return [Score(item, None, str(error)) for item in DAMAGE_MEASURES if keys is None or item.key in keys]
    with_artefact = keys is None or _ARTEFACT.key in keys
    scores = take(_TABLE, (spectra,), EXPOSURES.keys() | (keys or ()) if with_artefact else keys)
    if with_artefact:
        scores.append(_artefact(scores))
    return [score for score in scores if keys is None or score.measure.key in keys]


def artefact_score(
    original: npt.ArrayLike, enhanced: npt.ArrayLike, sample_rate: int, *, reference: npt.ArrayLike | None = None
) -> float:
    """Return how damaged the enhanced audio is, all damages taken together.

    Parameters
    ----------
    original, enhanced, sample_rate, reference
        As for ``PairSpectra``.

    Returns
    -------
    float
        0 to 1; 0 for untouched audio and for a gain of -6 dB and more, above 0.3 a listener will be annoyed.

    Raises
    ------
    InvalidAudioError
        As ``PairSpectra``, or if no speech stands out of the noise.

    Examples
    --------
    >>> import numpy as np
    >>> speech = np.sin(np.arange(16_000) * 0.3) * (np.arange(16_000) // 4000 % 2)
    >>> artefact_score(speech, speech, 16_000)
    0.0
    """
    result = score_damage(original, enhanced, sample_rate, reference, keys=("artefact_score",))[0]
    if result.value is None:
        raise InvalidAudioError(result.why_not or "no artefact score")
    return result.value


def _artefact(scores: list[Score]) -> Score:
    values = {score.measure.key: score.value for score in scores if score.value is not None}
    if NEEDED not in values:
        return Score(_ARTEFACT, None, next(score.why_not for score in scores if score.measure.key == NEEDED))
    return Score(_ARTEFACT, combine(values))
