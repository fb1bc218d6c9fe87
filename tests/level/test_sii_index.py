"""The speech intelligibility index against figures of the standard and of its working group."""

import numpy as np
import pytest

from unmuffle.errors import InvalidParameterError
from unmuffle.level import speech_intelligibility_index
from unmuffle.level.sii import OCTAVES, THIRD_OCTAVES, _masking_db

NORMAL = THIRD_OCTAVES.normal_speech_db
# The test vectors of ASA working group S3-79 for its own programs.
SPEECH = [90, 5, *[40] * 12, *[-10] * 4]
NOISE = [10, -10, -10, 75, *[-10] * 10, *[10] * 4]
THRESHOLD = [90, *[0] * 17]


def test_example_of_the_standard_in_octaves():
    # Annex C, example C.1.
    index = speech_intelligibility_index([50, 40, 40, 30, 20, 0], [70, 65, 45, 25, 1, -15], np.zeros(6))
    assert index == pytest.approx(0.504, abs=5e-4)


def test_masking_of_the_example_of_the_standard_in_third_octaves():
    # Annex C, example C.2.
    masking = _masking_db(np.full(18, 54.0), np.array([40.0, 30.0, 20.0, *[0.0] * 15]), THIRD_OCTAVES.centres_hz)
    assert masking[:3] == pytest.approx([40.0, 34.66, 25.04], abs=0.01)


@pytest.mark.parametrize(
    ("importance", "index"), [(None, 0.445), ([*[0] * 9, *[0.1] * 7, 0.3, 0], 0.438)], ids=["average", "other"]
)
def test_test_vectors_of_the_working_group(importance, index):
    given = speech_intelligibility_index(SPEECH, NOISE, THRESHOLD, importance=importance)
    assert given == pytest.approx(index, abs=1e-3)


@pytest.mark.parametrize("bands", [THIRD_OCTAVES, OCTAVES], ids=["third-octaves", "octaves"])
def test_importances_sum_up_to_one(bands):
    assert bands.importance.sum() == pytest.approx(1.0)


def test_normal_speech_has_the_level_printed_below_the_table():
    low, high = THIRD_OCTAVES.edges_hz
    assert 10 * np.log10((10 ** (NORMAL / 10) * (high - low)).sum()) == pytest.approx(62.35, abs=0.05)


def test_octave_speech_in_louder_noise_by_hand():
    # Without masking between octaves the audibility is (SNR + 15) / 30 in every band.
    speech = OCTAVES.normal_speech_db + 9.0
    for snr_db in (-20.0, -15.0, -6.0, 0.0, 9.0, 15.0):
        index = speech_intelligibility_index(speech, speech - snr_db)
        assert index == pytest.approx(np.clip((snr_db + 15) / 30, 0, 1), abs=1e-9)


def test_speech_too_loud_is_understood_less():
    # Level distortion: 1 - (30 - 10) / 160.
    assert speech_intelligibility_index(OCTAVES.normal_speech_db + 30.0) == pytest.approx(0.875)


def test_nothing_is_understood_below_the_threshold():
    assert speech_intelligibility_index(NORMAL, threshold_db=np.full(18, 90.0)) == 0.0


@pytest.mark.parametrize("levels", [[1.0] * 7, [np.nan] * 18, [[1.0] * 18]])
def test_other_numbers_of_bands_are_refused(levels):
    with pytest.raises(InvalidParameterError, match="18 or 6 finite numbers"):
        speech_intelligibility_index(levels)


def test_noise_must_have_the_bands_of_the_speech():
    with pytest.raises(InvalidParameterError, match="noise_db must be 18"):
        speech_intelligibility_index(NORMAL, np.zeros(6))
