"""Peak, RMS and crest factor of waves whose figures are known."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from measure_signals import noise, speech_like

from unmuffle.errors import InvalidAudioError, InvalidParameterError
from unmuffle.measure.single.dynamics import Dynamics, DynamicsMeter, crest_factor_db

TIME = np.arange(48000) / 48000
WAVES = {
    "square": (np.where(TIME * 100.0 % 1.0 < 0.5, 0.7, -0.7), 0.0),
    "sine": (0.3 * np.sin(2.0 * np.pi * 1000.0 * TIME), 10.0 * np.log10(2.0)),
    "triangle": (2.0 * np.abs(2.0 * (TIME * 100.0 % 1.0) - 1.0) - 1.0, 10.0 * np.log10(3.0)),
    "one sample in a thousand": ((np.arange(48000) % 1000 == 0).astype(float), 30.0),
}


@pytest.mark.parametrize("wave", WAVES)
@pytest.mark.parametrize("gain", [1.0, 1e-4])
def test_waves_of_known_crest_factor(wave, gain):
    audio, wanted = WAVES[wave]
    assert crest_factor_db(gain * audio, 48000) == pytest.approx(wanted, abs=0.02)


def test_channels_are_one_signal():
    audio = np.stack([0.5 * np.ones(8000), np.zeros(8000)])
    assert crest_factor_db(audio, 8000) == pytest.approx(10.0 * np.log10(2.0))


def test_compression_lowers_the_crest_factor():
    voice = speech_like(16000, 4.0)
    factors = [crest_factor_db(np.tanh(drive * voice), 16000) for drive in (0.1, 3.0, 10.0, 30.0)]
    assert (np.diff(factors) < 0.0).all()


@pytest.mark.parametrize("size", [1, 999, 70000])
def test_blocks_do_not_change_the_dynamics(size):
    audio = noise(16000, 5.0)[None].astype(np.float32)
    meter = DynamicsMeter(16000)
    for start in range(0, audio.size, size) if size > 1 else range(2000):
        meter.process(audio[:, start : start + size])
    heard = audio if size > 1 else audio[:, :2000]
    found = meter.result()
    assert found.peak_dbfs == pytest.approx(20.0 * np.log10(np.abs(heard).max()))
    assert found.rms_dbfs == pytest.approx(10.0 * np.log10(np.square(heard.astype(np.float64)).mean()))
    assert found.crest_factor_db == found.peak_dbfs - found.rms_dbfs


def test_silence_has_no_crest_factor():
    meter = DynamicsMeter(16000)
    assert meter.result() == Dynamics(-inf, -inf, None)
    meter.process(np.zeros((1, 100), np.float32))
    assert meter.result() == Dynamics(-inf, -inf, None)


@pytest.mark.parametrize(
    ("audio", "reason"), [(np.zeros(100), "silent"), (np.zeros(0), "silent"), (np.array([1.0, np.nan]), "NaN")]
)
def test_crest_factor_names_what_it_cannot_take(audio, reason):
    with pytest.raises(InvalidAudioError, match=reason):
        crest_factor_db(audio, 16000)


def test_a_rate_out_of_range_is_refused_by_crest_factor():
    with pytest.raises(InvalidParameterError):
        crest_factor_db(np.ones(100), 1)
