"""The active level of the speech is the stated ratio above the RMS of the noise; the speech stays as it is."""

from __future__ import annotations

import numpy as np
import pytest
from evaluation_clips import RATE, hiss, voice

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.level import active_level_db
from unmuffle.measure.evaluation.mixing import mix_at_snr


def level_db(signal: np.ndarray) -> float:
    return float(10.0 * np.log10(np.mean(np.square(signal, dtype=np.float64))))


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 20.0])
def test_the_ratio_is_of_active_level_to_rms(snr_db):
    speech, noise = voice(), hiss(3 * RATE, 1, 0.5)
    added = mix_at_snr(speech, noise, snr_db, RATE) - speech
    assert np.corrcoef(added, noise)[0, 1] == pytest.approx(1.0, abs=1e-4)
    assert active_level_db(speech, RATE) - level_db(added) == pytest.approx(snr_db, abs=0.01)


def test_pauses_do_not_count():
    speech, noise = voice(), hiss(3 * RATE, 1)
    half_silent = np.concatenate((speech, np.zeros_like(speech)))
    added = mix_at_snr(half_silent, np.tile(noise, 2), 0.0, RATE) - half_silent
    # A ratio to the mean power would fall by 3 dB; the hangover costs some tenths.
    assert level_db(added) == pytest.approx(level_db(mix_at_snr(speech, noise, 0.0, RATE) - speech), abs=0.5)


def test_channels_are_scaled_alike():
    speech = np.stack((voice(), 0.25 * voice()))
    noise = np.stack((hiss(3 * RATE, 1), hiss(3 * RATE, 2, 0.06)))
    added = mix_at_snr(speech, noise, 3.0, RATE) - speech
    assert added.shape == speech.shape
    gains = np.linalg.norm(added, axis=1) / np.linalg.norm(noise, axis=1)
    assert gains[0] == pytest.approx(gains[1], rel=1e-4)


def test_refusals():
    sound, silence = np.ones(RATE, np.float32), np.zeros(RATE, np.float32)
    with pytest.raises(InvalidAudioError, match="noise is silent"):
        mix_at_snr(sound, silence, 0.0, RATE)
    with pytest.raises(InvalidAudioError, match="speech is silent"):
        mix_at_snr(silence, sound, 0.0, RATE)
    with pytest.raises(InvalidAudioError, match=r"same shape, not \[1, 16000\] and \[1, 15999\]"):
        mix_at_snr(sound, sound[1:], 0.0, RATE)
    with pytest.raises(InvalidAudioError, match="noise holds NaN"):
        mix_at_snr(sound, np.full(RATE, np.nan), 0.0, RATE)
    with pytest.raises(InvalidParameterError, match="finite number of dB"):
        mix_at_snr(sound, sound, np.inf, RATE)
